#include "caffe/backend/onednn_fold.hpp"

#include <algorithm>
#include <cmath>

namespace caffe {
namespace onednn {

namespace {

/** Whether a layer's parameters have one number for each channel, axis 1 of four. */
bool IsPerChannel(Layer<float>* layer, int axis, int channels) {
  return (axis == 1 || axis == -3) && layer->blobs()[0]->shape() == vector<int>{channels};
}

/** a and s of each channel: y = a · x + s. */
struct Affine {
  vector<double> factors, shifts;
};

void AfterBatchNorm(Layer<float>* layer, Affine* affine) {
  const vector<shared_ptr<Blob<float>>>& blobs = layer->blobs();
  const double terms = blobs[2]->cpu_data()[0];
  const double scale = terms == 0 ? 0 : 1 / terms;
  const float* mean = blobs[0]->cpu_data();
  const float* variance = blobs[1]->cpu_data();
  const double eps = layer->layer_param().batch_norm_param().eps();
  for (size_t c = 0; c < affine->factors.size(); ++c) {
    const double factor = 1 / std::sqrt(variance[c] * scale + eps);
    affine->factors[c] *= factor;
    affine->shifts[c] = (affine->shifts[c] - mean[c] * scale) * factor;
  }
}

void AfterScale(const float* factors, Affine* affine) {
  for (size_t c = 0; c < affine->factors.size(); ++c) {
    affine->factors[c] *= factors[c];
    affine->shifts[c] *= factors[c];
  }
}

void AfterBias(const float* shifts, Affine* affine) {
  for (size_t c = 0; c < affine->shifts.size(); ++c) affine->shifts[c] += shifts[c];
}

void After(Layer<float>* layer, Affine* affine) {
  const string type = layer->type();
  const vector<shared_ptr<Blob<float>>>& blobs = layer->blobs();
  if (type == "BatchNorm") {
    AfterBatchNorm(layer, affine);
  } else if (type == "Bias") {
    AfterBias(blobs[0]->cpu_data(), affine);
  } else {
    AfterScale(blobs[0]->cpu_data(), affine);
    if (blobs.size() > 1) AfterBias(blobs[1]->cpu_data(), affine);
  }
}

}  // namespace

bool FoldedParameters::Add(Layer<float>* next, int channels) {
  const string type = next->type();
  const LayerParameter& param = next->layer_param();
  bool fits = false;
  if (type == "BatchNorm") {
    const BatchNormParameter& norm = param.batch_norm_param();
    fits = norm.has_use_global_stats() ? norm.use_global_stats() : param.phase() == TEST;
  } else if (type == "Scale") {
    fits = IsPerChannel(next, param.scale_param().axis(), channels);
  } else if (type == "Bias") {
    fits = IsPerChannel(next, param.bias_param().axis(), channels);
  }
  if (fits) layers_.push_back(next);
  return fits;
}

bool FoldedParameters::Changed(const vector<shared_ptr<Blob<float>>>& own) {
  size_t i = 0;
  bool changed = false;
  const auto look = [&](const vector<shared_ptr<Blob<float>>>& blobs) {
    for (const shared_ptr<Blob<float>>& blob : blobs) {
      if (i == watches_.size()) watches_.emplace_back();
      // Each of them: what is not looked at would be changed next time.
      changed = watches_[i++].Changed(blob->data()) || changed;
    }
  };
  look(own);
  for (Layer<float>* layer : layers_) look(layer->blobs());
  return changed;
}

bool FoldedParameters::Compute(const vector<shared_ptr<Blob<float>>>& own) {
  const int channels = own[0]->shape(0);
  Affine affine = {vector<double>(channels, 1), vector<double>(channels, 0)};
  if (own.size() > 1) AfterBias(own[1]->cpu_data(), &affine);
  for (Layer<float>* layer : layers_) After(layer, &affine);
  factors_ = affine.factors;
  bias_.assign(affine.shifts.begin(), affine.shifts.end());
  const auto is_finite = [](double factor) { return std::isfinite(factor); };
  return std::all_of(factors_.begin(), factors_.end(), is_finite) &&
         AllFinite(channels, bias_.data()) && AllFinite(own[0]->count(), own[0]->cpu_data());
}

bool FoldedParameters::Update(const vector<shared_ptr<Blob<float>>>& own) {
  if (Changed(own)) {
    finite_ = Compute(own);
    ++version_;
  }
  return finite_;
}

dnnl::memory FoldedParameters::Weights(const Blob<float>& own, const ConvPrimitive& pass) {
  auto copy = std::find_if(copies_.begin(), copies_.end(), [&](const Copy& candidate) {
    return candidate.memory->layout() == pass.weights && candidate.tiles == pass.tile_weights;
  });
  if (copy == copies_.end()) {
    copies_.push_back({pass.tile_weights, std::make_unique<OnednnMemory>(pass.weights), 0});
    copy = copies_.end() - 1;
  }
  if (copy->version == version_) return copy->memory->memory();
  const int size = own.count(1);
  vector<float> folded(own.cpu_data(), own.cpu_data() + own.count());
  for (int i = 0; i < own.count(); ++i) {
    folded[i] = static_cast<float>(folded[i] * factors_[i / size]);
  }
  if (copy->tiles) {
    copy->tiles->Pack(folded.data(), copy->memory->memory());
  } else {
    copy->memory->FromHost(folded.data());
  }
  copy->version = version_;
  return copy->memory->memory();
}

}  // namespace onednn
}  // namespace caffe
