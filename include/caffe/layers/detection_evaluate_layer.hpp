#ifndef CAFFE_DETECTION_EVALUATE_LAYER_HPP_
#define CAFFE_DETECTION_EVALUATE_LAYER_HPP_

#include <map>
#include <utility>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/data/image_sizes.hpp"
#include "caffe/detection/judge.hpp"
#include "caffe/layer.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/**
 * @brief Which detections of a batch are right (detection/judge.hpp), as rows that
 * an average precision is made of.
 *
 * bottom[0] detections   : 1 × 1 × D × 7 (image, label, score, xmin, ymin, xmax, ymax);
 *           rows of label −1 stand for no detection
 * bottom[1] ground truth : 1 × 1 × G × 8 (image, label, instance, xmin, ymin, xmax, ymax,
 *           difficult); rows of image −1 are padding
 * top[0] : 1 × 1 × (classes + detections) × 5. First (−1, label, objects, −1, −1) for each
 * label but the background; then by image and label, in falling order of scores,
 * (image, label, score, is true positive, is false positive). A detection of an
 * object marked difficult is neither, unless evaluate_difficult_gt.
 *
 * With name_size_file overlaps are those of boxes in pixels of the images, the
 * last pixel included: image i of the first batch is line i of the file, and so
 * on through all batches and round again. A batch counts as many images as the
 * largest one that was seen: Caffe-SSD counts those with detections, so there
 * the sizes of all images after one without detections are another's.
 *
 * There is no gradient. @throws Error for a missing num_classes, an
 * overlap_threshold that is not positive, bottoms of another shape, and, with
 * the row, an image or label that is no integer in its range, the background's
 * label, and scores or boxes that are not finite.
 */
template <typename Dtype>
class DetectionEvaluateLayer : public Layer<Dtype> {
 public:
  explicit DetectionEvaluateLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "DetectionEvaluate"; }
  int ExactNumBottomBlobs() const override { return 2; }
  int ExactNumTopBlobs() const override { return 1; }
  bool AllowForceBackward(const int /*bottom_index*/) const override { return false; }
  /** @brief The line of name_size_file that the next batch begins with. */
  void SaveState(LayerState* state) const override {
    if (first_image_ > 0) state->set_records(first_image_);
  }
  void LoadState(const LayerState& state) override {
    first_image_ = sizes_.empty() ? 0 : state.records() % sizes_.size();
  }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

 private:
  struct Found {
    Dtype score;
    Box<Dtype> box;
  };
  typedef pair<int, int> Key;  // image, label

  void ReadDetections(const Blob<Dtype>& rows);
  void ReadObjects(const Blob<Dtype>& rows);
  void Judge(const Key& key, vector<Found>* found, Dtype** row);
  Box<Dtype> Measured(const Box<Dtype>& box, int image) const;
  int ReadInteger(int bottom, int row, const char* name, Dtype value, int end) const;
  Box<Dtype> ReadBox(int bottom, int row, const Dtype* corners) const;
  void CheckObjectLabel(int bottom, int row, int label) const;

  int num_classes_ = 0;
  int background_label_ = 0;
  JudgeOptions options_ = JudgeOptions();
  vector<NamedSize> sizes_;
  size_t first_image_ = 0;  // of the batch, an index into sizes_
  size_t batch_size_ = 0;   // the largest seen
  size_t num_detections_ = 0;
  std::map<Key, vector<Found>> found_;
  std::map<Key, vector<JudgedObject<Dtype>>> objects_;
  vector<Box<Dtype>> boxes_;
  vector<Verdict> verdicts_;
};

}  // namespace caffe

#endif  // CAFFE_DETECTION_EVALUATE_LAYER_HPP_
