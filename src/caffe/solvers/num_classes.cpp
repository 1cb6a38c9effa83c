#include "caffe/solvers/num_classes.hpp"

#include <fstream>

#include "caffe/util/label_map.hpp"

namespace caffe {

namespace {

template <typename Dtype>
string LabelMapOf(const Net<Dtype>& net) {
  for (const auto& layer : net.layers()) {
    const string& file = layer->layer_param().annotated_data_param().label_map_file();
    if (!file.empty() && std::ifstream(file).good()) return file;
  }
  return string();
}

/** What a layer is told of the classes; 0 if it has nothing to do with them. */
int NumClassesOf(const LayerParameter& param) {
  if (param.has_multibox_loss_param()) {
    return static_cast<int>(param.multibox_loss_param().num_classes());
  }
  if (param.has_detection_output_param()) {
    return static_cast<int>(param.detection_output_param().num_classes());
  }
  return static_cast<int>(param.detection_evaluate_param().num_classes());
}

}  // namespace

template <typename Dtype>
void CheckNumClasses(const Net<Dtype>& net) {
  const string file = LabelMapOf(net);
  if (file.empty()) return;
  const int largest = ReadLabelMap(file).rbegin()->first;
  for (const auto& layer : net.layers()) {
    const int num_classes = NumClassesOf(layer->layer_param());
    CHECK(num_classes == 0 || num_classes > largest)
        << layer->Who() << ": num_classes is " << num_classes << ", but the label map " << file
        << " has labels up to " << largest << ": expected " << largest + 1 << " or more";
  }
}

template void CheckNumClasses(const Net<float>& net);
template void CheckNumClasses(const Net<double>& net);

}  // namespace caffe
