#include <omp.h>

#include "caffe/backend/onednn_channels.hpp"
#include "caffe/backend/onednn_conv_layer.hpp"
#include "caffe/layers/deconv_layer.hpp"

namespace caffe {
namespace onednn {

namespace {

/**
 * Deconvolution by the passes of the convolution that it turns around, from its top to its bottom:
 * Forward is the gradient of that one's input, and its own gradient is that one's Forward.
 * Elsewhere than in two spatial axes, and for an empty batch, the plain implementation works.
 */
class OnednnDeconvolutionLayer : public DeconvolutionLayer<float> {
 public:
  explicit OnednnDeconvolutionLayer(const LayerParameter& param)
      : DeconvolutionLayer<float>(param) {}

  void Reshape(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override {
    DeconvolutionLayer<float>::Reshape(bottom, top);
    plan_ = nullptr;
    if (num_spatial_axes_ != 2 || channel_axis_ != 1 || bottom[0]->count() == 0) return;
    plan_ = &plans_.For(ShapeOf(*bottom[0]));
  }

 protected:
  void Forward_cpu(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override {
    if (plan_ == nullptr) {
      DeconvolutionLayer<float>::Forward_cpu(bottom, top);
      return;
    }
    const ConvPrimitive& pass = plan_->backward_data();
    const dnnl::memory weights = Weights(pass);
    for (size_t i = 0; i < bottom.size(); ++i) {
      Output output(top[i]->data().get(), pass.bottom, pass.kept, kTop);
      pass.run({{DNNL_ARG_DIFF_DST, bottom_.Read(bottom[i]->data().get(), pass.top)},
                {DNNL_ARG_WEIGHTS, weights},
                {DNNL_ARG_DIFF_SRC, output.memory()}});
      const bool adds = bias_term_ && BlocksOf(pass.bottom).block > 0;
      if (adds) AddBias(pass.bottom, output.memory());
      output.Commit();
      if (!bias_term_ || adds) continue;
      float* values = top[i]->mutable_cpu_data();
      for (int n = 0; n < num_; ++n) {
        forward_cpu_bias(values + n * top_dim_, blobs_[1]->cpu_data());
      }
    }
  }

  void Backward_cpu(const vector<Blob<float>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<float>*>& bottom) override {
    if (plan_ == nullptr) {
      DeconvolutionLayer<float>::Backward_cpu(top, propagate_down, bottom);
      return;
    }
    for (size_t i = 0; i < top.size(); ++i) {
      if (bias_term_ && param_propagate_down_[1]) BackwardBias(*top[i]);
      if (param_propagate_down_[0]) BackwardWeights(top[i], bottom[i]);
      if (propagate_down[i]) BackwardData(top[i], bottom[i]);
    }
  }

 private:
  ConvShape ShapeOf(const Blob<float>& bottom) const {
    ConvShape shape = {};
    shape.num = num_;
    shape.channels = num_output_;
    shape.height = output_shape_[0];
    shape.width = output_shape_[1];
    shape.num_output = channels_;
    shape.out_height = bottom.shape(2);
    shape.out_width = bottom.shape(3);
    shape.group = group_;
    shape.rows = window(0);
    shape.columns = window(1);
    shape.bias = false;
    shape.training = phase_ == TRAIN;
    shape.threads = omp_get_max_threads();
    shape.type = ActivationType(layer_param_.precision());
    return shape;
  }

  dnnl::memory Weights(const ConvPrimitive& pass) {
    return packed_.Get(phase_, blobs_[0]->data(), plan_->plain_weights(), pass);
  }

  void AddBias(const Layout& layout, const dnnl::memory& values) {
    ones_.resize(num_output_, 1.0F);
    MapChannels(layout, {ones_.data(), nullptr, blobs_[1]->cpu_data()}, values, values);
  }

  void BackwardBias(const Blob<float>& top) {
    float* bias_diff = blobs_[1]->mutable_cpu_diff();
    const OnednnMemory* dy = BackendCopy(*top.diff(), DimsOf(top.shape()));
    if (dy == nullptr || BlocksOf(dy->layout()).block == 0) {
      const float* top_diff = top.cpu_diff();
      for (int n = 0; n < num_; ++n) backward_cpu_bias(bias_diff, top_diff + n * top_dim_);
      return;
    }
    SumChannels(dy->layout(), dy->memory(), nullptr, nullptr, &sums_);
    for (int c = 0; c < num_output_; ++c) bias_diff[c] += static_cast<float>(sums_.first[c]);
  }

  void BackwardWeights(Blob<float>* top, Blob<float>* bottom) {
    const ConvPrimitive& pass = plan_->backward_weights();
    const dnnl::memory weight_diff = Scratch(kGradient, pass.weights);
    pass.run({{DNNL_ARG_SRC, top_diff_.Read(top->diff().get(), pass.bottom)},
              {DNNL_ARG_DIFF_DST, bottom_.Read(bottom->data().get(), pass.top)},
              {DNNL_ARG_DIFF_WEIGHTS, weight_diff}});
    weights_sum_.Add(weight_diff, blobs_[0]->diff().get());
  }

  void BackwardData(Blob<float>* top, Blob<float>* bottom) {
    const ConvPrimitive& pass = plan_->forward();
    Output output(bottom->diff().get(), pass.top, pass.kept, kBottom);
    pass.run({{DNNL_ARG_SRC, top_diff_.Read(top->diff().get(), pass.bottom)},
              {DNNL_ARG_WEIGHTS, Weights(pass)},
              {DNNL_ARG_DST, output.memory()}});
    output.Commit();
  }

  ConvPlan* plan_ = nullptr;
  Plans<ConvPlan> plans_;
  PackedWeights packed_;
  Input bottom_{kBottom}, top_diff_{kTop};
  GradientSum weights_sum_;
  vector<float> ones_;
  ChannelSums sums_;
};

const OverrideRegisterer g_deconvolution("Deconvolution", [](const LayerParameter& param) {
  return shared_ptr<Layer<float>>(new OnednnDeconvolutionLayer(param));
});

}  // namespace

}  // namespace onednn
}  // namespace caffe
