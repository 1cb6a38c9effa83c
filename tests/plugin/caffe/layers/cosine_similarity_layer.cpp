#include "caffe/layers/cosine_similarity_layer.hpp"

#include <vector>

#include "caffe/filler.hpp"
#include "caffe/util/math_functions.hpp"

namespace caffe {

template <typename Dtype>
void CosineSimilarityLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                              const vector<Blob<Dtype>*>& top) {
  if (this->blobs_.size() > 0) {
    LOG(INFO) << "Skipping parameter initialization";
  } else {
    this->blobs_.resize(1);
    this->blobs_[0].reset(new Blob<Dtype>(vector<int>(0)));
    FillerParameter filler_param;
    filler_param.set_value(1);
    shared_ptr<Filler<Dtype>> filler(GetFiller<Dtype>(filler_param));
    filler->Fill(this->blobs_[0].get());
  }
  this->param_propagate_down_.resize(this->blobs_.size(), true);
}

template <typename Dtype>
void CosineSimilarityLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                           const vector<Blob<Dtype>*>& top) {
  CHECK_EQ(bottom[0]->num(), bottom[1]->num());
  CHECK_EQ(bottom[0]->count(), bottom[1]->count()) << "vectors of two lengths";
  vector<int> top_shape(1, bottom[0]->num());
  top[0]->Reshape(top_shape);
  cosine_.Reshape(top_shape);
  top_shape.insert(top_shape.begin(), 2);
  norm_.Reshape(top_shape);
}

template <typename Dtype>
void CosineSimilarityLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                               const vector<Blob<Dtype>*>& top) {
  const int num = bottom[0]->num();
  const int dim = bottom[0]->count(1);
  const Dtype weight = this->blobs_[0]->cpu_data()[0];
  Dtype* norm = norm_.mutable_cpu_data();
  Dtype* cosine = cosine_.mutable_cpu_data();
  for (int n = 0; n < num; ++n) {
    const Dtype* a = bottom[0]->cpu_data() + n * dim;
    const Dtype* b = bottom[1]->cpu_data() + n * dim;
    norm[n] = sqrt(caffe_cpu_dot(dim, a, a));
    norm[num + n] = sqrt(caffe_cpu_dot(dim, b, b));
    CHECK_GT(norm[n] * norm[num + n], 0) << "a vector of zeros has no direction";
    cosine[n] = caffe_cpu_dot(dim, a, b) / (norm[n] * norm[num + n]);
    top[0]->mutable_cpu_data()[n] = weight * cosine[n];
  }
}

template <typename Dtype>
void CosineSimilarityLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                                const vector<bool>& propagate_down,
                                                const vector<Blob<Dtype>*>& bottom) {
  const int num = bottom[0]->num();
  const int dim = bottom[0]->count(1);
  const Dtype weight = this->blobs_[0]->cpu_data()[0];
  const Dtype* top_diff = top[0]->cpu_diff();
  const Dtype* norm = norm_.cpu_data();
  const Dtype* cosine = cosine_.cpu_data();
  if (this->param_propagate_down_[0]) {
    this->blobs_[0]->mutable_cpu_diff()[0] += caffe_cpu_dot(num, top_diff, cosine);
  }
  for (int i = 0; i < 2; ++i) {
    if (!propagate_down[i]) {
      continue;
    }
    for (int n = 0; n < num; ++n) {
      // d cos / da = b / (|a| |b|) - cos a / |a|^2, and the same with a and b swapped
      const Dtype own = norm[i * num + n];
      const Dtype other = norm[(1 - i) * num + n];
      const Dtype scale = weight * top_diff[n];
      Dtype* diff = bottom[i]->mutable_cpu_diff() + n * dim;
      caffe_copy(dim, bottom[1 - i]->cpu_data() + n * dim, diff);
      caffe_cpu_axpby(dim, -scale * cosine[n] / (own * own), bottom[i]->cpu_data() + n * dim,
                      scale / (own * other), diff);
    }
  }
}

#ifdef CPU_ONLY
STUB_GPU(CosineSimilarityLayer);
#endif

INSTANTIATE_CLASS(CosineSimilarityLayer);
REGISTER_LAYER_CLASS(CosineSimilarity);

}  // namespace caffe
