// Running a net.
#include "caffe/net.hpp"

#include <algorithm>
#include <cmath>

#include "caffe/core/activation_memory.hpp"

namespace caffe {

template <typename Dtype>
void Net<Dtype>::CheckLayerRange(int first, int last) const {
  CHECK(first >= 0 && last < num_layers())
      << "layers " << first << " to " << last << " of a net with " << num_layers();
}

template <typename Dtype>
const vector<Blob<Dtype>*>& Net<Dtype>::Forward(Dtype* loss) {
  const Dtype total = ForwardFromTo(0, num_layers() - 1);
  if (loss != nullptr) *loss = total;
  return net_output_blobs_;
}

template <typename Dtype>
const vector<Blob<Dtype>*>& Net<Dtype>::Forward(const vector<Blob<Dtype>*>& bottom, Dtype* loss) {
  CHECK(bottom.size() == net_input_blobs_.size())
      << "the net has " << net_input_blobs_.size() << " inputs, got " << bottom.size();
  for (size_t i = 0; i < bottom.size(); ++i) net_input_blobs_[i]->CopyFrom(*bottom[i]);
  return Forward(loss);
}

template <typename Dtype>
Dtype Net<Dtype>::ForwardFromTo(int start, int end) {
  CheckLayerRange(start, end);
  Dtype loss = 0;
  done_by_other_.assign(num_layers(), false);
  for (int i = start; i <= end; ++i) {
    const ScratchLoan loan(activation_memory_ ? activation_memory_->pool() : nullptr);
    if (activation_memory_) activation_memory_->BeforeForward(i);
    if (!done_by_other_[i] && !ForwardFused(i, end)) {
      for (Callback* callback : before_forward_) callback->run(i);
      loss += layers_[i]->Forward(bottom_vecs_[i], top_vecs_[i]);
      if (debug_info_) DebugForward(i);
      for (Callback* callback : after_forward_) callback->run(i);
    }
    if (activation_memory_) activation_memory_->AfterForward(i);
  }
  return loss;
}

template <typename Dtype>
bool Net<Dtype>::ForwardFused(int layer_id, int end) {
  const vector<int>& absorbed = absorbed_[layer_id];
  if (absorbed.empty() || absorbed.back() > end || !fuses_ || debug_info_ ||
      !before_forward_.empty() || !after_forward_.empty()) {
    return false;
  }
  if (!layers_[layer_id]->ForwardFused(bottom_vecs_[layer_id], top_vecs_[layer_id])) return false;
  for (const int other : absorbed) done_by_other_[other] = true;
  return true;
}

// In a TEST net only their own Forward leaves what the Backward of absorbed layers reads.
template <typename Dtype>
void Net<Dtype>::UnfuseForBackward(int start, int end) {
  const auto runs = [&](int i) { return layer_need_backward_[i] && start >= i && i >= end; };
  const auto is_read = [&](int i) {
    return !absorbed_[i].empty() &&
           (runs(i) || std::any_of(absorbed_[i].begin(), absorbed_[i].end(), runs));
  };
  bool any = false;
  for (int i = 0; i < num_layers(); ++i) any = any || is_read(i);
  if (!any) return;
  fuses_ = false;
  for (int i = 0; i < num_layers(); ++i) {
    if (absorbed_[i].empty()) continue;
    layers_[i]->Forward(bottom_vecs_[i], top_vecs_[i]);
    for (const int other : absorbed_[i]) {
      layers_[other]->Forward(bottom_vecs_[other], top_vecs_[other]);
    }
  }
}

template <typename Dtype>
bool Net<Dtype>::FusesBackward(int layer_id) const {
  return absorbed_backward_.at(layer_id) >= 0 && !debug_info_ && before_backward_.empty() &&
         after_backward_.empty() && Caffe::mode() == Caffe::CPU &&
         layers_[layer_id]->CanBackwardFused(bottom_vecs_[layer_id]);
}

template <typename Dtype>
void Net<Dtype>::BackwardFromTo(int start, int end) {
  CheckLayerRange(end, start);
  if (phase_ == TEST && fuses_) UnfuseForBackward(start, end);
  done_by_other_.assign(num_layers(), false);
  for (int i = start; i >= end; --i) {
    const ScratchLoan loan(activation_memory_ ? activation_memory_->pool() : nullptr);
    if (activation_memory_) activation_memory_->BeforeBackward(i);
    for (Callback* callback : before_backward_) callback->run(i);
    if (absorbed_backward_[i] >= end && FusesBackward(i)) {
      layers_[i]->BackwardFused(top_vecs_[i], bottom_vecs_[i]);
      done_by_other_[absorbed_backward_[i]] = true;
    } else if (layer_need_backward_[i] && !done_by_other_[i]) {
      layers_[i]->Backward(top_vecs_[i], bottom_need_backward_[i], bottom_vecs_[i]);
      if (debug_info_) DebugBackward(i);
    }
    for (Callback* callback : after_backward_) callback->run(i);
    if (activation_memory_) activation_memory_->AfterBackward(i);
  }
}

template <typename Dtype>
void Net<Dtype>::set_release_memory(bool release, const vector<string>& keep,
                                    const shared_ptr<MemoryPool>& pool) {
  activation_memory_.reset();
  if (!release) return;
  activation_memory_ =
      std::make_shared<ActivationMemory<Dtype>>(*this, keep, pool ? pool : MemoryPool::Make());
}

template <typename Dtype>
void Net<Dtype>::Reshape() {
  for (int i = 0; i < num_layers(); ++i) {
    try {
      layers_[i]->Reshape(bottom_vecs_[i], top_vecs_[i]);
    } catch (const Error& error) {
      throw error.By(layers_[i]->Who());
    }
  }
}

template <typename Dtype>
Dtype Net<Dtype>::ForwardBackward() {
  Dtype loss;
  Forward(&loss);
  Backward();
  return loss;
}

template <typename Dtype>
void Net<Dtype>::ClearParamDiffs() {
  for (Blob<Dtype>* param : learnable_params_) param->diff()->SetZero();
  for (const auto& layer : layers_) layer->OnClearParamDiffs();
}

template <typename Dtype>
const shared_ptr<SyncedMemory>& Net<Dtype>::param_diff() const {
  if (param_diff_) {
    for (const Blob<Dtype>* param : learnable_params_) param->cpu_diff();
  }
  return param_diff_;
}

template <typename Dtype>
void Net<Dtype>::Update() {
  for (Blob<Dtype>* param : learnable_params_) param->Update();
  for (const auto& layer : layers_) layer->OnUpdate();
}

namespace {

template <typename Dtype>
Dtype MeanAbs(Dtype sum, int count) {
  return count == 0 ? Dtype(0) : sum / count;
}

}  // namespace

template <typename Dtype>
void Net<Dtype>::DebugForward(int layer_id) const {
  for (size_t i = 0; i < top_vecs_[layer_id].size(); ++i) {
    const Blob<Dtype>& blob = *top_vecs_[layer_id][i];
    LOG(INFO) << "    [Forward] Layer " << layer_names_[layer_id] << ", top blob "
              << blob_names_[top_id_vecs_[layer_id][i]]
              << " data: " << MeanAbs(blob.asum_data(), blob.count());
  }
  for (size_t i = 0; i < layers_[layer_id]->blobs().size(); ++i) {
    const Blob<Dtype>& blob = *layers_[layer_id]->blobs()[i];
    LOG(INFO) << "    [Forward] Layer " << layer_names_[layer_id] << ", param blob " << i
              << " data: " << MeanAbs(blob.asum_data(), blob.count());
  }
  const string report = layers_[layer_id]->Report();
  if (!report.empty())
    LOG(INFO) << "    [Forward] Layer " << layer_names_[layer_id] << ", " << report;
}

template <typename Dtype>
void Net<Dtype>::DebugBackward(int layer_id) const {
  for (size_t i = 0; i < bottom_vecs_[layer_id].size(); ++i) {
    if (!bottom_need_backward_[layer_id][i]) continue;
    const Blob<Dtype>& blob = *bottom_vecs_[layer_id][i];
    LOG(INFO) << "    [Backward] Layer " << layer_names_[layer_id] << ", bottom blob "
              << blob_names_[bottom_id_vecs_[layer_id][i]]
              << " diff: " << MeanAbs(blob.asum_diff(), blob.count());
  }
  for (size_t i = 0; i < layers_[layer_id]->blobs().size(); ++i) {
    if (!layers_[layer_id]->param_propagate_down(static_cast<int>(i))) continue;
    const Blob<Dtype>& blob = *layers_[layer_id]->blobs()[i];
    LOG(INFO) << "    [Backward] Layer " << layer_names_[layer_id] << ", param blob " << i
              << " diff: " << MeanAbs(blob.asum_diff(), blob.count());
  }
}

namespace {

template <typename Dtype>
bool AllFinite(const Blob<Dtype>& blob) {
  if (blob.data()->given_back()) return true;
  const Dtype* data = blob.cpu_data();
  for (int i = 0; i < blob.count(); ++i) {
    if (!std::isfinite(data[i])) return false;
  }
  return true;
}

}  // namespace

template <typename Dtype>
string Net<Dtype>::FirstNonFinite() const {
  for (int i = 0; i < num_layers(); ++i) {
    for (size_t j = 0; j < layers_[i]->blobs().size(); ++j) {
      if (!AllFinite(*layers_[i]->blobs()[j])) {
        return "parameter " + std::to_string(j) + " of layer " + layers_[i]->Who();
      }
    }
    for (size_t j = 0; j < top_vecs_[i].size(); ++j) {
      if (AllFinite(*top_vecs_[i][j])) continue;
      return "top blob \"" + blob_names_[top_id_vecs_[i][j]] + "\" of layer " + layers_[i]->Who();
    }
  }
  return "";
}

template <typename Dtype>
bool Net<Dtype>::has_blob(const string& blob_name) const {
  return blob_names_index_.count(blob_name) > 0;
}

template <typename Dtype>
const shared_ptr<Blob<Dtype>> Net<Dtype>::blob_by_name(const string& blob_name) const {
  if (has_blob(blob_name)) return blobs_[blob_names_index_.at(blob_name)];
  LOG(WARNING) << "unknown blob name " << blob_name;
  return nullptr;
}

template <typename Dtype>
bool Net<Dtype>::has_layer(const string& layer_name) const {
  return layer_names_index_.count(layer_name) > 0;
}

template <typename Dtype>
const shared_ptr<Layer<Dtype>> Net<Dtype>::layer_by_name(const string& layer_name) const {
  if (has_layer(layer_name)) return layers_[layer_names_index_.at(layer_name)];
  LOG(WARNING) << "unknown layer name " << layer_name;
  return nullptr;
}

#define CAFFE_INSTANTIATE_NET_RUN(Dtype)                                                         \
  template void Net<Dtype>::CheckLayerRange(int, int) const;                                     \
  template const vector<Blob<Dtype>*>& Net<Dtype>::Forward(Dtype*);                              \
  template const vector<Blob<Dtype>*>& Net<Dtype>::Forward(const vector<Blob<Dtype>*>&, Dtype*); \
  template Dtype Net<Dtype>::ForwardFromTo(int, int);                                            \
  template bool Net<Dtype>::ForwardFused(int, int);                                              \
  template void Net<Dtype>::UnfuseForBackward(int, int);                                         \
  template bool Net<Dtype>::FusesBackward(int) const;                                            \
  template void Net<Dtype>::BackwardFromTo(int, int);                                            \
  template void Net<Dtype>::set_release_memory(bool, const vector<string>&,                      \
                                               const shared_ptr<MemoryPool>&);                   \
  template void Net<Dtype>::Reshape();                                                           \
  template Dtype Net<Dtype>::ForwardBackward();                                                  \
  template void Net<Dtype>::ClearParamDiffs();                                                   \
  template const shared_ptr<SyncedMemory>& Net<Dtype>::param_diff() const;                       \
  template void Net<Dtype>::Update();                                                            \
  template void Net<Dtype>::DebugForward(int) const;                                             \
  template void Net<Dtype>::DebugBackward(int) const;                                            \
  template string Net<Dtype>::FirstNonFinite() const;                                            \
  template bool Net<Dtype>::has_blob(const string&) const;                                       \
  template const shared_ptr<Blob<Dtype>> Net<Dtype>::blob_by_name(const string&) const;          \
  template bool Net<Dtype>::has_layer(const string&) const;                                      \
  template const shared_ptr<Layer<Dtype>> Net<Dtype>::layer_by_name(const string&) const
CAFFE_INSTANTIATE_NET_RUN(float);
CAFFE_INSTANTIATE_NET_RUN(double);

}  // namespace caffe
