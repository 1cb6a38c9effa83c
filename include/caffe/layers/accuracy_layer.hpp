#ifndef CAFFE_ACCURACY_LAYER_HPP_
#define CAFFE_ACCURACY_LAYER_HPP_

#include <vector>

#include "caffe/layer.hpp"
#include "caffe/util/labels.hpp"

namespace caffe {

/**
 * @brief The fraction of labels that are among the top_k highest scores.
 *
 * bottom[0]: scores, seen as outer × classes × inner around
 * accuracy_param.axis; bottom[1]: outer · inner integral labels. top[0]: a
 * scalar; optional top[1]: one value a class, the fraction among the labels of
 * that class. Labels equal to ignore_label do not count; a fraction of none is 0.
 * Of equal scores the higher class ranks first, as in the SSD branch; a NaN
 * ranks before everything but is never right by itself.
 * No gradient. @throws Error for another number of labels, a label that is no
 * integer or no class, top_k above the number of classes or zero, or a request for a gradient.
 */
template <typename Dtype>
class AccuracyLayer : public Layer<Dtype> {
 public:
  explicit AccuracyLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Accuracy"; }
  int ExactNumBottomBlobs() const override { return 2; }
  int MinTopBlobs() const override { return 1; }
  int MaxTopBlobs() const override { return 2; }
  bool AllowForceBackward(const int /*bottom_index*/) const override { return false; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

 private:
  /** Whether class y is among the top_k of the scores x[0], x[inner], x[2·inner] … */
  bool IsAmongBest(const Dtype* x, int y) const;

  int top_k_ = 1;
  int outer_num_ = 0;
  int classes_ = 0;
  int inner_num_ = 0;
  vector<int> right_;  ///< for each class, labels of it that were among the best
  vector<int> seen_;   ///< for each class, labels of it
};

}  // namespace caffe

#endif  // CAFFE_ACCURACY_LAYER_HPP_
