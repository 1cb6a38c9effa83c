// Snapshots: what a run needs to go on as if it had not stopped.
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "caffe/solver.hpp"
#include "caffe/solvers/solver_state.hpp"
#include "caffe/util/io.hpp"

namespace caffe {

template <typename Dtype>
string Solver<Dtype>::SnapshotFilename(const string& extension) const {
  CHECK(param_.has_snapshot_prefix()) << "a snapshot needs the solver's snapshot_prefix";
  const bool is_hdf5 = param_.snapshot_format() == SolverParameter::HDF5;
  return param_.snapshot_prefix() + "_iter_" + std::to_string(iter_) + extension +
         (is_hdf5 ? ".h5" : "");
}

template <typename Dtype>
void Solver<Dtype>::CheckSnapshotWritePermissions() {
  CHECK(param_.has_snapshot_prefix()) << "a snapshot needs the solver's snapshot_prefix";
  const string probe = param_.snapshot_prefix() + ".tempfile";
  errno = 0;
  if (std::ofstream(probe).is_open()) {
    std::remove(probe.c_str());
    return;
  }
  const string reason = errno != 0 ? string(" (") + std::strerror(errno) + ")" : "";
  LOG(FATAL) << "cannot write snapshots to " << param_.snapshot_prefix() << "*" << reason
             << ": the folder of snapshot_prefix must exist and be writable";
}

template <typename Dtype>
void Solver<Dtype>::CheckParamsFinite() const {
  for (const auto& layer : net_->layers()) {
    for (size_t i = 0; i < layer->blobs().size(); ++i) {
      const Dtype* values = layer->blobs()[i]->cpu_data();
      for (int k = 0; k < layer->blobs()[i]->count(); ++k) {
        CHECK(std::isfinite(values[k]))
            << "iteration " << iter_ << ": parameter " << i << " of " << layer->Who() << " is "
            << values[k] << " at index " << k << ", expected a finite number; no snapshot was "
            << "written, the last one is " << (last_snapshot_.empty() ? "none" : last_snapshot_);
      }
    }
  }
}

template <typename Dtype>
void Solver<Dtype>::Snapshot() {
  CHECK(Caffe::root_solver()) << "only the root solver writes snapshots";
  CheckParamsFinite();
  const bool is_hdf5 = param_.snapshot_format() == SolverParameter::HDF5;
  const string format = is_hdf5 ? "HDF5 file " : "binary proto file ";
  const string model_file = SnapshotFilename(".caffemodel");
  LOG(INFO) << "Snapshotting to " << format << model_file;
  if (is_hdf5) {
    net_->ToHDF5(model_file, param_.snapshot_diff());
  } else {
    NetParameter net_param;
    net_->ToProto(&net_param, param_.snapshot_diff());
    WriteProtoToBinaryFile(net_param, model_file);
  }
  SolverState state;
  state.set_iter(iter_);
  state.set_learned_net(model_file);
  SaveUpdateState(&state);
  if (progress_before_test_) {
    state.MergeFrom(*progress_before_test_);
  } else {
    SaveProgress(&state);
  }
  const string state_file = SnapshotFilename(".solverstate");
  LOG(INFO) << "Snapshotting solver state to " << format << state_file;
  WriteSolverState<Dtype>(state, state_file, param_.snapshot_format());
  last_snapshot_ = state_file;
}

template <typename Dtype>
vector<pair<string, Layer<Dtype>*>> Solver<Dtype>::NamedLayers() const {
  vector<pair<string, Layer<Dtype>*>> layers;
  for (int i = 0; i < net_->num_layers(); ++i) {
    layers.emplace_back(net_->layer_names()[i], net_->layers()[i].get());
  }
  for (size_t id = 0; id < test_nets_.size(); ++id) {
    const string prefix = "test_net#" + std::to_string(id) + "/";
    const Net<Dtype>& test_net = *test_nets_[id];
    for (int i = 0; i < test_net.num_layers(); ++i) {
      layers.emplace_back(prefix + test_net.layer_names()[i], test_net.layers()[i].get());
    }
  }
  return layers;
}

template <typename Dtype>
void Solver<Dtype>::SaveProgress(SolverState* state) const {
  for (const float loss : loss_window_) state->add_loss_window(loss);
  for (const auto& layer : NamedLayers()) {
    LayerState layer_state;
    layer.second->SaveState(&layer_state);
    if (layer_state.ByteSizeLong() == 0) continue;
    layer_state.set_name(layer.first);
    *state->add_layer_state() = layer_state;
  }
  state->set_random_state(Caffe::random_state());
}

template <typename Dtype>
void Solver<Dtype>::LoadProgress(const SolverState& state) {
  loss_window_.assign(state.loss_window().begin(), state.loss_window().end());
  while (loss_window_.size() > static_cast<size_t>(param_.average_loss())) {
    loss_window_.erase(loss_window_.begin());
  }
  std::map<string, const LayerState*> stored;
  for (const LayerState& layer_state : state.layer_state())
    stored[layer_state.name()] = &layer_state;
  for (const auto& layer : NamedLayers()) {
    const auto found = stored.find(layer.first);
    if (found != stored.end()) {
      layer.second->LoadState(*found->second);
      stored.erase(found);
      continue;
    }
    LayerState needed;
    layer.second->SaveState(&needed);
    LOG_IF(WARNING, needed.ByteSizeLong() > 0)
        << layer.second->Who() << ": the solver state holds no position for " << layer.first
        << "; it starts from its beginning";
  }
  for (const auto& left : stored) {
    LOG(WARNING) << "the solver state holds a position for " << left.first
                 << ", which no layer of the nets is called; it is left out";
  }
  if (state.has_random_state()) Caffe::set_random_state(state.random_state());
}

namespace {

/** A layer that found no parameters would go on from its filler; one that borrows all of them needs
 * none. */
template <typename Dtype>
void CheckNothingMissing(const Net<Dtype>& net, const WeightsReport& report, const string& file) {
  const std::set<string> missing(report.missing.begin(), report.missing.end());
  for (size_t i = 0; i < net.params().size(); ++i) {
    const string& layer = net.layer_names()[net.param_layer_indices()[i].first];
    if (net.param_owners()[i] != -1 || missing.count(layer) == 0) continue;
    throw Error("holds no parameters for the layer " + layer + ": it is of another net", "", file);
  }
}

}  // namespace

template <typename Dtype>
void Solver<Dtype>::Restore(const char* resume_file) {
  const string file(resume_file);
  LOG(INFO) << "Restoring previous solver status from " << file;
  const SolverState state = ReadSolverState<Dtype>(file);
  string weights_file;
  try {
    CheckUpdateState(state);
    weights_file = FindLearnedNet(state, file);
  } catch (const Error& error) {
    throw error.By(file);
  }
  CheckNothingMissing(*net_, net_->CopyTrainedLayersFrom(weights_file), weights_file);
  LoadUpdateState(state);
  iter_ = state.iter();
  display_start_ = Clock::time_point();
  progress_before_test_.reset();
  LoadProgress(state);
}

#define CAFFE_INSTANTIATE_SOLVER_SNAPSHOT(Dtype)                        \
  template string Solver<Dtype>::SnapshotFilename(const string&) const; \
  template void Solver<Dtype>::CheckSnapshotWritePermissions();         \
  template void Solver<Dtype>::Snapshot();                              \
  template void Solver<Dtype>::SaveProgress(SolverState*) const;        \
  template void Solver<Dtype>::Restore(const char*)
CAFFE_INSTANTIATE_SOLVER_SNAPSHOT(float);
CAFFE_INSTANTIATE_SOLVER_SNAPSHOT(double);

}  // namespace caffe
