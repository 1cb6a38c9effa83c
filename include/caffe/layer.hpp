#ifndef CAFFE_LAYER_HPP_
#define CAFFE_LAYER_HPP_

#include <memory>
#include <string>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/layer_factory.hpp"
#include "caffe/proto/caffe.pb.h"
#include "caffe/util/math_functions.hpp"

/** Defined where Layer has OnClearParamDiffs, OnUpdate, ParamDiffIsStep, SaveState, LoadState. */
#define CAFFE_LAYER_HAS_UPDATE_HOOKS 1

namespace caffe {

/**
 * @brief One operation of a net: bottom blobs in, top blobs out.
 *
 * A layer author overrides LayerSetUp, Reshape, Forward_cpu, Backward_cpu and
 * type(), and registers the class with REGISTER_LAYER_CLASS; the interface is
 * Caffe's. Contract of Backward: the gradient of each bottom whose
 * propagate_down is set is overwritten; gradients of parameters are added to.
 * Errors thrown by SetUp, Reshape (in a net), Forward and Backward name the layer.
 */
template <typename Dtype>
class Layer {
 public:
  explicit Layer(const LayerParameter& param);
  virtual ~Layer() = default;

  /** @brief Checks the numbers of blobs, then LayerSetUp, Reshape and the loss weights. */
  void SetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top);
  /** @brief One-time setup: reads layer_param_, shapes blobs_. */
  virtual void LayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                          const vector<Blob<Dtype>*>& /*top*/) {}
  /** @brief Shapes the tops and buffers after the bottoms; called before every Forward. */
  virtual void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) = 0;

  /** @brief Reshape and Forward_cpu or Forward_gpu. @return the weighted loss of the tops. */
  Dtype Forward(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top);
  void Backward(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                const vector<Blob<Dtype>*>& bottom);

  /**
   * @brief Asks this layer to do the forward of `next` in its own from now on, when told so.
   *
   * Net asks when all layers are set up. `next` works in place on this layer's only top, right
   * after this layer and what it absorbed before, and neither has a loss. After a yes, Net runs
   * ForwardFused where nobody can see what lies between; Forward does its own work as ever.
   * In a TRAIN net every Backward must find what it would after Forwards of their own; a TEST net
   * runs those once more before its first Backward, and fuses no longer.
   */
  virtual bool Absorb(Layer* /*next*/) { return false; }
  /**
   * @brief Reshape, and the forward of this layer and all that it absorbed in one.
   * @return false if that is not possible, or would not give the same, this time: Net runs every
   * layer's own Forward then.
   */
  bool ForwardFused(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top);

  /**
   * @brief Asks this layer to do the backward of `before` in its own from now on, when told so.
   *
   * Net asks when all layers are set up. `before` works in place on this layer's only bottom,
   * right before this layer, and has no loss. After a yes, Net runs BackwardFused where nobody can
   * see what lies between, and only after CanBackwardFused.
   */
  virtual bool AbsorbBackward(Layer* /*before*/) { return false; }
  /**
   * @brief Whether BackwardFused can follow the last Forward, and gives what two Backwards would.
   *
   * A layer that says yes right after its Forward, and whose BackwardFused reads no bottom, needs
   * its data no more: they may be given back (SyncedMemory::GiveBack), and then it must say yes
   * until the next Forward.
   */
  virtual bool CanBackwardFused(const vector<Blob<Dtype>*>& /*bottom*/) const { return false; }
  /** @brief Whether BackwardFused reads the data of its bottom. */
  virtual bool BackwardFusedReadsBottoms() const { return true; }
  /** @brief Backward of this layer, and of the one that it absorbed for this, in one. */
  void BackwardFused(const vector<Blob<Dtype>*>& top, const vector<Blob<Dtype>*>& bottom);
  /**
   * @brief Whether Backward reads the data (not the gradients) of any bottom; of any top.
   *
   * A net that saves memory gives back early what no Backward reads. A class that reads more than
   * its base overrides these too.
   */
  virtual bool BackwardReadsBottoms() const { return true; }
  virtual bool BackwardReadsTops() const { return true; }

  vector<shared_ptr<Blob<Dtype>>>& blobs() { return blobs_; }
  const LayerParameter& layer_param() const { return layer_param_; }
  virtual void ToProto(LayerParameter* param, bool write_diff = false);

  Dtype loss(const int top_index) const {
    return static_cast<int>(loss_.size()) > top_index ? loss_[top_index] : Dtype(0);
  }
  void set_loss(const int top_index, const Dtype value);

  virtual const char* type() const { return ""; }
  /** @brief "conv1 (Convolution)": what errors call this layer. */
  string Who() const;

  /** @name Numbers of blobs that the layer accepts; -1 for any. */
  ///@{
  virtual int ExactNumBottomBlobs() const { return -1; }
  virtual int MinBottomBlobs() const { return -1; }
  virtual int MaxBottomBlobs() const { return -1; }
  virtual int ExactNumTopBlobs() const { return -1; }
  virtual int MinTopBlobs() const { return -1; }
  virtual int MaxTopBlobs() const { return -1; }
  virtual bool EqualNumBottomTopBlobs() const { return false; }
  virtual bool AutoTopBlobs() const { return false; }
  ///@}
  virtual bool AllowForceBackward(const int /*bottom_index*/) const { return true; }

  bool param_propagate_down(const int param_id) const {
    return static_cast<int>(param_propagate_down_.size()) > param_id &&
           param_propagate_down_[param_id];
  }
  void set_param_propagate_down(const int param_id, const bool value);

  /** @name What Caffe's layers do not have; each does nothing by default. */
  ///@{
  /** @brief The gradients of the parameters were set to zero: a new iteration begins. */
  virtual void OnClearParamDiffs() {}
  /** @brief The solver has applied its update of this iteration. */
  virtual void OnUpdate() {}
  /** @brief Whether a parameter's diff is a step over all sub-batches, not a sum to be averaged. */
  virtual bool ParamDiffIsStep(int /*param_id*/) const { return false; }
  /** @brief Writes what a resumed run needs beside the blobs (a data layer's position). */
  virtual void SaveState(LayerState* /*state*/) const {}
  virtual void LoadState(const LayerState& /*state*/) {}
  /** @brief Whether Forward may find its tops as its last run left them, rather than write them. */
  virtual bool ReusesTops() const { return false; }
  /** @brief Facts worth a line in the log every `display` iterations, or empty. */
  virtual string Report() const { return ""; }
  ///@}

 protected:
  virtual void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) = 0;
  virtual void Forward_gpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
    Forward_cpu(bottom, top);
  }
  virtual void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                            const vector<Blob<Dtype>*>& bottom) = 0;
  virtual void Backward_gpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                            const vector<Blob<Dtype>*>& bottom) {
    Backward_cpu(top, propagate_down, bottom);
  }
  virtual bool Forward_fused(const vector<Blob<Dtype>*>& /*bottom*/,
                             const vector<Blob<Dtype>*>& /*top*/) {
    return false;
  }
  virtual void Backward_fused(const vector<Blob<Dtype>*>& /*top*/,
                              const vector<Blob<Dtype>*>& /*bottom*/) {}
  virtual void CheckBlobCounts(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top);
  /** @brief Fills the diff of each top that has a loss weight with that weight. */
  void SetLossWeights(const vector<Blob<Dtype>*>& top);

  LayerParameter layer_param_;
  Phase phase_;
  vector<shared_ptr<Blob<Dtype>>> blobs_;
  vector<bool> param_propagate_down_;
  vector<Dtype> loss_;

  DISABLE_COPY_AND_ASSIGN(Layer);
};

}  // namespace caffe

#endif  // CAFFE_LAYER_HPP_
