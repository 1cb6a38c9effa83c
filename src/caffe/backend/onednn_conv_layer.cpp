#include "caffe/backend/onednn_conv_layer.hpp"

#include <omp.h>

#include <algorithm>
#include <utility>

#include "caffe/backend/onednn_relu_layer.hpp"

namespace caffe {
namespace onednn {

dnnl::memory PackedWeights::Get(Phase phase, const shared_ptr<SyncedMemory>& weights,
                                const Layout& plain, const ConvPrimitive& pass) {
  const auto* host = static_cast<const float*>(weights->cpu_data());
  if (pass.weights == plain) return PlainMemory(DimsOf(plain), host);
  auto copy = std::find_if(copies_.begin(), copies_.end(), [&](const Copy& candidate) {
    return candidate.layout == pass.weights && candidate.tiles == pass.tile_weights;
  });
  if (copy == copies_.end()) {
    copies_.push_back({pass.weights, pass.tile_weights, nullptr, {}, Reorder()});
    copy = copies_.end() - 1;
  }
  const auto pack = [&](const dnnl::memory& to) {
    if (copy->tiles) {
      copy->tiles->Pack(host, to);
    } else {
      copy->reorder.Run(PlainMemory(DimsOf(plain), host), to);
    }
  };
  if (phase == TRAIN) {
    const dnnl::memory scratch = Scratch(kWeights, pass.weights);
    pack(scratch);
    return scratch;
  }
  if (!copy->memory) copy->memory = std::make_unique<OnednnMemory>(pass.weights);
  if (copy->source.Changed(weights)) pack(copy->memory->memory());
  return copy->memory->memory();
}

ConvShape OnednnConvolutionLayer::ShapeOf(const Blob<float>& bottom) const {
  ConvShape shape = {};
  shape.num = num_;
  shape.channels = channels_;
  shape.height = bottom.shape(2);
  shape.width = bottom.shape(3);
  shape.num_output = num_output_;
  shape.out_height = output_shape_[0];
  shape.out_width = output_shape_[1];
  shape.group = group_;
  shape.rows = window(0);
  shape.columns = window(1);
  shape.bias = bias_term_ || !folded_.empty();
  shape.training = phase_ == TRAIN;
  shape.threads = omp_get_max_threads();
  shape.type = ActivationType(layer_param_.precision());
  return shape;
}

void OnednnConvolutionLayer::Reshape(const vector<Blob<float>*>& bottom,
                                     const vector<Blob<float>*>& top) {
  ConvolutionLayer<float>::Reshape(bottom, top);
  plan_ = nullptr;
  if (num_spatial_axes_ != 2 || channel_axis_ != 1 || bottom[0]->count() == 0) return;
  plan_ = &plans_.For(ShapeOf(*bottom[0]));
}

bool OnednnConvolutionLayer::Absorb(Layer<float>* next) {
  if (relu_ != nullptr) return false;
  if (!IsFusableReLU(*next)) return phase_ == TEST && folded_.Add(next, num_output_);
  relu_ = next;
  slope_ = next->layer_param().relu_param().negative_slope();
  return true;
}

void OnednnConvolutionLayer::Convolve(const ConvPrimitive& pass, Arguments arguments,
                                      Blob<float>* bottom, Blob<float>* top) {
  arguments[DNNL_ARG_SRC] = bottom_.Read(bottom->data().get(), pass.bottom);
  bottom_read_ = bottom->data();
  bottom_version_ = bottom->data()->version();
  Output output(top->data().get(), pass.top, pass.kept, kTop);
  arguments[DNNL_ARG_DST] = output.memory();
  pass.run(std::move(arguments));
  output.Commit();
}

void OnednnConvolutionLayer::Forward_cpu(const vector<Blob<float>*>& bottom,
                                         const vector<Blob<float>*>& top) {
  if (plan_ == nullptr) {
    ConvolutionLayer<float>::Forward_cpu(bottom, top);
    return;
  }
  const ConvPrimitive& pass = plan_->forward();
  Arguments arguments;
  arguments[DNNL_ARG_WEIGHTS] =
      packed_.Get(phase_, blobs_[0]->data(), plan_->plain_weights(), pass);
  if (bias_term_) {
    arguments[DNNL_ARG_BIAS] = PlainMemory({num_output_}, blobs_[1]->cpu_data());
  } else if (plan_->key().bias) {
    no_bias_.resize(num_output_);
    arguments[DNNL_ARG_BIAS] = PlainMemory({num_output_}, no_bias_.data());
  }
  for (size_t i = 0; i < bottom.size(); ++i) Convolve(pass, arguments, bottom[i], top[i]);
}

bool OnednnConvolutionLayer::IsFinite(const Blob<float>& bottom) {
  if (folded_.empty()) {
    if (!finite_weights_.IsFinite(blobs_[0]->data(), blobs_[0]->count())) return false;
    if (bias_term_ && !finite_bias_.IsFinite(blobs_[1]->data(), num_output_)) return false;
  }
  return !bottom.data()->on_host() || finite_bottom_.IsFinite(bottom.data(), bottom.count());
}

bool OnednnConvolutionLayer::Forward_fused(const vector<Blob<float>*>& bottom,
                                           const vector<Blob<float>*>& top) {
  const bool folds = !folded_.empty();
  if (plan_ == nullptr || (folds && !folded_.Update(blobs_))) return false;
  const ConvPrimitive* with_relu = relu_ != nullptr ? plan_->forward_relu(slope_) : nullptr;
  if (with_relu != nullptr && !with_relu->keeps_nan && !IsFinite(*bottom[0])) with_relu = nullptr;
  if (!folds && with_relu == nullptr) return false;
  const ConvPrimitive& pass = with_relu != nullptr ? *with_relu : plan_->forward();
  Arguments arguments;
  if (folds) {
    arguments[DNNL_ARG_WEIGHTS] = folded_.Weights(*blobs_[0], pass);
    arguments[DNNL_ARG_BIAS] = folded_.Bias();
  } else {
    arguments[DNNL_ARG_WEIGHTS] =
        packed_.Get(phase_, blobs_[0]->data(), plan_->plain_weights(), pass);
    if (bias_term_) arguments[DNNL_ARG_BIAS] = PlainMemory({num_output_}, blobs_[1]->cpu_data());
  }
  Convolve(pass, std::move(arguments), bottom[0], top[0]);
  if (relu_ != nullptr && with_relu == nullptr) relu_->Forward(top, top);
  return true;
}

void OnednnConvolutionLayer::BackwardWeights(Blob<float>* bottom, Blob<float>* top) {
  const ConvPrimitive& pass = plan_->backward_weights();
  const dnnl::memory weight_diff = Scratch(kGradient, pass.weights);
  Arguments arguments = {{DNNL_ARG_SRC, bottom_.Read(bottom->data().get(), pass.bottom)},
                         {DNNL_ARG_DIFF_DST, top_diff_.Read(top->diff().get(), pass.top)},
                         {DNNL_ARG_DIFF_WEIGHTS, weight_diff}};
  if (plan_->key().bias) {
    bias_diff_.resize(num_output_);
    arguments.emplace(DNNL_ARG_DIFF_BIAS, PlainMemory({num_output_}, bias_diff_.data()));
  }
  pass.run(arguments);
  weights_sum_.Add(weight_diff, blobs_[0]->diff().get());
  if (bias_term_ && param_propagate_down_[1]) {
    caffe_axpy(num_output_, 1.0F, bias_diff_.data(), blobs_[1]->mutable_cpu_diff());
  }
}

void OnednnConvolutionLayer::BackwardBias(Blob<float>* top) {
  const float* top_diff = top->cpu_diff();
  for (int n = 0; n < num_; ++n) {
    backward_cpu_bias(blobs_[1]->mutable_cpu_diff(), top_diff + n * top_dim_);
  }
}

void OnednnConvolutionLayer::BackwardData(Blob<float>* top, Blob<float>* bottom,
                                          bool through_relu) {
  const ConvPrimitive& pass = plan_->backward_data();
  Output output(bottom->diff().get(), pass.bottom, pass.kept, kBottom);
  Arguments arguments = {
      {DNNL_ARG_DIFF_DST, top_diff_.Read(top->diff().get(), pass.top)},
      {DNNL_ARG_WEIGHTS, packed_.Get(phase_, blobs_[0]->data(), plan_->plain_weights(), pass)},
      {DNNL_ARG_DIFF_SRC, output.memory()}};
  if (through_relu) {
    arguments[DNNL_ARG_SRC] = bottom_.Read(bottom->data().get(), pass.bottom);
  }
  pass.run(std::move(arguments));
  output.Commit();
}

void OnednnConvolutionLayer::BackwardParameters(Blob<float>* bottom, Blob<float>* top) {
  if (param_propagate_down_[0]) {
    BackwardWeights(bottom, top);
  } else if (bias_term_ && param_propagate_down_[1]) {
    BackwardBias(top);
  }
}

void OnednnConvolutionLayer::Backward_cpu(const vector<Blob<float>*>& top,
                                          const vector<bool>& propagate_down,
                                          const vector<Blob<float>*>& bottom) {
  if (plan_ == nullptr) {
    ConvolutionLayer<float>::Backward_cpu(top, propagate_down, bottom);
    return;
  }
  for (size_t i = 0; i < top.size(); ++i) {
    BackwardParameters(bottom[i], top[i]);
    if (propagate_down[i]) BackwardData(top[i], bottom[i], false);
  }
}

bool OnednnConvolutionLayer::AbsorbBackward(Layer<float>* before) {
  return IsFusableReLU(*before) && before->layer_param().relu_param().negative_slope() == 0;
}

bool OnednnConvolutionLayer::CanBackwardFused(const vector<Blob<float>*>& bottom) const {
  const shared_ptr<SyncedMemory>& values = bottom[0]->data();
  const bool unchanged = bottom_read_.lock() == values && !values->given_back() &&
                         !values->pinned() && values->version() == bottom_version_;
  return plan_ != nullptr && unchanged && plan_->backward_data().masks;
}

void OnednnConvolutionLayer::Backward_fused(const vector<Blob<float>*>& top,
                                            const vector<Blob<float>*>& bottom) {
  BackwardParameters(bottom[0], top[0]);
  BackwardData(top[0], bottom[0], true);
}

namespace {

const OverrideRegisterer g_convolution("Convolution", [](const LayerParameter& param) {
  return shared_ptr<Layer<float>>(new OnednnConvolutionLayer(param));
});

}  // namespace

}  // namespace onednn
}  // namespace caffe
