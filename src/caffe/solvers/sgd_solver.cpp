#include <omp.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <typeinfo>

#include "caffe/sgd_solvers.hpp"
#include "caffe/solvers/solver_state.hpp"
#include "caffe/solvers/update_rules.hpp"

namespace caffe {

namespace {

/** For each learnable parameter, whether its layer calls the diff a step. */
template <typename Dtype>
vector<bool> FindSteps(const Net<Dtype>& net) {
  vector<bool> steps;
  for (const int param_id : net.learnable_param_owners()) {
    const pair<int, int>& place = net.param_layer_indices()[param_id];
    steps.push_back(net.layers()[place.first]->ParamDiffIsStep(place.second));
  }
  return steps;
}

// Below this many elements starting threads costs more than the work.
constexpr int kSerialCount = 1 << 15;

/** In double and in blocks of fixed length, so that the number of threads does not matter. */
template <typename Dtype>
double SumOfSquares(int count, const Dtype* values) {
  constexpr int kBlock = 4096;
  constexpr int kLanes = 16;  // sums of their own, so that the loop over them vectorizes
  const int num_blocks = (count + kBlock - 1) / kBlock;
  vector<double> sums(num_blocks);
#pragma omp parallel for if (count > kSerialCount)
  for (int block = 0; block < num_blocks; ++block) {
    double lanes[kLanes] = {};
    const int end = std::min(count, (block + 1) * kBlock);
    for (int first = block * kBlock; first < end; first += kLanes) {
      const int num_here = std::min(kLanes, end - first);
      for (int i = 0; i < num_here; ++i) {
        lanes[i] += static_cast<double>(values[first + i]) * static_cast<double>(values[first + i]);
      }
    }
    sums[block] = std::accumulate(lanes, lanes + kLanes, 0.0);
  }
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace

template <typename Dtype>
SGDSolver<Dtype>::SGDSolver(const SolverParameter& param)
    : Solver<Dtype>(param), diff_is_step_(FindSteps(*this->net_)) {
  AddHistory();
}

template <typename Dtype>
SGDSolver<Dtype>::SGDSolver(const string& param_file)
    : Solver<Dtype>(param_file), diff_is_step_(FindSteps(*this->net_)) {
  AddHistory();
}

template <typename Dtype>
void SGDSolver<Dtype>::AddHistory() {
  for (const Blob<Dtype>* param : this->net_->learnable_params()) {
    history_.push_back(std::make_shared<Blob<Dtype>>(param->shape()));
  }
}

template <typename Dtype>
Dtype SGDSolver<Dtype>::GetLearningRate() const {
  return static_cast<Dtype>(LearningRate(this->param_, this->iter_, plateau_.step));
}

template <typename Dtype>
void SGDSolver<Dtype>::NotePlateau() {
  if (this->param_.lr_policy() != "plateau") return;
  const float mean_loss = static_cast<float>(this->smoothed_loss());
  if (UpdatePlateau(this->param_, this->iter_, mean_loss, &plateau_)) {
    LOG(INFO) << "Plateau Status: Iteration " << this->iter_ << ", step " << plateau_.step
              << ", minimum_loss = " << plateau_.minimum_loss;
  }
}

template <typename Dtype>
void SGDSolver<Dtype>::ApplyUpdate() {
  NotePlateau();
  const Dtype rate = GetLearningRate();
  if (this->param_.display() > 0 && this->iter_ % this->param_.display() == 0) {
    LOG(INFO) << "Iteration " << this->iter_ << ", lr = " << rate;
  }
  if (IsBuiltIn()) {
    UpdateInOnePass(rate);
    return;
  }
  ClipGradients();
  const int num_params = static_cast<int>(this->net_->learnable_params().size());
  for (int i = 0; i < num_params; ++i) {
    Normalize(i);
    Regularize(i);
    ComputeUpdateValue(i, rate);
  }
  this->net_->Update();
}

template <typename Dtype>
void SGDSolver<Dtype>::RunRules(const vector<ParamUpdate<Dtype>>& updates) const {
  const int64_t total =
      std::accumulate(updates.begin(), updates.end(), int64_t{0},
                      [](int64_t sum, const ParamUpdate<Dtype>& u) { return sum + u.count; });
  // One team for all, whose members take equal shares: most parameters are small, a few large.
#pragma omp parallel if (total > kSerialCount)
  {
    const int64_t share = omp_get_thread_num(), num_shares = omp_get_num_threads();
    const int64_t first = total * share / num_shares, end = total * (share + 1) / num_shares;
    int64_t begin = 0;  // of the parameter
    for (const ParamUpdate<Dtype>& update : updates) {
      const int64_t from = std::max(first - begin, int64_t{0});
      const int64_t to = std::min<int64_t>(end - begin, update.count);
      if (from < to) RunRule(update.Part(static_cast<int>(from), static_cast<int>(to)));
      begin += update.count;
    }
  }
}

template <typename Dtype>
void SGDSolver<Dtype>::UpdateInOnePass(Dtype rate) {
  const Dtype clip = ClipFactor();
  const int num_params = static_cast<int>(this->net_->learnable_params().size());
  vector<ParamUpdate<Dtype>> updates;
  for (int i = 0; i < num_params; ++i) {
    if (this->net_->params_lr()[i] == 0) continue;
    updates.push_back(DescribeUpdate(i, rate));
    if (!diff_is_step_[i]) updates.back().gradient_scale = clip / this->param_.iter_size();
  }
  RunRules(updates);
  for (const auto& layer : this->net_->layers()) {
    try {
      layer->OnUpdate();
    } catch (const Error& error) {
      throw error.By(layer->Who());
    }
  }
}

template <typename Dtype>
Dtype SGDSolver<Dtype>::LocalDecay(int param_id) const {
  if (diff_is_step_[param_id] && !this->net_->has_params_decay()[param_id]) return Dtype(0);
  return static_cast<Dtype>(this->param_.weight_decay()) *
         static_cast<Dtype>(this->net_->params_weight_decay()[param_id]);
}

template <typename Dtype>
ParamUpdate<Dtype> SGDSolver<Dtype>::DescribeUpdate(int param_id, Dtype rate) const {
  Blob<Dtype>* param = this->net_->learnable_params()[param_id];
  const size_t num_params = this->net_->learnable_params().size();
  ParamUpdate<Dtype> update;
  update.count = param->count();
  update.data = param->mutable_cpu_data();
  update.diff = param->mutable_cpu_diff();
  update.history = history_[param_id]->mutable_cpu_data();
  if (history_.size() > num_params) {
    update.history2 = history_[num_params + param_id]->mutable_cpu_data();
  }
  update.rate = rate * static_cast<Dtype>(this->net_->params_lr()[param_id]);
  const Dtype decay = LocalDecay(param_id);
  if (DecayIsDecoupled()) {
    update.decoupled = update.rate * decay;
  } else if (this->param_.regularization_type() == "L2") {
    update.l2 = decay;
  } else {
    update.l1 = decay;
  }
  return update;
}

template <typename Dtype>
Dtype SGDSolver<Dtype>::ClipFactor() const {
  const double threshold = this->param_.clip_gradients();
  if (threshold < 0) return Dtype(1);
  double sum = 0;
  const vector<Blob<Dtype>*>& params = this->net_->learnable_params();
  for (size_t i = 0; i < params.size(); ++i) {
    if (!diff_is_step_[i]) sum += SumOfSquares(params[i]->count(), params[i]->cpu_diff());
  }
  const double norm = std::sqrt(sum);
  if (norm <= threshold) return Dtype(1);
  const double factor = threshold / norm;
  LOG(INFO) << "Gradient clipping: scaling down gradients (L2 norm " << norm << " > " << threshold
            << ") by scale factor " << factor;
  return static_cast<Dtype>(factor);
}

template <typename Dtype>
void SGDSolver<Dtype>::ClipGradients() {
  const Dtype factor = ClipFactor();
  if (factor == Dtype(1)) return;
  const vector<Blob<Dtype>*>& params = this->net_->learnable_params();
  for (size_t i = 0; i < params.size(); ++i) {
    if (!diff_is_step_[i]) params[i]->scale_diff(factor);
  }
}

template <typename Dtype>
void SGDSolver<Dtype>::Normalize(int param_id) {
  if (this->param_.iter_size() == 1 || diff_is_step_[param_id]) return;
  this->net_->learnable_params()[param_id]->scale_diff(Dtype(1) / this->param_.iter_size());
}

template <typename Dtype>
void SGDSolver<Dtype>::Regularize(int param_id) {
  ParamUpdate<Dtype> update = DescribeUpdate(param_id, Dtype(0));
  if (update.l2 == Dtype(0) && update.l1 == Dtype(0)) return;
  for (int i = 0; i < update.count; ++i) update.diff[i] = update_rules::Gradient(update, i);
}

template <typename Dtype>
void SGDSolver<Dtype>::ComputeUpdateValue(int param_id, Dtype rate) {
  ParamUpdate<Dtype> update = DescribeUpdate(param_id, rate);
  update.l1 = update.l2 = Dtype(0);
  update.apply = false;
  RunRules({update});
}

template <typename Dtype>
void SGDSolver<Dtype>::RunRule(const ParamUpdate<Dtype>& update) const {
  RunWithOneHistory(update, SgdRule<Dtype>{static_cast<Dtype>(this->param_.momentum())});
}

template <typename Dtype>
bool SGDSolver<Dtype>::IsBuiltIn() const {
  return typeid(*this) == typeid(SGDSolver<Dtype>);
}

template <typename Dtype>
void SGDSolver<Dtype>::SaveUpdateState(SolverState* state) const {
  for (const auto& blob : history_) blob->ToProto(state->add_history());
  const string& policy = this->param_.lr_policy();
  if (policy == "plateau") {
    state->set_current_step(plateau_.step);
  } else if (policy == "step" && this->param_.stepsize() > 0) {
    state->set_current_step(this->iter_ / this->param_.stepsize());
  } else if (policy == "multistep") {
    state->set_current_step(MultistepCount(this->param_, this->iter_));
  }
  state->set_minimum_loss(plateau_.minimum_loss);
  state->set_iter_last_event(plateau_.last_event);
}

template <typename Dtype>
void SGDSolver<Dtype>::CheckUpdateState(const SolverState& state) const {
  CheckHistory(state, history_, this->type());
}

template <typename Dtype>
void SGDSolver<Dtype>::LoadUpdateState(const SolverState& state) {
  for (size_t i = 0; i < history_.size(); ++i) {
    history_[i]->FromProto(state.history(static_cast<int>(i)), false);
  }
  plateau_ = PlateauState();
  if (this->param_.lr_policy() != "plateau") return;
  plateau_.step = state.current_step();
  plateau_.minimum_loss = state.minimum_loss();
  plateau_.last_event = state.iter_last_event();
}

INSTANTIATE_CLASS(SGDSolver);
REGISTER_SOLVER_CLASS(SGD);

}  // namespace caffe
