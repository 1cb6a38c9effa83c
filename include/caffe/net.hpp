#ifndef CAFFE_NET_HPP_
#define CAFFE_NET_HPP_

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/layer.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

template <typename Dtype>
class ActivationMemory;
class MemoryPool;

/** @brief What became of the weights of a file, by layer name. */
struct WeightsReport {
  vector<string> loaded;      ///< in file and net, copied
  vector<string> skipped;     ///< only in the file
  vector<string> missing;     ///< only in the net: these keep their fillers' values
  vector<string> mismatched;  ///< in both, with other shapes: "fc8: net 10 3 (30), file 5 3 (15)"
  /** @brief One line for the log. */
  string Summary() const;
};

/**
 * @brief A directed graph of layers, built from a NetParameter.
 *
 * Interface and rules (filtering by state, automatic splits, sharing of
 * parameters by name, which blobs need gradients) are Caffe's. In a TRAIN net
 * all learnable parameters lie in one buffer and their gradients in another,
 * in the order of learnable_params(), each aligned to 64 bytes.
 */
template <typename Dtype>
class Net {
 public:
  explicit Net(const NetParameter& param);
  /**
   * @brief As Net(param), then CopyTrainedLayersFrom(weights); no filler runs in vain for a layer
   * that the weights hold.
   */
  Net(const NetParameter& param, const NetParameter& weights, WeightsReport* report = nullptr);
  /** @throws Error naming the file for anything wrong with it. */
  explicit Net(const string& param_file, Phase phase, const int level = 0,
               const vector<string>* stages = nullptr);
  virtual ~Net() = default;

  /** @brief Runs all layers. @return the outputs; `loss`, if given, is the sum of weighted losses.
   */
  const vector<Blob<Dtype>*>& Forward(Dtype* loss = nullptr);
  /** @brief Deprecated name of Forward. */
  const vector<Blob<Dtype>*>& ForwardPrefilled(Dtype* loss = nullptr) { return Forward(loss); }
  /** @brief Deprecated: copies the inputs first. */
  const vector<Blob<Dtype>*>& Forward(const vector<Blob<Dtype>*>& bottom, Dtype* loss = nullptr);
  /**
   * @brief Runs layers start to end, both included. @return their loss.
   *
   * A layer that absorbed others (Layer::Absorb) does their work in its own, unless the run ends
   * before the last of them, or debug_info or a callback looks at what lies between.
   */
  Dtype ForwardFromTo(int start, int end);
  Dtype ForwardFrom(int start) { return ForwardFromTo(start, num_layers() - 1); }
  Dtype ForwardTo(int end) { return ForwardFromTo(0, end); }
  void Backward() { BackwardFromTo(num_layers() - 1, 0); }
  /**
   * @brief Layers start down to end, both included; layers that need no gradient are left out.
   *
   * A layer that absorbed the backward of the one before does it in its own, unless the run does
   * not reach that one, or debug_info, a callback or a changed blob makes a difference.
   */
  void BackwardFromTo(int start, int end);
  void BackwardFrom(int start) { BackwardFromTo(start, 0); }
  void BackwardTo(int end) { BackwardFromTo(num_layers() - 1, end); }
  /** @brief Reshapes all layers from the inputs on, without running them. */
  void Reshape();
  Dtype ForwardBackward();

  /** @brief Zeroes the gradients of the learnable parameters and tells the layers. */
  void ClearParamDiffs();
  /** @brief data -= diff for every learnable parameter, then tells the layers. */
  void Update();
  /** @brief Parameters that share a name get their owner's data and diff. */
  void ShareWeights();
  /** @brief Layers of the same name use `other`'s parameters from now on. */
  void ShareTrainedLayersWith(const Net* other);

  /**
   * @brief Copies parameters by layer name.
   * @throws Error naming every layer whose shapes differ, before anything is
   * copied; with `skip_mismatched` these are left as they are and reported.
   */
  WeightsReport CopyTrainedLayersFrom(const NetParameter& param, bool skip_mismatched = false);
  /** @brief From a .caffemodel, or an HDF5 file (its content decides, not its name). */
  WeightsReport CopyTrainedLayersFrom(const string& trained_filename, bool skip_mismatched = false);
  /** @brief The weights of such a file, as CopyTrainedLayersFrom takes them. */
  static void ReadWeights(const string& filename, NetParameter* weights);
  void CopyTrainedLayersFromBinaryProto(const string& trained_filename);
  void CopyTrainedLayersFromHDF5(const string& trained_filename);
  void ToProto(NetParameter* param, bool write_diff = false) const;
  /** @brief Writes the parameters in Caffe's HDF5 layout (/data/LAYER/INDEX), atomically. */
  void ToHDF5(const string& filename, bool write_diff = false) const;

  /** @brief The first top blob, in running order, that holds a NaN or an infinity; or empty. */
  string FirstNonFinite() const;

  const string& name() const { return name_; }
  Phase phase() const { return phase_; }
  int num_layers() const { return static_cast<int>(layers_.size()); }
  const vector<string>& layer_names() const { return layer_names_; }
  const vector<string>& blob_names() const { return blob_names_; }
  const vector<shared_ptr<Blob<Dtype>>>& blobs() const { return blobs_; }
  const vector<shared_ptr<Layer<Dtype>>>& layers() const { return layers_; }
  const vector<vector<Blob<Dtype>*>>& bottom_vecs() const { return bottom_vecs_; }
  const vector<vector<Blob<Dtype>*>>& top_vecs() const { return top_vecs_; }
  const vector<int>& top_ids(int i) const { return top_id_vecs_.at(i); }
  const vector<int>& bottom_ids(int i) const { return bottom_id_vecs_.at(i); }
  const vector<vector<bool>>& bottom_need_backward() const { return bottom_need_backward_; }
  const vector<bool>& layer_need_backward() const { return layer_need_backward_; }
  const vector<Dtype>& blob_loss_weights() const { return blob_loss_weights_; }
  /** @brief The layers whose forward layer i may do in its own, in running order. */
  const vector<int>& absorbed(int i) const { return absorbed_.at(i); }
  /** @brief The layer whose backward layer i may do in its own (Layer::AbsorbBackward), or -1. */
  int absorbed_backward(int i) const { return absorbed_backward_.at(i); }
  /** @brief Whether a whole Backward would do so now, after the last Forward. */
  bool FusesBackward(int i) const;

  /** @brief Every parameter of every layer; shared ones appear once a layer. */
  const vector<shared_ptr<Blob<Dtype>>>& params() const { return params_; }
  /** @brief Every parameter once. */
  const vector<Blob<Dtype>*>& learnable_params() const { return learnable_params_; }
  const vector<float>& params_lr() const { return params_lr_; }
  const vector<bool>& has_params_lr() const { return has_params_lr_; }
  const vector<float>& params_weight_decay() const { return params_weight_decay_; }
  const vector<bool>& has_params_decay() const { return has_params_decay_; }
  const map<string, int>& param_names_index() const { return param_names_index_; }
  const vector<int>& param_owners() const { return param_owners_; }
  const vector<string>& param_display_names() const { return param_display_names_; }
  /** @brief (layer index, index in its blobs()) of params()[i]. */
  const vector<pair<int, int>>& param_layer_indices() const { return param_layer_indices_; }
  /** @brief The index in params() of learnable_params()[i]. */
  const vector<int>& learnable_param_owners() const { return learnable_param_owners_; }
  /** @brief The one buffer of all learnable parameters; null in TEST. */
  const shared_ptr<SyncedMemory>& param_data() const { return param_data_; }
  /** @brief The same of their gradients: ask again after ClearParamDiffs, which may put off its
   * zeros until somebody asks. */
  const shared_ptr<SyncedMemory>& param_diff() const;

  int num_inputs() const { return static_cast<int>(net_input_blobs_.size()); }
  int num_outputs() const { return static_cast<int>(net_output_blobs_.size()); }
  const vector<Blob<Dtype>*>& input_blobs() const { return net_input_blobs_; }
  const vector<Blob<Dtype>*>& output_blobs() const { return net_output_blobs_; }
  const vector<int>& input_blob_indices() const { return net_input_blob_indices_; }
  const vector<int>& output_blob_indices() const { return net_output_blob_indices_; }
  bool has_blob(const string& blob_name) const;
  /** @return null, with a warning, if there is none, as in Caffe. */
  const shared_ptr<Blob<Dtype>> blob_by_name(const string& blob_name) const;
  bool has_layer(const string& layer_name) const;
  const shared_ptr<Layer<Dtype>> layer_by_name(const string& layer_name) const;

  void set_debug_info(const bool value) { debug_info_ = value; }

  /**
   * @brief Whether blobs give their memory back, for others, once no layer needs the values.
   *
   * In a TRAIN net activations and their gradients go after the last layer that reads them in its
   * forward or in its backward; in a TEST net activations go after the last layer that reads them
   * in its forward, so Backward is not possible. The net's
   * inputs, outputs and losses, and the blobs named in `keep`, hold their values as ever, as do
   * those of which somebody holds an array (PinHost). Whoever reads another one gets an error.
   * Off by default.
   * @param pool where the memory comes from: null makes one. Nets that never run at the same time
   * may share one.
   * @throws Error if there is no blob of a name in `keep`.
   */
  void set_release_memory(bool release, const vector<string>& keep = {},
                          const shared_ptr<MemoryPool>& pool = nullptr);
  bool release_memory() const { return activation_memory_ != nullptr; }

  /** @brief Keeps the layers whose include and exclude rules the net's state meets. */
  static void FilterNet(const NetParameter& param, NetParameter* param_filtered);
  static bool StateMeetsRule(const NetState& state, const NetStateRule& rule,
                             const string& layer_name);

  /** @brief Called around each layer's run. */
  class Callback {
   public:
    virtual ~Callback() = default;

   protected:
    virtual void run(int layer) = 0;
    template <typename T>
    friend class Net;
  };
  const vector<Callback*>& before_forward() const { return before_forward_; }
  void add_before_forward(Callback* value) { before_forward_.push_back(value); }
  const vector<Callback*>& after_forward() const { return after_forward_; }
  void add_after_forward(Callback* value) { after_forward_.push_back(value); }
  const vector<Callback*>& before_backward() const { return before_backward_; }
  void add_before_backward(Callback* value) { before_backward_.push_back(value); }
  const vector<Callback*>& after_backward() const { return after_backward_; }
  void add_after_backward(Callback* value) { after_backward_.push_back(value); }

 private:
  void Init(const NetParameter& param, const std::set<string>& filled_later = {});
  void AddLayer(LayerParameter param, bool filled_later);
  void AddBottoms(const LayerParameter& param);
  void AddTops(const LayerParameter& param);
  int AddTop(const LayerParameter& param, int top_index, const string& blob_name);
  void AddParams(int layer_id);
  void AddParam(int layer_id, int param_index);
  void ShareParam(int param_id, int owner_id, const ParamSpec& spec);
  void MarkLayerBackward(int layer_id);
  void PruneBackward();
  void ForceBackward();
  void GatherParams();
  void AbsorbLayers();
  void AbsorbBackwards();
  int NextInPlace(int blob_id, int layer_id) const;
  bool ForwardFused(int layer_id, int end);
  void UnfuseForBackward(int start, int end);
  const Layer<Dtype>* FindLayer(const string& name) const;
  void DebugForward(int layer_id) const;
  void DebugBackward(int layer_id) const;
  void CheckLayerRange(int first, int last) const;

  string name_;
  Phase phase_ = TRAIN;
  bool debug_info_ = false;

  vector<shared_ptr<Layer<Dtype>>> layers_;
  vector<string> layer_names_;
  map<string, int> layer_names_index_;
  vector<bool> layer_need_backward_;

  vector<vector<int>> absorbed_;
  vector<int> absorbed_backward_;
  vector<bool> done_by_other_;  ///< layers that another has done in this run
  bool fuses_ = true;

  vector<shared_ptr<Blob<Dtype>>> blobs_;
  vector<string> blob_names_;
  map<string, int> blob_names_index_;
  vector<int> blob_producers_;
  vector<bool> blob_need_backward_;
  vector<Dtype> blob_loss_weights_;
  std::set<string> unused_blobs_;

  vector<vector<Blob<Dtype>*>> bottom_vecs_;
  vector<vector<int>> bottom_id_vecs_;
  vector<vector<bool>> bottom_need_backward_;
  vector<vector<Blob<Dtype>*>> top_vecs_;
  vector<vector<int>> top_id_vecs_;

  vector<shared_ptr<Blob<Dtype>>> params_;
  vector<pair<int, int>> param_layer_indices_;
  vector<string> param_display_names_;
  vector<int> param_owners_;
  map<string, int> param_names_index_;
  vector<Blob<Dtype>*> learnable_params_;
  vector<int> learnable_param_ids_;
  vector<int> learnable_param_owners_;
  vector<float> params_lr_;
  vector<bool> has_params_lr_;
  vector<float> params_weight_decay_;
  vector<bool> has_params_decay_;
  shared_ptr<SyncedMemory> param_data_;
  shared_ptr<SyncedMemory> param_diff_;

  vector<int> net_input_blob_indices_;
  vector<int> net_output_blob_indices_;
  vector<Blob<Dtype>*> net_input_blobs_;
  vector<Blob<Dtype>*> net_output_blobs_;

  vector<Callback*> before_forward_;
  vector<Callback*> after_forward_;
  vector<Callback*> before_backward_;
  vector<Callback*> after_backward_;

  shared_ptr<ActivationMemory<Dtype>> activation_memory_;  // null: all values are kept

  DISABLE_COPY_AND_ASSIGN(Net);
};

}  // namespace caffe

#endif  // CAFFE_NET_HPP_
