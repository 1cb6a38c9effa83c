#ifndef CAFFE_CORE_ACTIVATION_MEMORY_HPP_
#define CAFFE_CORE_ACTIVATION_MEMORY_HPP_

#include <memory>
#include <string>
#include <vector>

#include "caffe/net.hpp"
#include "caffe/util/memory_plan.hpp"
#include "caffe/util/memory_pool.hpp"

namespace caffe {

/**
 * @brief Gives a net's blobs back their memory when no later layer of a pass needs the values.
 *
 * A pass of a TRAIN net is its forward and its backward, one of a TEST net the forward alone. A
 * layer's backward needs the data of its bottoms and tops and the gradients of its tops. In TRAIN,
 * data is given back only if its producer runs backward, for such a layer computes its tops anew
 * each time.
 */
template <typename Dtype>
class ActivationMemory {
 public:
  /** @param keep names of blobs to be kept beside the net's inputs, outputs and losses. */
  ActivationMemory(const Net<Dtype>& net, const vector<string>& keep,
                   const shared_ptr<MemoryPool>& pool);
  /** @brief From now on all values are kept. */
  ~ActivationMemory();

  void BeforeForward(int layer);
  void AfterForward(int layer);
  void BeforeBackward(int layer);
  void AfterBackward(int layer);

  const shared_ptr<MemoryPool>& pool() const { return pool_; }

 private:
  static MemoryPlan MakePlan(const Net<Dtype>& net, const vector<bool>& keep);
  static vector<bool> KeptSlots(const Net<Dtype>& net, const vector<string>& names);
  bool OnlyFusedReads(int layer) const;
  SyncedMemory* Memory(int slot) const;
  void GiveBack(int step);

  const Net<Dtype>& net_;
  shared_ptr<MemoryPool> pool_;
  vector<bool> keep_;  // by slot: blob i's data is 2 i, its gradient 2 i + 1
  MemoryPlan plan_;
  // By layer: whether nobody reads its bottom after it if it does the backward before it, too.
  vector<bool> frees_bottom_;
  vector<const SyncedMemory*> memory_of_;
  vector<int> free_;

  DISABLE_COPY_AND_ASSIGN(ActivationMemory);
};

}  // namespace caffe

#endif  // CAFFE_CORE_ACTIVATION_MEMORY_HPP_
