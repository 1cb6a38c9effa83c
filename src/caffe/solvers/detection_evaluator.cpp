#include "caffe/solvers/detection_evaluator.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace caffe {

namespace {

ApVersion ReadApVersion(const string& name) {
  if (name == "11point") return AP_11POINT;
  if (name == "MaxIntegral") return AP_MAX_INTEGRAL;
  CHECK(name == "Integral") << "ap_version is \"" << name
                            << "\", expected 11point, MaxIntegral or Integral";
  return AP_INTEGRAL;
}

/** The index of the layer that makes output `output` of the net; −1 for an input. */
template <typename Dtype>
int ProducerOf(const Net<Dtype>& net, int output) {
  const int blob = net.output_blob_indices()[output];
  int producer = -1;
  for (int i = 0; i < net.num_layers(); ++i) {
    const vector<int>& tops = net.top_ids(i);
    if (std::find(tops.begin(), tops.end(), blob) != tops.end()) producer = i;
  }
  return producer;
}

template <typename Dtype>
bool IsEvaluation(const Net<Dtype>& net, int output) {
  const int producer = ProducerOf(net, output);
  return producer >= 0 && string(net.layers()[producer]->type()) == "DetectionEvaluate";
}

template <typename Dtype>
string OutputNames(const Net<Dtype>& net) {
  string names;
  for (const int blob : net.output_blob_indices()) {
    names += (names.empty() ? "" : ", ") + net.blob_names()[blob];
  }
  return names.empty() ? "none" : names;
}

/** What the net's DetectionEvaluate is told; its DetectionOutput must be told the same classes. */
template <typename Dtype>
DetectionEvaluateParameter CheckSameClasses(const Net<Dtype>& net) {
  DetectionEvaluateParameter evaluate;
  for (const auto& layer : net.layers()) {
    if (string(layer->type()) != "DetectionEvaluate") continue;
    evaluate = layer->layer_param().detection_evaluate_param();
  }
  for (const auto& layer : net.layers()) {
    if (string(layer->type()) != "DetectionOutput") continue;
    const uint32_t num_classes = layer->layer_param().detection_output_param().num_classes();
    CHECK(num_classes == evaluate.num_classes())
        << layer->Who() << " has num_classes " << num_classes << ", expected "
        << evaluate.num_classes() << ", as DetectionEvaluate has";
  }
  return evaluate;
}

/** The classes of the first label map that a layer names, checked; none where there is no file. */
template <typename Dtype>
ClassNames FindClassNames(const Net<Dtype>& net, const DetectionEvaluateParameter& evaluate) {
  for (const auto& layer : net.layers()) {
    const LayerParameter& param = layer->layer_param();
    const string& in_data = param.annotated_data_param().label_map_file();
    const string& in_output = param.detection_output_param().save_output_param().label_map_file();
    const string& file = in_data.empty() ? in_output : in_data;
    if (file.empty() || !std::ifstream(file).good()) continue;
    ClassNames names = ReadLabelMap(file);
    CheckNamesEveryClass(names, file, static_cast<int>(evaluate.num_classes()),
                         static_cast<int>(evaluate.background_label_id()));
    return names;
  }
  return ClassNames();
}

}  // namespace

template <typename Dtype>
bool EvaluatesDetections(const Net<Dtype>& net) {
  for (int i = 0; i < net.num_outputs(); ++i) {
    if (IsEvaluation(net, i)) return true;
  }
  return false;
}

template <typename Dtype>
DetectionEvaluator<Dtype>::DetectionEvaluator(const SolverParameter& param, const Net<Dtype>& net)
    : ap_version_(ReadApVersion(param.ap_version())),
      ap_version_name_(param.ap_version()),
      show_per_class_(param.show_per_class_result()),
      outputs_(net.num_outputs()) {
  CHECK(EvaluatesDetections(net)) << "eval_type \"detection\" needs a test net with an output of "
                                     "DetectionEvaluate; the outputs "
                                  << "of \"" << net.name() << "\" are: " << OutputNames(net);
  for (int i = 0; i < net.num_outputs(); ++i) outputs_[i].is_evaluation = IsEvaluation(net, i);
  names_ = FindClassNames(net, CheckSameClasses(net));
}

template <typename Dtype>
void DetectionEvaluator<Dtype>::AddRows(const Blob<Dtype>& rows, Output* output) const {
  const int kRowSize = 5;
  const Dtype* row = rows.cpu_data();
  for (int i = 0; i < rows.count() / kRowSize; ++i, row += kRowSize) {
    ClassResult& result = output->classes[static_cast<int>(row[1])];
    if (row[0] == Dtype(-1)) {
      result.num_objects += static_cast<int>(row[2]);
    } else if (row[3] != Dtype(0) || row[4] != Dtype(0)) {
      result.detections.push_back({static_cast<double>(row[2]), row[3] != Dtype(0)});
    }
  }
}

template <typename Dtype>
void DetectionEvaluator<Dtype>::AddBatch(const Net<Dtype>& net) {
  ++num_batches_;
  for (int i = 0; i < net.num_outputs(); ++i) {
    const Blob<Dtype>& blob = *net.output_blobs()[i];
    if (outputs_[i].is_evaluation) {
      AddRows(blob, &outputs_[i]);
    } else if (blob.count() == 1) {
      outputs_[i].sum += static_cast<double>(blob.cpu_data()[0]);
    }
  }
}

template <typename Dtype>
double DetectionEvaluator<Dtype>::ClassAp(const ClassResult& result) const {
  return AveragePrecision(ComputePrecisionRecall(result.detections, result.num_objects),
                          ap_version_);
}

template <typename Dtype>
double DetectionEvaluator<Dtype>::MeanAp(const Output& output) const {
  double sum = 0;
  int num_classes = 0;
  for (const auto& entry : output.classes) {
    if (entry.second.num_objects == 0) continue;
    sum += ClassAp(entry.second);
    ++num_classes;
  }
  return num_classes == 0 ? 0 : sum / num_classes;
}

template <typename Dtype>
string DetectionEvaluator<Dtype>::NameOf(int label) const {
  const auto found = names_.find(label);
  return found == names_.end() ? "-" : found->second.display_name;
}

template <typename Dtype>
void DetectionEvaluator<Dtype>::AppendTable(const string& name, const Output& output,
                                            vector<string>* lines) const {
  const int kWidestName = 40;
  int width = 5;
  for (const auto& entry : output.classes) {
    width = std::max(width, static_cast<int>(NameOf(entry.first).size()));
  }
  width = std::min(width, kWidestName);
  char line[160];
  std::snprintf(line, sizeof line, "%s (%s): label  %-*s  objects  detections      AP",
                name.c_str(), ap_version_name_.c_str(), width, "class");
  lines->push_back(line);
  int num_without = 0;
  for (const auto& entry : output.classes) {
    const ClassResult& result = entry.second;
    char ap[32] = "-";
    if (result.num_objects > 0) std::snprintf(ap, sizeof ap, "%.4f", ClassAp(result));
    num_without += result.num_objects == 0 ? 1 : 0;
    std::snprintf(line, sizeof line, "%5d  %-*.*s  %7d  %10zu  %6s", entry.first, width, width,
                  NameOf(entry.first).c_str(), result.num_objects, result.detections.size(), ap);
    lines->push_back(line);
  }
  if (num_without == 0) return;
  std::ostringstream note;
  note << num_without << " of " << output.classes.size()
       << " classes have no ground truth; mAP is the mean over the others";
  lines->push_back(note.str());
}

template <typename Dtype>
vector<string> DetectionEvaluator<Dtype>::Details(const Net<Dtype>& net) const {
  vector<string> lines;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (!outputs_[i].is_evaluation) continue;
    AppendTable(net.blob_names()[net.output_blob_indices()[i]], outputs_[i], &lines);
    for (const auto& entry : outputs_[i].classes) {
      if (!show_per_class_ || entry.second.num_objects == 0) continue;
      std::ostringstream line;
      line << "class" << entry.first << ": " << static_cast<float>(ClassAp(entry.second));
      lines.push_back(line.str());
    }
  }
  return lines;
}

template <typename Dtype>
vector<string> DetectionEvaluator<Dtype>::Results(const Net<Dtype>& net) const {
  vector<string> lines;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const Output& output = outputs_[i];
    if (!output.is_evaluation && net.output_blobs()[i]->count() != 1) continue;
    const double value = output.is_evaluation ? MeanAp(output) : output.sum / num_batches_;
    std::ostringstream line;
    line << net.blob_names()[net.output_blob_indices()[i]] << " = " << static_cast<float>(value);
    lines.push_back(line.str());
  }
  return lines;
}

template bool EvaluatesDetections(const Net<float>&);
template bool EvaluatesDetections(const Net<double>&);
template class DetectionEvaluator<float>;
template class DetectionEvaluator<double>;

}  // namespace caffe
