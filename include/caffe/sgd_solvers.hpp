#ifndef CAFFE_SGD_SOLVERS_HPP_
#define CAFFE_SGD_SOLVERS_HPP_

#include <string>
#include <vector>

#include "caffe/solver.hpp"
#include "caffe/util/learning_rate.hpp"

namespace caffe {

/** @brief One parameter's arrays and factors in an update; see update_rules.hpp. */
template <typename Dtype>
struct ParamUpdate;

/**
 * @brief Stochastic gradient descent with momentum, and what all solvers that
 * update each parameter by itself share.
 *
 * With w a parameter, g its gradient and r = learning rate · lr_mult:
 *   g ← g · clip / iter_size + decay · w        (L1: decay · sign(w))
 *   h ← momentum · h + r · g,  w ← w − h
 * where decay = weight_decay · decay_mult, and clip = min(1, clip_gradients /
 * ‖all gradients‖₂), taken before the division by iter_size, as in Caffe.
 * Afterwards the parameter's diff holds the step that was subtracted. A
 * parameter whose lr_mult is 0 is left alone.
 *
 * Where a layer says that a diff is a step and no gradient
 * (Layer::ParamDiffIsStep), it is neither divided by iter_size nor clipped,
 * does not count in the norm, and is decayed only if its ParamSpec gives a
 * decay_mult of its own: a step already aims at a target, which a default
 * decay would only move.
 *
 * Each parameter is updated in one pass over its memory. A class that
 * overrides Normalize, Regularize, ComputeUpdateValue or ClipGradients gets
 * these called one after the other instead, as in Caffe.
 */
template <typename Dtype>
class SGDSolver : public Solver<Dtype> {
 public:
  explicit SGDSolver(const SolverParameter& param);
  explicit SGDSolver(const string& param_file);
  const char* type() const override { return "SGD"; }

  /** @brief What the rule remembers: one blob a parameter; two rules keep a second row after it. */
  const vector<shared_ptr<Blob<Dtype>>>& history() const { return history_; }
  void ApplyUpdate() override;
  /** @brief The rate of the next update, without lr_mult. */
  Dtype GetLearningRate() const override;

 protected:
  /** @brief Adds a row of zeros to history(), one blob a parameter. */
  void AddHistory();

  /** @name The steps of an update, for classes with a rule of their own. */
  ///@{
  /** @brief Scales the diffs of all parameters. */
  virtual void ClipGradients();
  /** @brief diff /= iter_size. */
  virtual void Normalize(int param_id);
  /** @brief diff += the gradient of the penalty on the parameter's size. */
  virtual void Regularize(int param_id);
  /** @brief diff ← the step to be subtracted; `rate` is without lr_mult. */
  virtual void ComputeUpdateValue(int param_id, Dtype rate);
  ///@}

  /** @brief Runs this solver's own rule over a part of a parameter; several threads call it. */
  virtual void RunRule(const ParamUpdate<Dtype>& update) const;
  /** @brief Whether weight decay goes beside the rule instead of into the gradient. */
  virtual bool DecayIsDecoupled() const { return false; }
  /** @brief Whether the object is of the very class whose RunRule is called, not of a derived one.
   */
  virtual bool IsBuiltIn() const;

  void SaveUpdateState(SolverState* state) const override;
  void CheckUpdateState(const SolverState& state) const override;
  void LoadUpdateState(const SolverState& state) override;

  vector<shared_ptr<Blob<Dtype>>> history_;

 private:
  void NotePlateau();
  ParamUpdate<Dtype> DescribeUpdate(int param_id, Dtype rate) const;
  Dtype LocalDecay(int param_id) const;
  Dtype ClipFactor() const;
  void UpdateInOnePass(Dtype rate);
  /** Runs the rule over each of the parameters, by all threads. */
  void RunRules(const vector<ParamUpdate<Dtype>>& updates) const;

  PlateauState plateau_;
  vector<bool> diff_is_step_;

  DISABLE_COPY_AND_ASSIGN(SGDSolver);
};

/**
 * @brief Nesterov's accelerated gradient (1983): with g and r as for SGDSolver,
 * h′ ← momentum · h + r · g,  w ← w − ((1 + momentum) · h′ − momentum · h).
 */
template <typename Dtype>
class NesterovSolver : public SGDSolver<Dtype> {
 public:
  explicit NesterovSolver(const SolverParameter& param) : SGDSolver<Dtype>(param) {}
  explicit NesterovSolver(const string& param_file) : SGDSolver<Dtype>(param_file) {}
  const char* type() const override { return "Nesterov"; }

 protected:
  void RunRule(const ParamUpdate<Dtype>& update) const override;
  bool IsBuiltIn() const override;
};

/**
 * @brief AdaGrad (Duchi, Hazan, Singer 2011): h ← h + g²,
 * w ← w − r · g / (√h + delta). Takes no momentum.
 */
template <typename Dtype>
class AdaGradSolver : public SGDSolver<Dtype> {
 public:
  explicit AdaGradSolver(const SolverParameter& param);
  explicit AdaGradSolver(const string& param_file);
  const char* type() const override { return "AdaGrad"; }

 protected:
  void RunRule(const ParamUpdate<Dtype>& update) const override;
  bool IsBuiltIn() const override;
};

/**
 * @brief RMSProp (Tieleman, Hinton 2012): h ← rms_decay · h + (1 − rms_decay) · g²,
 * w ← w − r · g / (√h + delta). Takes no momentum.
 */
template <typename Dtype>
class RMSPropSolver : public SGDSolver<Dtype> {
 public:
  explicit RMSPropSolver(const SolverParameter& param);
  explicit RMSPropSolver(const string& param_file);
  const char* type() const override { return "RMSProp"; }

 protected:
  void RunRule(const ParamUpdate<Dtype>& update) const override;
  bool IsBuiltIn() const override;
};

/**
 * @brief AdaDelta (Zeiler 2012): with m = momentum, h ← m · h + (1 − m) · g²,
 * u = g · √((delta + k) / (delta + h)), k ← m · k + (1 − m) · u², w ← w − r · u.
 */
template <typename Dtype>
class AdaDeltaSolver : public SGDSolver<Dtype> {
 public:
  explicit AdaDeltaSolver(const SolverParameter& param);
  explicit AdaDeltaSolver(const string& param_file);
  const char* type() const override { return "AdaDelta"; }

 protected:
  void RunRule(const ParamUpdate<Dtype>& update) const override;
  bool IsBuiltIn() const override;
};

/**
 * @brief Adam (Kingma, Ba 2015): with β1 = momentum, β2 = momentum2, t = iter + 1,
 * m ← β1 · m + (1 − β1) · g,  v ← β2 · v + (1 − β2) · g²,
 * w ← w − r · √(1 − β2^t) / (1 − β1^t) · m / (√v + delta).
 */
template <typename Dtype>
class AdamSolver : public SGDSolver<Dtype> {
 public:
  explicit AdamSolver(const SolverParameter& param);
  explicit AdamSolver(const string& param_file);
  const char* type() const override { return "Adam"; }

 protected:
  void RunRule(const ParamUpdate<Dtype>& update) const override;
  bool IsBuiltIn() const override;
};

/**
 * @brief AdamW (Loshchilov, Hutter 2019), which Caffe does not have: Adam whose
 * weight decay stays out of the moments. With m, v, t as for Adam and
 * m̂ = m / (1 − β1^t), v̂ = v / (1 − β2^t):
 * w ← w − r · (m̂ / (√v̂ + delta) + decay · w).
 */
template <typename Dtype>
class AdamWSolver : public SGDSolver<Dtype> {
 public:
  explicit AdamWSolver(const SolverParameter& param);
  explicit AdamWSolver(const string& param_file);
  const char* type() const override { return "AdamW"; }

 protected:
  void RunRule(const ParamUpdate<Dtype>& update) const override;
  bool DecayIsDecoupled() const override { return true; }
  bool IsBuiltIn() const override;
};

}  // namespace caffe

#endif  // CAFFE_SGD_SOLVERS_HPP_
