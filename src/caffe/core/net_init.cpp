// Building a net: layers, blobs and parameters from a NetParameter, and which of them need
// gradients.
#include <algorithm>

#include "caffe/filler.hpp"
#include "caffe/net.hpp"
#include "caffe/util/insert_splits.hpp"
#include "caffe/util/upgrade_proto.hpp"

namespace caffe {

template <typename Dtype>
Net<Dtype>::Net(const NetParameter& param) {
  Init(param);
}

template <typename Dtype>
Net<Dtype>::Net(const NetParameter& param, const NetParameter& weights, WeightsReport* report) {
  std::set<string> filled_later;
  for (const LayerParameter& layer : weights.layer()) {
    if (layer.blobs_size() > 0) filled_later.insert(layer.name());
  }
  Init(param, filled_later);
  WeightsReport copied = CopyTrainedLayersFrom(weights);
  if (report != nullptr) *report = std::move(copied);
}

template <typename Dtype>
Net<Dtype>::Net(const string& param_file, Phase phase, const int level,
                const vector<string>* stages) {
  NetParameter param;
  ReadNetParamsFromTextFileOrDie(param_file, &param);
  if (stages != nullptr) {
    for (const string& stage : *stages) param.mutable_state()->add_stage(stage);
  }
  param.mutable_state()->set_phase(phase);
  param.mutable_state()->set_level(level);
  Init(param);
}

template <typename Dtype>
void Net<Dtype>::Init(const NetParameter& in_param, const std::set<string>& filled_later) {
  NetParameter filtered;
  NetParameter param;
  FilterNet(in_param, &filtered);
  InsertSplits(filtered, &param);
  name_ = param.name();
  phase_ = param.state().phase();
  debug_info_ = param.debug_info();
  for (LayerParameter& layer_param : *param.mutable_layer()) {
    if (param.has_precision() && !layer_param.has_precision()) {
      layer_param.set_precision(param.precision());
    }
    const bool is_filled_later = filled_later.count(layer_param.name()) > 0;
    AddLayer(std::move(layer_param), is_filled_later);
  }
  PruneBackward();
  if (param.force_backward()) ForceBackward();
  for (const string& blob_name : unused_blobs_) {
    net_output_blob_indices_.push_back(blob_names_index_.at(blob_name));
  }
  for (const int blob_id : net_output_blob_indices_) {
    net_output_blobs_.push_back(blobs_[blob_id].get());
  }
  GatherParams();
  ShareWeights();
  AbsorbLayers();
  AbsorbBackwards();
}

namespace {

void CheckLayerParam(const LayerParameter& param) {
  CHECK(param.propagate_down_size() == 0 || param.propagate_down_size() == param.bottom_size())
      << param.name() << " (" << param.type() << "): propagate_down must be given for every bottom "
      << "or for none: " << param.propagate_down_size() << " for " << param.bottom_size();
}

}  // namespace

template <typename Dtype>
void Net<Dtype>::AddLayer(LayerParameter param, bool filled_later) {
  if (!param.has_phase()) param.set_phase(phase_);
  CheckLayerParam(param);
  const int layer_id = num_layers();
  CHECK(layer_names_index_.emplace(param.name(), layer_id).second || param.name().empty())
      << "two layers are called \"" << param.name() << "\"; names must differ";
  layers_.push_back(LayerRegistry<Dtype>::CreateLayer(param));
  layer_names_.push_back(param.name());
  AddBottoms(param);
  AddTops(param);
  {
    const FillerPause pause(filled_later);
    layers_[layer_id]->SetUp(bottom_vecs_[layer_id], top_vecs_[layer_id]);
  }
  for (int i = 0; i < static_cast<int>(top_vecs_[layer_id].size()); ++i) {
    const int blob_id = top_id_vecs_[layer_id][i];
    blob_loss_weights_[blob_id] = layers_[layer_id]->loss(i);
  }
  AddParams(layer_id);
  MarkLayerBackward(layer_id);
}

template <typename Dtype>
void Net<Dtype>::AddBottoms(const LayerParameter& param) {
  vector<Blob<Dtype>*> bottoms;
  vector<int> ids;
  vector<bool> need_backward;
  for (int i = 0; i < param.bottom_size(); ++i) {
    const auto found = blob_names_index_.find(param.bottom(i));
    // InsertSplits has named the bottoms that no layer makes.
    CHECK(found != blob_names_index_.end() && unused_blobs_.count(param.bottom(i)) > 0)
        << param.name() << " (" << param.type() << "): bottom blob \"" << param.bottom(i)
        << "\" is not the top of an earlier layer";
    unused_blobs_.erase(param.bottom(i));
    bottoms.push_back(blobs_[found->second].get());
    ids.push_back(found->second);
    need_backward.push_back(param.propagate_down_size() > 0 ? param.propagate_down(i)
                                                            : blob_need_backward_[found->second]);
  }
  bottom_vecs_.push_back(bottoms);
  bottom_id_vecs_.push_back(ids);
  bottom_need_backward_.push_back(need_backward);
}

template <typename Dtype>
void Net<Dtype>::AddTops(const LayerParameter& param) {
  vector<int> ids;
  for (int i = 0; i < param.top_size(); ++i) {
    ids.push_back(AddTop(param, i, param.top(i)));
    if (param.type() == "Input") {
      net_input_blob_indices_.push_back(ids.back());
      net_input_blobs_.push_back(blobs_[ids.back()].get());
    }
  }
  const Layer<Dtype>& layer = *layers_.back();
  if (layer.AutoTopBlobs()) {
    const int needed = std::max(layer.MinTopBlobs(), layer.ExactNumTopBlobs());
    for (int i = static_cast<int>(ids.size()); i < needed; ++i) {
      ids.push_back(AddTop(param, i, "(automatic)"));
    }
  }
  vector<Blob<Dtype>*> tops;
  for (const int id : ids) tops.push_back(blobs_[id].get());
  top_vecs_.push_back(tops);
  top_id_vecs_.push_back(ids);
}

template <typename Dtype>
int Net<Dtype>::AddTop(const LayerParameter& param, int top_index, const string& blob_name) {
  const bool is_automatic = top_index >= param.top_size();
  const bool in_place = top_index < param.bottom_size() && param.bottom(top_index) == blob_name;
  if (in_place && !is_automatic) {
    unused_blobs_.insert(blob_name);
    return blob_names_index_.at(blob_name);
  }
  const int blob_id = static_cast<int>(blobs_.size());
  if (!is_automatic) {
    const auto entry = blob_names_index_.emplace(blob_name, blob_id);
    CHECK(entry.second) << param.name() << " (" << param.type() << "): top blob \"" << blob_name
                        << "\" is already made by layer \""
                        << layer_names_[blob_producers_[entry.first->second]] << "\"";
    unused_blobs_.insert(blob_name);
  }
  blobs_.push_back(std::make_shared<Blob<Dtype>>());
  blob_names_.push_back(blob_name);
  blob_producers_.push_back(num_layers() - 1);
  blob_need_backward_.push_back(false);
  blob_loss_weights_.push_back(Dtype(0));
  return blob_id;
}

template <typename Dtype>
void Net<Dtype>::AddParams(int layer_id) {
  const int num_params = static_cast<int>(layers_[layer_id]->blobs().size());
  const int num_specs = layers_[layer_id]->layer_param().param_size();
  CHECK(num_specs <= num_params) << layers_[layer_id]->Who() << ": has " << num_params
                                 << " parameter blob(s), but " << num_specs << " param entries";
  for (int i = 0; i < num_params; ++i) AddParam(layer_id, i);
}

template <typename Dtype>
void Net<Dtype>::AddParam(int layer_id, int param_index) {
  const LayerParameter& layer_param = layers_[layer_id]->layer_param();
  const ParamSpec spec =
      param_index < layer_param.param_size() ? layer_param.param(param_index) : ParamSpec();
  const int param_id = static_cast<int>(params_.size());
  params_.push_back(layers_[layer_id]->blobs()[param_index]);
  param_layer_indices_.emplace_back(layer_id, param_index);
  param_display_names_.push_back(spec.name().empty() ? std::to_string(param_index) : spec.name());
  const auto owner = param_names_index_.find(spec.name());
  if (!spec.name().empty() && owner != param_names_index_.end()) {
    ShareParam(param_id, owner->second, spec);
    return;
  }
  if (!spec.name().empty()) param_names_index_[spec.name()] = param_id;
  param_owners_.push_back(-1);
  learnable_param_ids_.push_back(static_cast<int>(learnable_params_.size()));
  learnable_params_.push_back(params_[param_id].get());
  learnable_param_owners_.push_back(param_id);
  params_lr_.push_back(spec.lr_mult());
  has_params_lr_.push_back(spec.has_lr_mult());
  params_weight_decay_.push_back(spec.decay_mult());
  has_params_decay_.push_back(spec.has_decay_mult());
}

namespace {

/** One of lr_mult and decay_mult, as a sharing layer gives it. */
struct Multiplier {
  const char* name;
  bool is_given;
  float value;
};

/** A multiplier may be given by any of the sharers, but not differently. */
void MergeMultiplier(const Multiplier& given, const string& who, int index, vector<float>* values,
                     vector<bool>* has_values) {
  if (!given.is_given) return;
  CHECK(!(*has_values)[index] || (*values)[index] == given.value)
      << who << ": " << given.name << " " << given.value << " differs from the " << (*values)[index]
      << " of another layer that shares the parameter";
  (*values)[index] = given.value;
  (*has_values)[index] = true;
}

}  // namespace

template <typename Dtype>
void Net<Dtype>::ShareParam(int param_id, int owner_id, const ParamSpec& spec) {
  const string who = layers_[param_layer_indices_[param_id].first]->Who();
  const string owner_name = layer_names_[param_layer_indices_[owner_id].first];
  const Blob<Dtype>& param = *params_[param_id];
  const Blob<Dtype>& owner = *params_[owner_id];
  if (spec.share_mode() == ParamSpec_DimCheckMode_PERMISSIVE) {
    CHECK(param.count() == owner.count())
        << who << ": shares the parameter \"" << spec.name() << "\" with layer \"" << owner_name
        << "\", whose count is " << owner.count() << ", not " << param.count();
  } else {
    CHECK(param.shape() == owner.shape())
        << who << ": shares the parameter \"" << spec.name() << "\" with layer \"" << owner_name
        << "\", whose shape is " << owner.shape_string() << ", not " << param.shape_string();
  }
  param_owners_.push_back(owner_id);
  const int learnable_id = learnable_param_ids_[owner_id];
  learnable_param_ids_.push_back(learnable_id);
  MergeMultiplier({"lr_mult", spec.has_lr_mult(), spec.lr_mult()}, who, learnable_id, &params_lr_,
                  &has_params_lr_);
  MergeMultiplier({"decay_mult", spec.has_decay_mult(), spec.decay_mult()}, who, learnable_id,
                  &params_weight_decay_, &has_params_decay_);
}

template <typename Dtype>
void Net<Dtype>::MarkLayerBackward(int layer_id) {
  Layer<Dtype>& layer = *layers_[layer_id];
  bool need_backward = false;
  for (const int blob_id : bottom_id_vecs_[layer_id]) {
    need_backward = need_backward || blob_need_backward_[blob_id];
  }
  for (int i = 0; i < static_cast<int>(layer.blobs().size()); ++i) {
    const bool is_learned =
        i >= layer.layer_param().param_size() || layer.layer_param().param(i).lr_mult() != 0;
    // A layer may apply a step by itself, whatever lr_mult says.
    need_backward = need_backward || is_learned || layer.ParamDiffIsStep(i);
    layer.set_param_propagate_down(i, is_learned);
  }
  layer_need_backward_.push_back(need_backward);
  for (const int blob_id : top_id_vecs_[layer_id]) blob_need_backward_[blob_id] = need_backward;
}

// From the last layer to the first: a layer runs backward only if its tops
// lead to a loss, and if somebody below wants the gradient.
template <typename Dtype>
void Net<Dtype>::PruneBackward() {
  vector<bool> under_loss(blobs_.size(), false);
  vector<bool> refused(blobs_.size(), false);
  for (int layer_id = num_layers() - 1; layer_id >= 0; --layer_id) {
    bool contributes = false;
    bool all_refused = true;
    for (size_t i = 0; i < top_id_vecs_[layer_id].size(); ++i) {
      const int blob_id = top_id_vecs_[layer_id][i];
      contributes = contributes || layers_[layer_id]->loss(static_cast<int>(i)) != Dtype(0) ||
                    under_loss[blob_id];
      all_refused = all_refused && refused[blob_id];
    }
    const bool runs = layer_need_backward_[layer_id] && contributes && !all_refused;
    layer_need_backward_[layer_id] = runs;
    for (size_t i = 0; i < bottom_id_vecs_[layer_id].size(); ++i) {
      const int blob_id = bottom_id_vecs_[layer_id][i];
      if (!runs) bottom_need_backward_[layer_id][i] = false;
      under_loss[blob_id] = under_loss[blob_id] || contributes;
      refused[blob_id] = !bottom_need_backward_[layer_id][i];
    }
  }
}

template <typename Dtype>
void Net<Dtype>::ForceBackward() {
  for (int layer_id = 0; layer_id < num_layers(); ++layer_id) {
    layer_need_backward_[layer_id] = true;
    for (size_t i = 0; i < bottom_id_vecs_[layer_id].size(); ++i) {
      if (layers_[layer_id]->AllowForceBackward(static_cast<int>(i))) {
        bottom_need_backward_[layer_id][i] = true;
      }
      const int blob_id = bottom_id_vecs_[layer_id][i];
      blob_need_backward_[blob_id] =
          blob_need_backward_[blob_id] || bottom_need_backward_[layer_id][i];
    }
    for (size_t i = 0; i < layers_[layer_id]->blobs().size(); ++i) {
      layers_[layer_id]->set_param_propagate_down(static_cast<int>(i), true);
    }
  }
}

template <typename Dtype>
void Net<Dtype>::GatherParams() {
  if (phase_ != TRAIN || learnable_params_.empty()) return;
  constexpr size_t kAlignment = 64;
  vector<size_t> offsets;
  size_t total = 0;
  for (const Blob<Dtype>* param : learnable_params_) {
    offsets.push_back(total);
    const size_t size = param->count() * sizeof(Dtype);
    total += (size + kAlignment - 1) / kAlignment * kAlignment;
  }
  param_data_ = std::make_shared<SyncedMemory>(total);
  param_diff_ = std::make_shared<SyncedMemory>(total);
  for (size_t i = 0; i < learnable_params_.size(); ++i) {
    const size_t size = learnable_params_[i]->count() * sizeof(Dtype);
    learnable_params_[i]->MoveTo(std::make_shared<SyncedMemory>(param_data_, offsets[i], size),
                                 std::make_shared<SyncedMemory>(param_diff_, offsets[i], size));
  }
}

/** The next layer after `layer_id` that uses the blob, if it works in place on it alone; else -1.
 */
template <typename Dtype>
int Net<Dtype>::NextInPlace(int blob_id, int layer_id) const {
  const auto uses = [blob_id](const vector<int>& ids) {
    return std::find(ids.begin(), ids.end(), blob_id) != ids.end();
  };
  for (int i = layer_id + 1; i < num_layers(); ++i) {
    const vector<int>&bottoms = bottom_id_vecs_[i], &tops = top_id_vecs_[i];
    if (!uses(bottoms) && !uses(tops)) continue;
    return bottoms == vector<int>{blob_id} && tops == bottoms ? i : -1;
  }
  return -1;
}

template <typename Dtype>
void Net<Dtype>::AbsorbLayers() {
  absorbed_.resize(num_layers());
  vector<bool> is_absorbed(num_layers(), false);
  for (int i = 0; i < num_layers(); ++i) {
    if (is_absorbed[i] || top_id_vecs_[i].size() != 1 || layers_[i]->loss(0) != Dtype(0)) continue;
    const int blob_id = top_id_vecs_[i][0];
    for (int next = NextInPlace(blob_id, i); next >= 0; next = NextInPlace(blob_id, next)) {
      if (layers_[next]->loss(0) != Dtype(0) || !layers_[i]->Absorb(layers_[next].get())) break;
      absorbed_[i].push_back(next);
      is_absorbed[next] = true;
    }
  }
}

template <typename Dtype>
void Net<Dtype>::AbsorbBackwards() {
  absorbed_backward_.assign(num_layers(), -1);
  for (int i = 0; i < num_layers(); ++i) {
    if (bottom_id_vecs_[i].size() != 1 || !bottom_need_backward_[i][0]) continue;
    const int blob_id = bottom_id_vecs_[i][0];
    // The last layer that works in place on the bottom, if layer i follows on it.
    int before = -1;
    for (int next = NextInPlace(blob_id, blob_producers_[blob_id]); next >= 0 && next < i;
         next = NextInPlace(blob_id, next)) {
      before = next;
    }
    if (before < 0 || layers_[before]->loss(0) != Dtype(0)) continue;
    if (!layer_need_backward_[before] || !bottom_need_backward_[before][0]) continue;
    if (layers_[i]->AbsorbBackward(layers_[before].get())) absorbed_backward_[i] = before;
  }
}

template <typename Dtype>
void Net<Dtype>::ShareWeights() {
  for (size_t i = 0; i < params_.size(); ++i) {
    if (param_owners_[i] < 0) continue;
    params_[i]->ShareData(*params_[param_owners_[i]]);
    params_[i]->ShareDiff(*params_[param_owners_[i]]);
  }
}

template <typename Dtype>
void Net<Dtype>::FilterNet(const NetParameter& param, NetParameter* param_filtered) {
  NetParameter filtered(param);  // apart: the caller may pass the same message twice
  filtered.clear_layer();
  for (const LayerParameter& layer : param.layer()) {
    CHECK(layer.include_size() == 0 || layer.exclude_size() == 0)
        << layer.name() << " (" << layer.type() << "): has include and exclude rules; use one kind";
    const auto meets = [&](const NetStateRule& rule) {
      return StateMeetsRule(param.state(), rule, layer.name());
    };
    const bool included = layer.include_size() > 0
                              ? std::any_of(layer.include().begin(), layer.include().end(), meets)
                              : std::none_of(layer.exclude().begin(), layer.exclude().end(), meets);
    if (included) filtered.add_layer()->CopyFrom(layer);
  }
  param_filtered->Swap(&filtered);
}

template <typename Dtype>
bool Net<Dtype>::StateMeetsRule(const NetState& state, const NetStateRule& rule,
                                const string& /*layer_name*/) {
  const auto has_stage = [&state](const string& stage) {
    return std::find(state.stage().begin(), state.stage().end(), stage) != state.stage().end();
  };
  if (rule.has_phase() && rule.phase() != state.phase()) return false;
  if (rule.has_min_level() && state.level() < rule.min_level()) return false;
  if (rule.has_max_level() && state.level() > rule.max_level()) return false;
  return std::all_of(rule.stage().begin(), rule.stage().end(), has_stage) &&
         std::none_of(rule.not_stage().begin(), rule.not_stage().end(), has_stage);
}

INSTANTIATE_CLASS(Net);

}  // namespace caffe
