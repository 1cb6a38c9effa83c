#ifndef CAFFE_SOLVER_HPP_
#define CAFFE_SOLVER_HPP_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "caffe/net.hpp"
#include "caffe/solver_factory.hpp"

namespace caffe {

/** @brief What a client (a signal handler, a script) asks a solver to do after this iteration. */
namespace SolverAction {
enum Enum {
  NONE = 0,     ///< go on
  STOP = 1,     ///< leave Step; Solve then writes a last snapshot
  SNAPSHOT = 2  ///< write a snapshot and go on
};
}  // namespace SolverAction

typedef std::function<SolverAction::Enum()> ActionCallback;

/**
 * @brief Trains a net: the loop around forward, backward and update, with the
 * tests, the log and the snapshots. Derived classes make the update.
 *
 * Interface and order of events are Caffe's. One iteration: gradients are
 * cleared; where test_interval says so the test nets run; iter_size times
 * forward and backward; the loss of the log is the mean over the last
 * average_loss iterations; ApplyUpdate; iter() grows; a snapshot where it is due.
 *
 * Two things differ from Caffe. The window of average_loss belongs to the
 * training and not to one call of Step, so ten calls of Step(1) are one of
 * Step(10). A loss that is not finite throws Error before anything is updated
 * or written.
 */
template <typename Dtype>
class Solver {
 public:
  explicit Solver(const SolverParameter& param);
  /** @brief From a prototxt file. @throws Error naming the file. */
  explicit Solver(const string& param_file);
  virtual ~Solver() = default;

  void Init(const SolverParameter& param);
  void InitTrainNet();
  void InitTestNets();

  /** @brief Trains to max_iter, from `resume_file` if it is given. */
  virtual void Solve(const char* resume_file = nullptr);
  void Solve(const string& resume_file) { Solve(resume_file.c_str()); }
  /**
   * @brief Runs `iters` more iterations, fewer if an action asked to stop.
   *
   * Subnormal numbers count as 0 meanwhile: see FlushTinyNumbers.
   */
  void Step(int iters);
  /** @brief Makes the update out of the gradients, applies it and tells the layers (OnUpdate). */
  virtual void ApplyUpdate() = 0;

  /**
   * @brief Continues from a .solverstate (binary or HDF5: its content decides)
   * and the weights that it names, so that the run gives the bits that it
   * would have given without the stop.
   *
   * The weights' file is looked for at the stored path, then beside the state.
   * @throws Error if the file is no solver state, is damaged, belongs to
   * another net, or its weights are missing or of another net. Nothing is
   * changed then, except where the weights fit but lack whole layers.
   */
  void Restore(const char* resume_file);
  /**
   * @brief Writes SNAPSHOT_PREFIX_iter_N.caffemodel and .solverstate (HDF5:
   * with .h5 after each). Each file appears whole or not at all.
   * @throws Error if a parameter is not finite, or a file cannot be written.
   */
  void Snapshot();
  /** @brief @throws Error if the files of Snapshot could not be written. */
  void CheckSnapshotWritePermissions();
  /**
   * @brief Copies weights by layer name into the train net and the test nets.
   * @param files a file, or several with commas between; later ones win.
   * @param skip_mismatched see Net::CopyTrainedLayersFrom.
   */
  void LoadWeights(const string& files, bool skip_mismatched = false);

  /** @brief `function` is asked after each iteration, and between the batches of a test. */
  void SetActionFunction(ActionCallback function) {
    action_request_function_ = std::move(function);
  }
  SolverAction::Enum GetRequestedAction();

  /** @brief Net::set_release_memory for the train net and the test nets, with one pool. */
  void set_release_memory(bool release);

  const SolverParameter& param() const { return param_; }
  shared_ptr<Net<Dtype>> net() { return net_; }
  const vector<shared_ptr<Net<Dtype>>>& test_nets() const { return test_nets_; }
  /** @brief How many updates were made. */
  int iter() const { return iter_; }
  /** @brief The mean of the last average_loss losses; 0 before the first. */
  Dtype smoothed_loss() const;

  /** @brief Called in each iteration, before the first forward and before the update. */
  class Callback {
   public:
    virtual ~Callback() = default;

   protected:
    virtual void on_start() = 0;
    virtual void on_gradients_ready() = 0;
    template <typename T>
    friend class Solver;
  };
  const vector<Callback*>& callbacks() const { return callbacks_; }
  void add_callback(Callback* value) { callbacks_.push_back(value); }

  virtual const char* type() const { return ""; }

 protected:
  /** @brief Adds what the update rule remembers (history, plateau) to a state to be written. */
  virtual void SaveUpdateState(SolverState* state) const = 0;
  /** @brief @throws Error if `state` belongs to another net or rule; changes nothing. */
  virtual void CheckUpdateState(const SolverState& state) const = 0;
  virtual void LoadUpdateState(const SolverState& state) = 0;
  /** @brief The rate of the next update, for the status line. */
  virtual Dtype GetLearningRate() const { return Dtype(0); }

  string SnapshotFilename(const string& extension) const;
  void TestAll();
  void Test(const int test_net_id = 0);

  SolverParameter param_;
  int iter_ = 0;
  shared_ptr<Net<Dtype>> net_;
  vector<shared_ptr<Net<Dtype>>> test_nets_;
  vector<Callback*> callbacks_;

 private:
  void RunIteration();
  Dtype ForwardBackward();
  void CheckLoss(Dtype loss) const;
  void CheckParamsFinite() const;
  void AddLoss(Dtype loss);
  void RunDueTests();
  void HandleActionsInTest();
  bool SnapshotIsDue() const;
  bool DisplayIsDue() const;
  void Display();
  void StartClocks();
  void ShowStatus(int stop_iter);
  void SaveProgress(SolverState* state) const;
  void LoadProgress(const SolverState& state);
  /** The layers of all nets; those of test nets as "test_net#0/NAME". */
  vector<pair<string, Layer<Dtype>*>> NamedLayers() const;

  ActionCallback action_request_function_;
  bool requested_early_exit_ = false;
  /** The last average_loss losses, oldest first; float, as a snapshot stores them. */
  vector<float> loss_window_;
  /** Taken when a test begins: a snapshot during the test resumes with all of the test. */
  std::unique_ptr<SolverState> progress_before_test_;
  string last_snapshot_;

  typedef std::chrono::steady_clock Clock;
  Clock::time_point display_start_, status_shown_, step_start_;
  int display_start_iter_ = 0;
  int step_start_iter_ = 0;

  DISABLE_COPY_AND_ASSIGN(Solver);
};

}  // namespace caffe

#endif  // CAFFE_SOLVER_HPP_
