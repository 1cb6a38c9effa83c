#include "caffe/core/activation_memory.hpp"

#include <algorithm>

namespace caffe {

namespace {

int DataSlot(int blob) { return 2 * blob; }
int DiffSlot(int blob) { return 2 * blob + 1; }

void Keep(int blob, vector<bool>* keep) {
  (*keep)[DataSlot(blob)] = true;
  (*keep)[DiffSlot(blob)] = true;
}

/** Blobs whose data every pass computes anew; by blob. */
template <typename Dtype>
vector<bool> AreRecomputed(const Net<Dtype>& net) {
  vector<bool> recomputed(net.blobs().size(), false);
  for (int i = 0; i < net.num_layers(); ++i) {
    const bool anew = net.phase() == TRAIN
                          ? net.layer_need_backward()[i]
                          : !net.bottom_ids(i).empty() && !net.layers()[i]->ReusesTops();
    for (const int blob : net.top_ids(i)) {
      const vector<int>& bottoms = net.bottom_ids(i);
      const bool in_place = std::find(bottoms.begin(), bottoms.end(), blob) != bottoms.end();
      recomputed[blob] = anew && (!in_place || recomputed[blob]);
    }
  }
  return recomputed;
}

/** Blobs whose gradient every pass writes; by blob. */
template <typename Dtype>
vector<bool> HaveGradients(const Net<Dtype>& net) {
  vector<bool> written(net.blobs().size(), false);
  for (int i = 0; i < net.num_layers(); ++i) {
    if (!net.layer_need_backward()[i]) continue;
    for (size_t j = 0; j < net.bottom_ids(i).size(); ++j) {
      if (net.bottom_need_backward()[i][j]) written[net.bottom_ids(i)[j]] = true;
    }
  }
  return written;
}

}  // namespace

template <typename Dtype>
vector<bool> ActivationMemory<Dtype>::KeptSlots(const Net<Dtype>& net,
                                                const vector<string>& names) {
  const int num_blobs = static_cast<int>(net.blobs().size());
  vector<bool> keep(2 * net.blobs().size(), false);
  const vector<bool> recomputed = AreRecomputed(net), has_gradient = HaveGradients(net);
  for (int blob = 0; blob < num_blobs; ++blob) {
    keep[DataSlot(blob)] = !recomputed[blob];
    keep[DiffSlot(blob)] = !has_gradient[blob];
    if (net.blob_loss_weights()[blob] != Dtype(0)) Keep(blob, &keep);
  }
  for (const int blob : net.input_blob_indices()) Keep(blob, &keep);
  for (const int blob : net.output_blob_indices()) Keep(blob, &keep);
  for (const string& name : names) {
    const auto found = std::find(net.blob_names().begin(), net.blob_names().end(), name);
    CHECK(found != net.blob_names().end()) << "no blob \"" << name << "\" in the net, to be kept";
    Keep(static_cast<int>(found - net.blob_names().begin()), &keep);
  }
  return keep;
}

template <typename Dtype>
MemoryPlan ActivationMemory<Dtype>::MakePlan(const Net<Dtype>& net, const vector<bool>& keep) {
  const int num_layers = net.num_layers();
  vector<vector<int>> uses;
  for (int i = 0; i < num_layers; ++i) {
    uses.emplace_back();
    for (const int blob : net.bottom_ids(i)) uses.back().push_back(DataSlot(blob));
    for (const int blob : net.top_ids(i)) uses.back().push_back(DataSlot(blob));
  }
  for (int i = num_layers - 1; net.phase() == TRAIN && i >= 0; --i) {
    uses.emplace_back();
    if (!net.layer_need_backward()[i]) continue;
    const bool reads_bottoms = net.layers()[i]->BackwardReadsBottoms();
    const bool reads_tops = net.layers()[i]->BackwardReadsTops();
    for (const int blob : net.bottom_ids(i)) {
      if (reads_bottoms) uses.back().push_back(DataSlot(blob));
      uses.back().push_back(DiffSlot(blob));
    }
    for (const int blob : net.top_ids(i)) {
      if (reads_tops) uses.back().push_back(DataSlot(blob));
      uses.back().push_back(DiffSlot(blob));
    }
  }
  return MemoryPlan(uses, keep);
}

template <typename Dtype>
ActivationMemory<Dtype>::ActivationMemory(const Net<Dtype>& net, const vector<string>& keep,
                                          const shared_ptr<MemoryPool>& pool)
    : net_(net),
      pool_(pool),
      keep_(KeptSlots(net, keep)),
      plan_(MakePlan(net, keep_)),
      memory_of_(keep_.size()) {
  for (int i = 0; i < net.num_layers(); ++i) frees_bottom_.push_back(OnlyFusedReads(i));
  for (size_t slot = 0; slot < keep_.size(); ++slot) {
    const MemoryPool::End end = slot % 2 == 0 ? MemoryPool::kLow : MemoryPool::kHigh;
    if (!keep_[slot]) Memory(static_cast<int>(slot))->set_pool(pool, end);
  }
}

template <typename Dtype>
ActivationMemory<Dtype>::~ActivationMemory() {
  for (size_t slot = 0; slot < keep_.size(); ++slot) {
    if (keep_[slot]) continue;
    SyncedMemory* memory = Memory(static_cast<int>(slot));
    memory->set_pool(nullptr, MemoryPool::kLow);
    memory->ExpectValues();
  }
}

/** Whether a layer's bottom is read by no later forward, and its data by no backward but its own
 * and the one that it may do. */
template <typename Dtype>
bool ActivationMemory<Dtype>::OnlyFusedReads(int layer) const {
  const int absorbed = net_.phase() == TRAIN ? net_.absorbed_backward(layer) : -1;
  if (absorbed < 0 || keep_[DataSlot(net_.bottom_ids(layer)[0])]) return false;
  if (net_.layers()[layer]->BackwardFusedReadsBottoms()) return false;
  const int blob = net_.bottom_ids(layer)[0];
  const auto has = [blob](const vector<int>& ids) {
    return std::find(ids.begin(), ids.end(), blob) != ids.end();
  };
  for (int i = 0; i < net_.num_layers(); ++i) {
    if (i == layer || i == absorbed) continue;
    const bool is_bottom = has(net_.bottom_ids(i)), is_top = has(net_.top_ids(i));
    if (i > layer && (is_bottom || is_top)) return false;
    if (!net_.layer_need_backward()[i]) continue;
    if (is_bottom && net_.layers()[i]->BackwardReadsBottoms()) return false;
    if (is_top && net_.layers()[i]->BackwardReadsTops()) return false;
  }
  return true;
}

template <typename Dtype>
SyncedMemory* ActivationMemory<Dtype>::Memory(int slot) const {
  const Blob<Dtype>& blob = *net_.blobs()[slot / 2];
  return (slot % 2 == 0 ? blob.data() : blob.diff()).get();
}

template <typename Dtype>
void ActivationMemory<Dtype>::BeforeForward(int layer) {
  for (const int blob : net_.top_ids(layer)) Memory(DataSlot(blob))->ExpectValues();
}

template <typename Dtype>
void ActivationMemory<Dtype>::AfterForward(int layer) {
  GiveBack(layer);
  if (!frees_bottom_[layer] || !net_.FusesBackward(layer)) return;
  const int slot = DataSlot(net_.bottom_ids(layer)[0]);
  SyncedMemory* memory = Memory(slot);
  int shown = 0;  // by so many blobs
  for (size_t other = 0; other < keep_.size(); other += 2) {
    shown += Memory(static_cast<int>(other)) == memory ? 1 : 0;
  }
  if (shown == 1) memory->GiveBack();
}

template <typename Dtype>
void ActivationMemory<Dtype>::BeforeBackward(int layer) {
  if (net_.phase() != TRAIN || !net_.layer_need_backward()[layer]) return;
  const vector<int>& bottoms = net_.bottom_ids(layer);
  for (size_t i = 0; i < bottoms.size(); ++i) {
    if (net_.bottom_need_backward()[layer][i]) Memory(DiffSlot(bottoms[i]))->ExpectValues();
  }
}

template <typename Dtype>
void ActivationMemory<Dtype>::AfterBackward(int layer) {
  if (net_.phase() == TRAIN) GiveBack(2 * net_.num_layers() - 1 - layer);
}

template <typename Dtype>
void ActivationMemory<Dtype>::GiveBack(int step) {
  if (plan_.last_used_at(step).empty()) return;
  for (size_t slot = 0; slot < memory_of_.size(); ++slot) {
    memory_of_[slot] = Memory(static_cast<int>(slot));
  }
  plan_.FindFree(step, memory_of_, &free_);
  for (const int slot : free_) Memory(slot)->GiveBack();
}

INSTANTIATE_CLASS(ActivationMemory);

}  // namespace caffe
