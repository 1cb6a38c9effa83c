#include "caffe/layers/detection_output_layer.hpp"

#include <limits>
#include <vector>

#include "caffe/layers/multibox_loss_layer.hpp"
#include "caffe/util/labels.hpp"

namespace caffe {

namespace {

const int kRowSize = 7;

DetectorOptions ReadOptions(const DetectionOutputParameter& param) {
  DetectorOptions options;
  CHECK(param.has_num_classes())
      << "detection_output_param needs num_classes (background included)";
  options.num_classes = static_cast<int>(param.num_classes());
  options.background_label = param.background_label_id();
  CHECK(options.num_classes >= 1) << "num_classes must be at least 1, got " << options.num_classes;
  options.share_location = param.share_location();
  options.coder.type = static_cast<BoxCodeType>(param.code_type());
  options.coder.variance_in_target = param.variance_encoded_in_target();
  options.confidence_threshold = param.has_confidence_threshold()
                                     ? param.confidence_threshold()
                                     : std::numeric_limits<float>::lowest();
  const NonMaximumSuppressionParameter& nms = param.nms_param();
  CHECK(nms.nms_threshold() >= 0) << "nms_threshold must not be negative, got "
                                  << nms.nms_threshold();
  CHECK(nms.eta() > 0 && nms.eta() <= 1) << "eta must be above 0 and at most 1, got " << nms.eta();
  options.nms.overlap_threshold = nms.nms_threshold();
  options.nms.eta = nms.eta();
  options.nms.top_k = nms.has_top_k() ? nms.top_k() : -1;
  options.keep_top_k = param.keep_top_k();
  options.objectness_threshold = param.objectness_score();
  return options;
}

}  // namespace

template <typename Dtype>
void DetectionOutputLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                             const vector<Blob<Dtype>*>& /*top*/) {
  const DetectionOutputParameter& param = this->layer_param_.detection_output_param();
  options_ = ReadOptions(param);
  detector_ = std::make_unique<Detector<Dtype>>(options_);
  results_.reset();
  if (DetectionResults::AreAskedFor(param.save_output_param())) {
    results_ = std::make_unique<DetectionResults>(param.save_output_param(), options_.num_classes,
                                                  options_.background_label);
  }
  pictures_.reset();
  if (DetectionPictures::AreAskedFor(param)) {
    CHECK(bottom.size() == 4) << "visualize needs four bottoms, the last one the images; got "
                              << bottom.size();
    pictures_ = std::make_unique<DetectionPictures>(param, this->layer_param_.transform_param());
  }
}

template <typename Dtype>
void DetectionOutputLayer<Dtype>::CheckWidth(const vector<Blob<Dtype>*>& bottom, int index,
                                             int64_t values, const char* what) {
  const Blob<Dtype>& blob = *bottom[index];
  CHECK(blob.num_axes() > 0 && blob.shape(0) == num_images_)
      << "bottom[" << index << "] has the shape " << blob.shape_string() << ", expected "
      << num_images_ << " images, as bottom[0]";
  CHECK(blob.count(1) == num_priors_ * values)
      << "bottom[" << index << "] has " << blob.count(1) << " values per image, expected "
      << num_priors_ << " priors × " << values << " (" << what << ") = " << num_priors_ * values;
}

template <typename Dtype>
void DetectionOutputLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                          const vector<Blob<Dtype>*>& top) {
  num_images_ = bottom[0]->shape(0);
  num_priors_ = NumPriors(*bottom[2]);
  CheckWidth(bottom, 0, int64_t{4} * options_.num_loc_classes(), "4 for each location class");
  CheckWidth(bottom, 1, options_.num_classes, "num_classes");
  if (bottom.size() > 4) {
    CheckWidth(bottom, 3, 2, "background and object");
    CheckWidth(bottom, 4, 4, "one box");
  }
  if (bottom.size() == 4) {
    CHECK(bottom[3]->num_axes() == 4 && bottom[3]->shape(0) == num_images_)
        << "bottom[3] has the shape " << bottom[3]->shape_string() << ", expected " << num_images_
        << " images of channels x height x width";
  }
  // How many there are is known only after Forward.
  top[0]->Reshape({1, 1, 1, kRowSize});
}

template <typename Dtype>
void DetectionOutputLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                              const vector<Blob<Dtype>*>& top) {
  ReadPriors(*bottom[2], &priors_, &variance_);
  const bool refines = bottom.size() > 4;
  const Predictions<Dtype> predictions = {num_images_,
                                          num_priors_,
                                          bottom[0]->cpu_data(),
                                          bottom[1]->cpu_data(),
                                          &priors_,
                                          variance_.data(),
                                          refines ? bottom[4]->cpu_data() : nullptr,
                                          refines ? bottom[3]->cpu_data() : nullptr};
  const vector<Detection<Dtype>>& detections = detector_->Detect(predictions);
  LOG_IF(WARNING, detector_->num_broken() > 0)
      << this->Who() << ": " << detector_->num_broken()
      << " predictions are not finite; they give no detection";
  WriteTop(detections, top[0]);
  if (results_ != nullptr || pictures_ != nullptr) WriteFiles(detections, bottom);
}

template <typename Dtype>
void DetectionOutputLayer<Dtype>::WriteTop(const vector<Detection<Dtype>>& detections,
                                           Blob<Dtype>* top) const {
  const int num_rows = detections.empty() ? num_images_ : static_cast<int>(detections.size());
  top->Reshape({1, 1, num_rows, kRowSize});
  Dtype* row = top->mutable_cpu_data();
  if (detections.empty()) {
    caffe_set(top->count(), Dtype(-1), row);
    for (int image = 0; image < num_images_; ++image) row[image * kRowSize] = Dtype(image);
    return;
  }
  for (const Detection<Dtype>& detection : detections) {
    const Dtype values[kRowSize] = {
        Dtype(detection.image), Dtype(detection.label), detection.score,   detection.box.xmin,
        detection.box.ymin,     detection.box.xmax,     detection.box.ymax};
    std::copy(values, values + kRowSize, row);
    row += kRowSize;
  }
}

template <typename Dtype>
void DetectionOutputLayer<Dtype>::WriteFiles(const vector<Detection<Dtype>>& detections,
                                             const vector<Blob<Dtype>*>& bottom) {
  size_t next = 0;
  vector<Detection<float>> of_image;
  for (int image = 0; image < num_images_; ++image) {
    of_image.clear();
    for (; next < detections.size() && detections[next].image == image; ++next) {
      const Detection<Dtype>& found = detections[next];
      of_image.push_back(
          {image,
           found.label,
           static_cast<float>(found.score),
           {static_cast<float>(found.box.xmin), static_cast<float>(found.box.ymin),
            static_cast<float>(found.box.xmax), static_cast<float>(found.box.ymax)}});
    }
    if (results_ != nullptr) results_->AddImage(of_image);
    if (pictures_ != nullptr) pictures_->Draw(*bottom[3], image, of_image);
  }
}

template <typename Dtype>
void DetectionOutputLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& /*top*/,
                                               const vector<bool>& propagate_down,
                                               const vector<Blob<Dtype>*>& /*bottom*/) {
  for (size_t i = 0; i < propagate_down.size(); ++i) {
    CheckNoGradient(this->layer_param_, propagate_down, static_cast<int>(i),
                    "predictions of which detections were chosen");
  }
}

INSTANTIATE_CLASS(DetectionOutputLayer);
REGISTER_LAYER_CLASS(DetectionOutput);

}  // namespace caffe
