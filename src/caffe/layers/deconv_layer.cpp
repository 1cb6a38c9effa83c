#include "caffe/layers/deconv_layer.hpp"

namespace caffe {

template <typename Dtype>
void DeconvolutionLayer<Dtype>::compute_output_shape() {
  this->output_shape_.clear();
  for (int i = 0; i < this->num_spatial_axes_; ++i) {
    this->output_shape_.push_back(DeconvOutputSize(this->input_shape(i + 1), this->window(i), i));
  }
}

template <typename Dtype>
void DeconvolutionLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                            const vector<Blob<Dtype>*>& top) {
  const Dtype* weights = this->blobs_[0]->cpu_data();
  for (size_t i = 0; i < bottom.size(); ++i) {
    const Dtype* input = bottom[i]->cpu_data();
    Dtype* output = top[i]->mutable_cpu_data();
    for (int n = 0; n < this->num_; ++n) {
      Dtype* image = output + n * this->top_dim_;
      this->backward_cpu_gemm(input + n * this->bottom_dim_, weights, image);
      if (this->bias_term_) this->forward_cpu_bias(image, this->blobs_[1]->cpu_data());
    }
  }
}

template <typename Dtype>
void DeconvolutionLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                             const vector<bool>& propagate_down,
                                             const vector<Blob<Dtype>*>& bottom) {
  const bool needs_weights = this->param_propagate_down_[0];
  const bool needs_bias = this->bias_term_ && this->param_propagate_down_[1];
  for (size_t i = 0; i < top.size(); ++i) {
    const Dtype* top_diff = top[i]->cpu_diff();
    for (int n = 0; n < this->num_; ++n) {
      const Dtype* image_diff = top_diff + n * this->top_dim_;
      if (needs_bias) this->backward_cpu_bias(this->blobs_[1]->mutable_cpu_diff(), image_diff);
      if (needs_weights) {
        this->weight_cpu_gemm(image_diff, bottom[i]->cpu_data() + n * this->bottom_dim_,
                              this->blobs_[0]->mutable_cpu_diff());
      }
      if (propagate_down[i]) {
        // The gradient of the weights has just unfolded the same image.
        this->forward_cpu_gemm(image_diff, this->blobs_[0]->cpu_data(),
                               bottom[i]->mutable_cpu_diff() + n * this->bottom_dim_,
                               needs_weights);
      }
    }
  }
}

INSTANTIATE_CLASS(DeconvolutionLayer);
REGISTER_LAYER_CLASS(Deconvolution);

}  // namespace caffe
