#include "caffe/layer.hpp"

namespace caffe {

template <typename Dtype>
Layer<Dtype>::Layer(const LayerParameter& param) : layer_param_(param), phase_(param.phase()) {
  for (const BlobProto& proto : param.blobs()) {
    blobs_.push_back(std::make_shared<Blob<Dtype>>());
    blobs_.back()->FromProto(proto);
  }
}

template <typename Dtype>
string Layer<Dtype>::Who() const {
  return layer_param_.name() + " (" + type() + ")";
}

template <typename Dtype>
void Layer<Dtype>::SetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  try {
    CheckBlobCounts(bottom, top);
    LayerSetUp(bottom, top);
    Reshape(bottom, top);
    SetLossWeights(top);
  } catch (const Error& error) {
    throw error.By(Who());
  }
}

namespace {

template <typename Dtype>
Dtype WeightedLoss(const Blob<Dtype>& top) {
  // SetLossWeights filled the diff with the weight of every element.
  return caffe_cpu_dot(top.count(), top.cpu_data(), top.cpu_diff());
}

}  // namespace

template <typename Dtype>
Dtype Layer<Dtype>::Forward(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  try {
    Reshape(bottom, top);
    if (Caffe::mode() == Caffe::CPU) {
      Forward_cpu(bottom, top);
    } else {
      Forward_gpu(bottom, top);
    }
    Dtype loss = 0;
    for (size_t i = 0; i < top.size(); ++i) {
      if (this->loss(static_cast<int>(i)) != Dtype(0)) loss += WeightedLoss(*top[i]);
    }
    return loss;
  } catch (const Error& error) {
    throw error.By(Who());
  }
}

template <typename Dtype>
bool Layer<Dtype>::ForwardFused(const vector<Blob<Dtype>*>& bottom,
                                const vector<Blob<Dtype>*>& top) {
  if (Caffe::mode() != Caffe::CPU) return false;
  try {
    Reshape(bottom, top);
    return Forward_fused(bottom, top);
  } catch (const Error& error) {
    throw error.By(Who());
  }
}

template <typename Dtype>
void Layer<Dtype>::BackwardFused(const vector<Blob<Dtype>*>& top,
                                 const vector<Blob<Dtype>*>& bottom) {
  try {
    Backward_fused(top, bottom);
  } catch (const Error& error) {
    throw error.By(Who());
  }
}

template <typename Dtype>
void Layer<Dtype>::Backward(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                            const vector<Blob<Dtype>*>& bottom) {
  try {
    if (Caffe::mode() == Caffe::CPU) {
      Backward_cpu(top, propagate_down, bottom);
    } else {
      Backward_gpu(top, propagate_down, bottom);
    }
  } catch (const Error& error) {
    throw error.By(Who());
  }
}

template <typename Dtype>
void Layer<Dtype>::set_loss(const int top_index, const Dtype value) {
  if (static_cast<int>(loss_.size()) <= top_index) loss_.resize(top_index + 1, Dtype(0));
  loss_[top_index] = value;
}

template <typename Dtype>
void Layer<Dtype>::set_param_propagate_down(const int param_id, const bool value) {
  if (static_cast<int>(param_propagate_down_.size()) <= param_id) {
    param_propagate_down_.resize(param_id + 1, true);
  }
  param_propagate_down_[param_id] = value;
}

template <typename Dtype>
void Layer<Dtype>::ToProto(LayerParameter* param, bool write_diff) {
  param->Clear();
  param->CopyFrom(layer_param_);
  param->clear_blobs();
  for (const auto& blob : blobs_) blob->ToProto(param->add_blobs(), write_diff);
}

namespace {

void CheckCount(const char* what, int got, int exact, int min, int max) {
  if (exact >= 0) {
    CHECK(got == exact) << "takes " << exact << " " << what << " blob(s), got " << got;
  }
  if (min >= 0)
    CHECK(got >= min) << "takes at least " << min << " " << what << " blob(s), got " << got;
  if (max >= 0)
    CHECK(got <= max) << "takes at most " << max << " " << what << " blob(s), got " << got;
}

}  // namespace

template <typename Dtype>
void Layer<Dtype>::CheckBlobCounts(const vector<Blob<Dtype>*>& bottom,
                                   const vector<Blob<Dtype>*>& top) {
  CheckCount("bottom", static_cast<int>(bottom.size()), ExactNumBottomBlobs(), MinBottomBlobs(),
             MaxBottomBlobs());
  CheckCount("top", static_cast<int>(top.size()), ExactNumTopBlobs(), MinTopBlobs(), MaxTopBlobs());
  if (EqualNumBottomTopBlobs()) {
    CHECK(bottom.size() == top.size()) << "takes as many tops as bottoms, got " << bottom.size()
                                       << " bottom and " << top.size() << " top blob(s)";
  }
}

template <typename Dtype>
void Layer<Dtype>::SetLossWeights(const vector<Blob<Dtype>*>& top) {
  const int num_weights = layer_param_.loss_weight_size();
  if (num_weights == 0) return;
  CHECK(num_weights == static_cast<int>(top.size()))
      << "loss_weight must be given for every top or for none: " << num_weights << " for "
      << top.size() << " top blob(s)";
  for (int i = 0; i < num_weights; ++i) {
    const Dtype weight = layer_param_.loss_weight(i);
    if (weight == Dtype(0)) continue;
    set_loss(i, weight);
    caffe_set(top[i]->count(), weight, top[i]->mutable_cpu_diff());
  }
}

INSTANTIATE_CLASS(Layer);

}  // namespace caffe
