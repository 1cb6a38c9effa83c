#ifndef CAFFE_INFOGAIN_LOSS_LAYER_HPP_
#define CAFFE_INFOGAIN_LOSS_LAYER_HPP_

#include <vector>

#include "caffe/layers/loss_layer.hpp"
#include "caffe/util/labels.hpp"

namespace caffe {

/**
 * @brief SoftmaxWithLoss where a matrix says what each confusion costs.
 *
 * bottom[0]: scores x, seen as outer × classes × inner around
 * infogain_loss_param.axis; bottom[1]: outer · inner integral labels y; H, the
 * classes × classes matrix, is bottom[2] or the BlobProto in the file `source`.
 * top[0] = −1/Z Σ_i Σ_k H[y_i, k] log max(p_ik, kLOG_THRESHOLD), p = softmax(x)
 * along the axis. Labels equal to loss_param.ignore_label are left out; Z is
 * GetNormalizer's, VALID by default. Optional top[1]: p; it passes no gradient.
 * Gradient: (p_ik Σ_l H[y_i, l] − H[y_i, k]) / Z, 0 where ignored; none for labels and H.
 *
 * This is Caffe 1.0's layer. The older one of the SSD branch took
 * probabilities; scores that look like probabilities get a warning.
 * @throws Error for another number of labels, a label that is no integer or no
 * class, H missing or of another size, or a request for a gradient of labels or H.
 */
template <typename Dtype>
class InfogainLossLayer : public LossLayer<Dtype> {
 public:
  explicit InfogainLossLayer(const LayerParameter& param) : LossLayer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "InfogainLoss"; }
  int ExactNumBottomBlobs() const override { return -1; }
  int MinBottomBlobs() const override { return 2; }
  int MaxBottomBlobs() const override { return 3; }
  int ExactNumTopBlobs() const override { return -1; }
  int MinTopBlobs() const override { return 1; }
  int MaxTopBlobs() const override { return 2; }
  bool AllowForceBackward(const int bottom_index) const override { return bottom_index == 0; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  Blob<Dtype> prob_;
  Blob<Dtype> infogain_;  ///< H of the file

 private:
  LabelRule Rule() const { return LabelRule(classes_, this->layer_param_.loss_param()); }
  const Dtype* Infogain(const vector<Blob<Dtype>*>& bottom) const {
    return bottom.size() > 2 ? bottom[2]->cpu_data() : infogain_.cpu_data();
  }
  /** The first element of column i of an outer × classes × inner array. */
  int64_t ColumnOffset(int i) const {
    return static_cast<int64_t>(i / inner_num_) * classes_ * inner_num_ + i % inner_num_;
  }
  void WarnOfProbabilities(const Dtype* score);

  LossParameter_NormalizationMode normalization_ = LossParameter_NormalizationMode_VALID;
  int outer_num_ = 0;
  int classes_ = 0;
  int inner_num_ = 0;
  Dtype normalizer_ = 1;  ///< of the last Forward
  bool is_first_ = true;
};

}  // namespace caffe

#endif  // CAFFE_INFOGAIN_LOSS_LAYER_HPP_
