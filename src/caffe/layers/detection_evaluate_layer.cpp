#include "caffe/layers/detection_evaluate_layer.hpp"

#include <algorithm>
#include <climits>
#include <cmath>
#include <vector>

#include "caffe/util/labels.hpp"

namespace caffe {

namespace {

const int kDetectionSize = 7;
const int kObjectSize = 8;
const int kRowSize = 5;
const int kMaxImages = 1 << 24;  // more than a float counts

}  // namespace

template <typename Dtype>
void DetectionEvaluateLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                                               const vector<Blob<Dtype>*>& /*top*/) {
  const DetectionEvaluateParameter& param = this->layer_param_.detection_evaluate_param();
  CHECK(param.has_num_classes())
      << "detection_evaluate_param needs num_classes (background included)";
  num_classes_ = static_cast<int>(param.num_classes());
  background_label_ = static_cast<int>(param.background_label_id());
  CHECK(num_classes_ >= 1) << "num_classes must be at least 1, got " << num_classes_;
  CHECK(background_label_ >= 0) << "background_label_id is " << param.background_label_id()
                                << ", expected less than 2147483648";
  options_.overlap_threshold = param.overlap_threshold();
  CHECK(options_.overlap_threshold > 0)
      << "overlap_threshold must be positive, got " << options_.overlap_threshold;
  options_.evaluate_difficult = param.evaluate_difficult_gt();
  options_.in_pixels = !param.name_size_file().empty();
  sizes_.clear();
  if (options_.in_pixels) sizes_ = ReadNameSizes(param.name_size_file());
  if (param.has_resize_param()) CheckUndoableResize(param.resize_param());
  first_image_ = batch_size_ = 0;
}

template <typename Dtype>
void DetectionEvaluateLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                            const vector<Blob<Dtype>*>& top) {
  const int widths[] = {kDetectionSize, kObjectSize};
  for (int i = 0; i < 2; ++i) {
    const vector<int>& shape = bottom[i]->shape();
    CHECK(shape.size() == 4 && shape[0] == 1 && shape[1] == 1 && shape[3] == widths[i])
        << "bottom[" << i << "] has the shape " << bottom[i]->shape_string() << ", expected 1 1 "
        << (i == 0 ? "detections 7" : "objects 8");
  }
  // How many rows there are is known only after Forward.
  top[0]->Reshape({1, 1, 1, kRowSize});
}

template <typename Dtype>
int DetectionEvaluateLayer<Dtype>::ReadInteger(int bottom, int row, const char* name, Dtype value,
                                               int end) const {
  CHECK(value == std::floor(value) && value >= 0 && value < Dtype(end))
      << "bottom[" << bottom << "] row " << row << ": " << name << " " << value
      << " is no integer from 0 to " << end - 1;
  return static_cast<int>(value);
}

template <typename Dtype>
void DetectionEvaluateLayer<Dtype>::CheckObjectLabel(int bottom, int row, int label) const {
  CHECK(label != background_label_) << "bottom[" << bottom << "] row " << row << ": the label "
                                    << label << " is the background's";
}

template <typename Dtype>
Box<Dtype> DetectionEvaluateLayer<Dtype>::ReadBox(int bottom, int row, const Dtype* corners) const {
  const Box<Dtype> box = {corners[0], corners[1], corners[2], corners[3]};
  CHECK(IsFinite(box)) << "bottom[" << bottom << "] row " << row << ": box (" << box.xmin << ", "
                       << box.ymin << ", " << box.xmax << ", " << box.ymax << ") is not finite";
  return box;
}

template <typename Dtype>
void DetectionEvaluateLayer<Dtype>::ReadDetections(const Blob<Dtype>& rows) {
  const Dtype* data = rows.cpu_data();
  found_.clear();
  num_detections_ = 0;
  for (int row = 0; row < rows.shape(2); ++row, data += kDetectionSize) {
    if (data[0] == Dtype(-1)) continue;
    const int image = ReadInteger(0, row, "image", data[0], kMaxImages);
    batch_size_ = std::max(batch_size_, static_cast<size_t>(image) + 1);
    if (data[1] == Dtype(-1)) continue;
    const int label = ReadInteger(0, row, "label", data[1], num_classes_);
    CheckObjectLabel(0, row, label);
    CHECK(std::isfinite(data[2])) << "bottom[0] row " << row << ": score " << data[2]
                                  << " is not finite";
    found_[Key(image, label)].push_back({data[2], ReadBox(0, row, data + 3)});
    ++num_detections_;
  }
}

template <typename Dtype>
void DetectionEvaluateLayer<Dtype>::ReadObjects(const Blob<Dtype>& rows) {
  const Dtype* data = rows.cpu_data();
  objects_.clear();
  for (int row = 0; row < rows.shape(2); ++row, data += kObjectSize) {
    if (data[0] == Dtype(-1)) continue;
    const int image = ReadInteger(1, row, "item", data[0], kMaxImages);
    batch_size_ = std::max(batch_size_, static_cast<size_t>(image) + 1);
    const int label = ReadInteger(1, row, "label", data[1], num_classes_);
    CheckObjectLabel(1, row, label);
    objects_[Key(image, label)].push_back({ReadBox(1, row, data + 3), data[7] != Dtype(0)});
  }
}

/** The box in the units that overlaps are measured in. */
template <typename Dtype>
Box<Dtype> DetectionEvaluateLayer<Dtype>::Measured(const Box<Dtype>& box, int image) const {
  if (sizes_.empty()) return box;
  const DetectionEvaluateParameter& param = this->layer_param_.detection_evaluate_param();
  const NamedSize& size = sizes_[(first_image_ + image) % sizes_.size()];
  const Box<float> pixels =
      ToImagePixels({static_cast<float>(box.xmin), static_cast<float>(box.ymin),
                     static_cast<float>(box.xmax), static_cast<float>(box.ymax)},
                    size, param.has_resize_param() ? &param.resize_param() : nullptr);
  return {Dtype(pixels.xmin), Dtype(pixels.ymin), Dtype(pixels.xmax), Dtype(pixels.ymax)};
}

template <typename Dtype>
void DetectionEvaluateLayer<Dtype>::Judge(const Key& key, vector<Found>* found, Dtype** row) {
  std::stable_sort(found->begin(), found->end(),
                   [](const Found& a, const Found& b) { return a.score > b.score; });
  boxes_.clear();
  for (const Found& one : *found) boxes_.push_back(Measured(one.box, key.first));
  vector<JudgedObject<Dtype>> objects;
  const auto of_class = objects_.find(key);
  if (of_class != objects_.end()) objects = of_class->second;
  for (JudgedObject<Dtype>& object : objects) object.box = Measured(object.box, key.first);
  JudgeDetections(boxes_, objects, options_, &verdicts_);
  for (size_t i = 0; i < found->size(); ++i, *row += kRowSize) {
    (*row)[0] = Dtype(key.first);
    (*row)[1] = Dtype(key.second);
    (*row)[2] = (*found)[i].score;
    (*row)[3] = Dtype(verdicts_[i] == TRUE_POSITIVE ? 1 : 0);
    (*row)[4] = Dtype(verdicts_[i] == FALSE_POSITIVE ? 1 : 0);
  }
}

template <typename Dtype>
void DetectionEvaluateLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                                const vector<Blob<Dtype>*>& top) {
  ReadDetections(*bottom[0]);
  ReadObjects(*bottom[1]);
  vector<int> num_objects(num_classes_, 0);
  for (const auto& of_class : objects_) {
    for (const JudgedObject<Dtype>& object : of_class.second) {
      if (options_.evaluate_difficult || !object.is_difficult) ++num_objects[of_class.first.second];
    }
  }
  const bool has_background = background_label_ < num_classes_;
  const int num_labels = num_classes_ - (has_background ? 1 : 0);
  top[0]->Reshape({1, 1, num_labels + static_cast<int>(num_detections_), kRowSize});
  Dtype* row = top[0]->mutable_cpu_data();
  for (int label = 0; label < num_classes_; ++label) {
    if (label == background_label_) continue;
    const Dtype values[kRowSize] = {Dtype(-1), Dtype(label), Dtype(num_objects[label]), Dtype(-1),
                                    Dtype(-1)};
    row = std::copy(values, values + kRowSize, row);
  }
  for (auto& of_class : found_) Judge(of_class.first, &of_class.second, &row);
  if (!sizes_.empty()) first_image_ = (first_image_ + batch_size_) % sizes_.size();
}

template <typename Dtype>
void DetectionEvaluateLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& /*top*/,
                                                 const vector<bool>& propagate_down,
                                                 const vector<Blob<Dtype>*>& /*bottom*/) {
  CheckNoGradient(this->layer_param_, propagate_down, 0, "detections");
  CheckNoGradient(this->layer_param_, propagate_down, 1, "ground truth");
}

INSTANTIATE_CLASS(DetectionEvaluateLayer);
REGISTER_LAYER_CLASS(DetectionEvaluate);

}  // namespace caffe
