#ifndef CAFFE_VIEW_LAYER_HPP_
#define CAFFE_VIEW_LAYER_HPP_

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief The base of layers that only give their bottom another shape.
 *
 * The top shares the bottom's data, and its diff unless the top has a loss
 * weight: then its diff holds that weight, and Backward copies.
 * @throws Error if the top is the bottom itself, or the counts differ.
 */
template <typename Dtype>
class ViewLayer : public Layer<Dtype> {
 public:
  explicit ViewLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override {
    CHECK(top[0] != bottom[0]) << "cannot work in place, but the top is the bottom";
    top[0]->Reshape(TopShape(*bottom[0]));
    CHECK(top[0]->count() == bottom[0]->count())
        << "cannot give a blob of shape " << bottom[0]->shape_string() << " the shape "
        << top[0]->shape_string();
    top[0]->ShareData(*bottom[0]);
    if (!HasLossWeight()) top[0]->ShareDiff(*bottom[0]);
  }

  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }
  bool BackwardReadsBottoms() const override { return false; }
  bool BackwardReadsTops() const override { return false; }

 protected:
  virtual vector<int> TopShape(const Blob<Dtype>& bottom) const = 0;

  void Forward_cpu(const vector<Blob<Dtype>*>& /*bottom*/,
                   const vector<Blob<Dtype>*>& /*top*/) override {}
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override {
    if (!propagate_down[0] || !HasLossWeight()) return;
    caffe_copy(top[0]->count(), top[0]->cpu_diff(), bottom[0]->mutable_cpu_diff());
  }

 private:
  bool HasLossWeight() const {
    const LayerParameter& param = this->layer_param_;
    return param.loss_weight_size() > 0 && param.loss_weight(0) != 0;
  }
};

}  // namespace caffe

#endif  // CAFFE_VIEW_LAYER_HPP_
