// The training loop: iterations, tests, the log.
#include "caffe/solver.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "caffe/solvers/num_classes.hpp"
#include "caffe/solvers/solver_nets.hpp"
#include "caffe/solvers/test_evaluator.hpp"
#include "caffe/util/learning_rate.hpp"
#include "caffe/util/tiny_numbers.hpp"
#include "caffe/util/upgrade_proto.hpp"

namespace caffe {

template <typename Dtype>
Solver<Dtype>::Solver(const SolverParameter& param) {
  Init(param);
}

template <typename Dtype>
Solver<Dtype>::Solver(const string& param_file) {
  SolverParameter param;
  ReadSolverParamsFromTextFileOrDie(param_file, &param);
  Init(param);
}

template <typename Dtype>
void Solver<Dtype>::Init(const SolverParameter& param) {
  LOG_IF(INFO, Caffe::root_solver()) << "Initializing solver from parameters: \n"
                                     << param.DebugString();
  CheckSolverParameter(param);
  param_ = param;
  iter_ = 0;
  loss_window_.clear();
  if (param_.snapshot() > 0 && Caffe::root_solver()) CheckSnapshotWritePermissions();
  if (param_.random_seed() >= 0) {
    Caffe::set_random_seed(static_cast<unsigned int>(param_.random_seed()) +
                           static_cast<unsigned int>(Caffe::solver_rank()));
  }
  InitTrainNet();
  InitTestNets();
  for (const string& files : param_.weights()) LoadWeights(files);
  LOG_IF(INFO, Caffe::root_solver()) << "Solver scaffolding done.";
}

template <typename Dtype>
void Solver<Dtype>::InitTrainNet() {
  const NetParameter net_param = TrainNetParameter(param_);
  LOG_IF(INFO, Caffe::root_solver()) << "Creating training net \"" << net_param.name() << "\"";
  net_ = std::make_shared<Net<Dtype>>(net_param);
  CheckNumClasses(*net_);
}

template <typename Dtype>
void Solver<Dtype>::InitTestNets() {
  test_nets_.clear();
  for (const TestNetSource& source : TestNetParameters(param_)) {
    LOG(INFO) << "Creating test net (#" << test_nets_.size() << ") specified by "
              << source.description;
    test_nets_.push_back(std::make_shared<Net<Dtype>>(source.net));
    test_nets_.back()->set_debug_info(param_.debug_info());
    CheckNumClasses(*test_nets_.back());
    MakeTestEvaluator<Dtype>(param_, *test_nets_.back());  // throws now, not at the first test
  }
}

template <typename Dtype>
void Solver<Dtype>::LoadWeights(const string& files, bool skip_mismatched) {
  std::istringstream list(files);
  string file;
  while (std::getline(list, file, ',')) {
    LOG(INFO) << "Finetuning from " << file;
    LOG(INFO) << net_->CopyTrainedLayersFrom(file, skip_mismatched).Summary();
    for (const auto& test_net : test_nets_) test_net->CopyTrainedLayersFrom(file, skip_mismatched);
  }
}

template <typename Dtype>
void Solver<Dtype>::set_release_memory(bool release) {
  // These nets run in turns.
  const shared_ptr<MemoryPool> pool = release ? MemoryPool::Make() : nullptr;
  net_->set_release_memory(release, {}, pool);
  for (const auto& test_net : test_nets_) test_net->set_release_memory(release, {}, pool);
}

template <typename Dtype>
SolverAction::Enum Solver<Dtype>::GetRequestedAction() {
  return action_request_function_ ? action_request_function_() : SolverAction::NONE;
}

template <typename Dtype>
void Solver<Dtype>::Solve(const char* resume_file) {
  CHECK(Caffe::root_solver()) << "only the root solver solves; the others are stepped by it";
  LOG(INFO) << "Solving " << net_->name();
  LOG(INFO) << "Learning Rate Policy: " << param_.lr_policy();
  if (param_.snapshot_after_train()) CheckSnapshotWritePermissions();
  if (resume_file != nullptr && *resume_file != '\0') Restore(resume_file);
  LOG_IF(WARNING, iter_ >= param_.max_iter())
      << "max_iter is " << param_.max_iter() << " and the solver is at iteration " << iter_
      << ": there is nothing to train";
  Step(param_.max_iter() - iter_);
  if (param_.snapshot_after_train() && !SnapshotIsDue()) Snapshot();
  if (requested_early_exit_) {
    LOG(INFO) << "Optimization stopped early.";
    return;
  }
  if (DisplayIsDue()) {
    const Dtype loss = net_->ForwardFromTo(0, net_->num_layers() - 1);
    CheckLoss(loss);
    AddLoss(loss);
    LOG(INFO) << "Iteration " << iter_ << ", loss = " << smoothed_loss();
    loss_window_.pop_back();
  }
  RunDueTests();
  LOG(INFO) << "Optimization Done.";
}

namespace {

/** The status line goes when training ends, however it ends. */
struct StatusLineRemover {
  ~StatusLineRemover() { logging::SetStatusLine(""); }
};

}  // namespace

template <typename Dtype>
void Solver<Dtype>::Step(int iters) {
  CheckLearningRatePolicy(param_);
  const StatusLineRemover remover;
  const FlushTinyNumbers flush;
  requested_early_exit_ = false;
  const int stop_iter = iter_ + iters;
  StartClocks();
  while (iter_ < stop_iter) {
    if (iter_ > 0 || param_.test_initialization()) RunDueTests();
    if (requested_early_exit_) break;
    RunIteration();
    if (iters > 1) ShowStatus(stop_iter);
    const SolverAction::Enum request = GetRequestedAction();
    if (Caffe::root_solver() && (SnapshotIsDue() || request == SolverAction::SNAPSHOT)) Snapshot();
    if (request == SolverAction::STOP) {
      requested_early_exit_ = true;
      break;
    }
  }
}

template <typename Dtype>
bool Solver<Dtype>::SnapshotIsDue() const {
  return param_.snapshot() > 0 && iter_ % param_.snapshot() == 0;
}

template <typename Dtype>
bool Solver<Dtype>::DisplayIsDue() const {
  return param_.display() > 0 && iter_ % param_.display() == 0;
}

template <typename Dtype>
void Solver<Dtype>::RunIteration() {
  net_->ClearParamDiffs();
  for (Callback* callback : callbacks_) callback->on_start();
  net_->set_debug_info(DisplayIsDue() && param_.debug_info());
  AddLoss(ForwardBackward());
  if (DisplayIsDue()) Display();
  for (Callback* callback : callbacks_) callback->on_gradients_ready();
  ApplyUpdate();
  ++iter_;
}

template <typename Dtype>
Dtype Solver<Dtype>::ForwardBackward() {
  Dtype loss = 0;
  for (int i = 0; i < param_.iter_size(); ++i) {
    Dtype part;
    net_->Forward(&part);
    CheckLoss(part);  // while all values are there
    net_->Backward();
    loss += part;
  }
  return loss / param_.iter_size();
}

template <typename Dtype>
void Solver<Dtype>::CheckLoss(Dtype loss) const {
  if (std::isfinite(loss)) return;
  const string culprit = net_->FirstNonFinite();
  LOG(FATAL) << "iteration " << iter_ << ": the loss is " << loss << ", expected a finite number; "
             << (culprit.empty() ? "every output by itself is finite"
                                 : "the first values that are not finite are in the " + culprit)
             << ". Nothing was updated or written; the last snapshot is "
             << (last_snapshot_.empty() ? "none" : last_snapshot_)
             << ". A lower base_lr, warmup_iter or clip_gradients may help; else look at the data";
}

template <typename Dtype>
void Solver<Dtype>::AddLoss(Dtype loss) {
  if (loss_window_.size() >= static_cast<size_t>(param_.average_loss())) {
    loss_window_.erase(loss_window_.begin());
  }
  loss_window_.push_back(static_cast<float>(loss));
}

template <typename Dtype>
Dtype Solver<Dtype>::smoothed_loss() const {
  if (loss_window_.empty()) return Dtype(0);
  const double sum = std::accumulate(loss_window_.begin(), loss_window_.end(), 0.0);
  return static_cast<Dtype>(sum / loss_window_.size());
}

namespace {

void LogOutputs(const string& net, const vector<string>& results) {
  for (size_t i = 0; i < results.size(); ++i) {
    LOG(INFO) << "    " << net << " net output #" << i << ": " << results[i];
  }
}

}  // namespace

template <typename Dtype>
void Solver<Dtype>::RunDueTests() {
  const bool is_due = param_.test_interval() > 0 && iter_ % param_.test_interval() == 0;
  if (is_due && Caffe::root_solver()) TestAll();
}

template <typename Dtype>
void Solver<Dtype>::TestAll() {
  progress_before_test_ = std::make_unique<SolverState>();
  SaveProgress(progress_before_test_.get());
  for (size_t i = 0; i < test_nets_.size() && !requested_early_exit_; ++i) {
    Test(static_cast<int>(i));
  }
  // After an interrupted test a resumed run shall begin it again.
  if (!requested_early_exit_) progress_before_test_.reset();
}

template <typename Dtype>
void Solver<Dtype>::Test(const int test_net_id) {
  CHECK(Caffe::root_solver()) << "only the root solver tests";
  CHECK(test_net_id >= 0 && test_net_id < static_cast<int>(test_nets_.size()))
      << "test net " << test_net_id << " of " << test_nets_.size();
  LOG(INFO) << "Iteration " << iter_ << ", Testing net (#" << test_net_id << ")";
  Net<Dtype>& test_net = *test_nets_[test_net_id];
  test_net.ShareTrainedLayersWith(net_.get());
  const auto evaluator = MakeTestEvaluator<Dtype>(param_, test_net);
  const int num_batches = param_.test_iter(test_net_id);
  double loss = 0;
  for (int i = 0; i < num_batches; ++i) {
    HandleActionsInTest();
    if (requested_early_exit_) {
      LOG(INFO) << "Test interrupted.";
      return;
    }
    Dtype batch_loss;
    test_net.Forward(&batch_loss);
    loss += batch_loss;
    evaluator->AddBatch(test_net);
  }
  if (num_batches == 0) return;
  if (param_.test_compute_loss()) LOG(INFO) << "Test loss: " << loss / num_batches;
  for (const string& line : evaluator->Details(test_net)) LOG(INFO) << "    " << line;
  LogOutputs("Test", evaluator->Results(test_net));
}

template <typename Dtype>
void Solver<Dtype>::HandleActionsInTest() {
  for (SolverAction::Enum request = GetRequestedAction(); request != SolverAction::NONE;
       request = GetRequestedAction()) {
    if (request == SolverAction::SNAPSHOT) Snapshot();
    if (request == SolverAction::STOP) {
      requested_early_exit_ = true;
      return;
    }
  }
}

template <typename Dtype>
void Solver<Dtype>::Display() {
  if (!Caffe::root_solver()) return;
  const double seconds = std::chrono::duration<double>(Clock::now() - display_start_).count();
  const double rate = seconds > 0 ? (iter_ - display_start_iter_) / seconds : 0;
  LOG(INFO) << "Iteration " << iter_ << " (" << rate << " iter/s, " << seconds << "s/"
            << param_.display() << " iters), loss = " << smoothed_loss();
  display_start_ = Clock::now();
  display_start_iter_ = iter_;
  LogOutputs("Train", DescribeOutputs(*net_, OutputValues(*net_)));
  for (const auto& layer : net_->layers()) {
    const string report = layer->Report();
    if (!report.empty()) LOG(INFO) << "    " << layer->Who() << ": " << report;
  }
}

template <typename Dtype>
void Solver<Dtype>::StartClocks() {
  step_start_ = Clock::now();
  status_shown_ = Clock::time_point();
  step_start_iter_ = iter_;
  // The rate of the log goes on over many short steps.
  if (display_start_ != Clock::time_point()) return;
  display_start_ = step_start_;
  display_start_iter_ = iter_;
}

namespace {

/** "1h02m", "2m34s" or "9s". */
string FormatDuration(double seconds) {
  const long total = std::lround(seconds);
  char text[32];
  if (total >= 3600) {
    std::snprintf(text, sizeof text, "%ldh%02ldm", total / 3600, total / 60 % 60);
  } else if (total >= 60) {
    std::snprintf(text, sizeof text, "%ldm%02lds", total / 60, total % 60);
  } else {
    std::snprintf(text, sizeof text, "%lds", total);
  }
  return text;
}

}  // namespace

template <typename Dtype>
void Solver<Dtype>::ShowStatus(int stop_iter) {
  if (!logging::HasStatusLine() || !Caffe::root_solver()) return;
  const Clock::time_point now = Clock::now();
  if (now - status_shown_ < std::chrono::milliseconds(200)) return;
  status_shown_ = now;
  const double seconds = std::chrono::duration<double>(now - step_start_).count();
  const double rate = (iter_ - step_start_iter_) / seconds;
  std::ostringstream line;
  line.precision(3);
  line << "Iteration " << iter_ << "/" << stop_iter << "  " << rate << " iter/s  "
       << FormatDuration((stop_iter - iter_) / rate) << " left  loss " << smoothed_loss() << "  lr "
       << GetLearningRate();
  logging::SetStatusLine(line.str());
}

#define CAFFE_INSTANTIATE_SOLVER_LOOP(Dtype)                       \
  template Solver<Dtype>::Solver(const SolverParameter&);          \
  template Solver<Dtype>::Solver(const string&);                   \
  template void Solver<Dtype>::Init(const SolverParameter&);       \
  template void Solver<Dtype>::InitTrainNet();                     \
  template void Solver<Dtype>::InitTestNets();                     \
  template void Solver<Dtype>::LoadWeights(const string&, bool);   \
  template void Solver<Dtype>::set_release_memory(bool);           \
  template SolverAction::Enum Solver<Dtype>::GetRequestedAction(); \
  template void Solver<Dtype>::Solve(const char*);                 \
  template void Solver<Dtype>::Step(int);                          \
  template Dtype Solver<Dtype>::smoothed_loss() const;             \
  template void Solver<Dtype>::TestAll();                          \
  template void Solver<Dtype>::Test(const int)
CAFFE_INSTANTIATE_SOLVER_LOOP(float);
CAFFE_INSTANTIATE_SOLVER_LOOP(double);

}  // namespace caffe
