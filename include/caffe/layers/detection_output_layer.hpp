#ifndef CAFFE_DETECTION_OUTPUT_LAYER_HPP_
#define CAFFE_DETECTION_OUTPUT_LAYER_HPP_

#include <memory>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/data/detection_pictures.hpp"
#include "caffe/data/detection_results.hpp"
#include "caffe/detection/detector.hpp"
#include "caffe/layer.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/**
 * @brief The detections of a batch: boxes decoded from the priors, for each
 * class without near duplicates (detection/detector.hpp).
 *
 * bottom[0] mbox_loc      : N × (priors · location classes · 4)
 * bottom[1] mbox_conf     : N × (priors · num_classes), scores
 * bottom[2] mbox_priorbox : 1 × 2 × (priors · 4)
 * either bottom[3] the images that `visualize` draws on : N × C × H × W;
 * or, as in RefineDet, bottom[3] arm_conf : N × (priors · 2) and bottom[4]
 * arm_loc : N × (priors · 4), which refine the priors first.
 * top[0] : 1 × 1 × detections × 7, rows (image, label, score, xmin, ymin, xmax,
 * ymax) by image, then label, then falling score; boxes are not clipped. A
 * batch without any detection gives N rows (image, −1, …, −1), as in Caffe-SSD.
 *
 * save_output_param writes result files (data/detection_results.hpp);
 * `visualize` draws pictures (data/detection_pictures.hpp). Predictions that are
 * not finite give no detection, and a warning. There is no gradient.
 * @throws Error for a missing num_classes, thresholds and sizes out of their
 * range, bottoms of other widths than priors and classes ask for, files that
 * cannot be read, and a label map without a class.
 */
template <typename Dtype>
class DetectionOutputLayer : public Layer<Dtype> {
 public:
  explicit DetectionOutputLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "DetectionOutput"; }
  int MinBottomBlobs() const override { return 3; }
  int MaxBottomBlobs() const override { return 5; }
  int ExactNumTopBlobs() const override { return 1; }
  bool AllowForceBackward(const int /*bottom_index*/) const override { return false; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

 private:
  void CheckWidth(const vector<Blob<Dtype>*>& bottom, int index, int64_t values, const char* what);
  void WriteTop(const vector<Detection<Dtype>>& detections, Blob<Dtype>* top) const;
  void WriteFiles(const vector<Detection<Dtype>>& detections, const vector<Blob<Dtype>*>& bottom);

  DetectorOptions options_;
  std::unique_ptr<Detector<Dtype>> detector_;
  std::unique_ptr<DetectionResults> results_;    // null: nothing is written
  std::unique_ptr<DetectionPictures> pictures_;  // null: nothing is drawn
  int num_images_ = 0;
  int num_priors_ = 0;
  BoxArray<Dtype> priors_;
  vector<Dtype> variance_;
};

}  // namespace caffe

#endif  // CAFFE_DETECTION_OUTPUT_LAYER_HPP_
