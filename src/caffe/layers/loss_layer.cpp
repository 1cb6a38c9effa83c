#include "caffe/layers/loss_layer.hpp"

#include <algorithm>
#include <vector>

namespace caffe {

LossParameter_NormalizationMode LossNormalization(const LossParameter& param,
                                                  LossParameter_NormalizationMode layer_default) {
  if (param.has_normalization()) return param.normalization();
  if (!param.has_normalize()) return layer_default;
  return param.normalize() ? LossParameter_NormalizationMode_VALID
                           : LossParameter_NormalizationMode_BATCH_SIZE;
}

namespace {

/** In floating point: the product of two axes may exceed an int. */
double Divisor(LossParameter_NormalizationMode mode, int outer_num, int inner_num,
               int valid_count) {
  switch (mode) {
    case LossParameter_NormalizationMode_FULL:
      return static_cast<double>(outer_num) * inner_num;
    case LossParameter_NormalizationMode_VALID:
      return valid_count == -1 ? static_cast<double>(outer_num) * inner_num : valid_count;
    case LossParameter_NormalizationMode_BATCH_SIZE:
      return outer_num;
    case LossParameter_NormalizationMode_NONE:
      return 1;
  }
  LOG(FATAL) << "unknown normalization mode " << mode;
}

}  // namespace

template <typename Dtype>
Dtype GetNormalizer(LossParameter_NormalizationMode mode, int outer_num, int inner_num,
                    int valid_count) {
  CHECK(outer_num >= 0 && inner_num >= 0 && valid_count >= -1)
      << "a loss over " << outer_num << " x " << inner_num << " elements, " << valid_count
      << " of them valid";
  return static_cast<Dtype>(std::max(1.0, Divisor(mode, outer_num, inner_num, valid_count)));
}

template float GetNormalizer<float>(LossParameter_NormalizationMode, int, int, int);
template double GetNormalizer<double>(LossParameter_NormalizationMode, int, int, int);

template <typename Dtype>
void LossLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                                  const vector<Blob<Dtype>*>& top) {
  LayerParameter& param = this->layer_param_;
  if (param.loss_weight_size() > 0) return;
  for (size_t i = 0; i < top.size(); ++i) param.add_loss_weight(i == 0 ? 1.0f : 0.0f);
}

template <typename Dtype>
void LossLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                               const vector<Blob<Dtype>*>& top) {
  CHECK(bottom[0]->num_axes() > 0 && bottom[1]->num_axes() > 0 &&
        bottom[0]->shape(0) == bottom[1]->shape(0))
      << "the first axes of predictions and labels must be equal, got the shapes "
      << bottom[0]->shape_string() << " and " << bottom[1]->shape_string();
  top[0]->Reshape(vector<int>());
}

INSTANTIATE_CLASS(LossLayer);

}  // namespace caffe
