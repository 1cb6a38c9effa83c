#ifndef CAFFE_COSINE_SIMILARITY_LAYER_HPP_
#define CAFFE_COSINE_SIMILARITY_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/**
 * @brief y_n = w a_n · b_n / (|a_n| |b_n|): the cosine of the angle between the
 * n-th vectors of two bottoms, times a learned weight w.
 *
 * A sample of a layer written for Caffe 1.0: nothing here is of this runtime.
 * The bottoms are N × … with the same count; the top has the shape {N}, the
 * weight no axes, and 1 as its first value.
 */
template <typename Dtype>
class CosineSimilarityLayer : public Layer<Dtype> {
 public:
  explicit CosineSimilarityLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  virtual void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top);
  virtual void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top);

  virtual inline const char* type() const { return "CosineSimilarity"; }
  virtual inline int ExactNumBottomBlobs() const { return 2; }
  virtual inline int ExactNumTopBlobs() const { return 1; }

 protected:
  virtual void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top);
  virtual void Forward_gpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top);
  virtual void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                            const vector<Blob<Dtype>*>& bottom);
  virtual void Backward_gpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                            const vector<Blob<Dtype>*>& bottom);

  Blob<Dtype> norm_;    // 2 × N: |a_n|, then |b_n|
  Blob<Dtype> cosine_;  // N
};

}  // namespace caffe

#endif  // CAFFE_COSINE_SIMILARITY_LAYER_HPP_
