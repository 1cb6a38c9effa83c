#ifndef CAFFE_DATA_PREFETCHER_HPP_
#define CAFFE_DATA_PREFETCHER_HPP_

#include <sys/types.h>

#include <memory>

#include "caffe/common.hpp"
#include "caffe/data/records.hpp"

namespace caffe {

/** @brief What a Prefetcher's workers do. Batches lie in slots, items in batches. */
class PrefetchWork {
 public:
  virtual ~PrefetchWork() = default;
  /** @brief A batch begins in this slot. Begin and Read are called one at a time, in order. */
  virtual void Begin(int /*slot*/) {}
  /** @brief Reads the next record. */
  virtual void Read(Record* /*record*/) {}
  /** @brief Makes one item of its record; concurrently with others, of this slot too. */
  virtual void Load(const Record& record, int slot, int item) = 0;
};

struct PrefetchPlan {
  int num_slots = 3;  ///< at least 2: one is in the consumer's hands
  int items_per_batch = 1;
  int num_workers = 1;
};

/**
 * @brief Threads that fill a ring of batches ahead of their consumer.
 *
 * Batches come out in order, and their content does not depend on the number
 * of workers, if Load is a function of the record. An exception of the work is
 * kept, and thrown by Next when that batch is due; of several in one batch it
 * is that of the first item. The destructor waits for items being loaded, no
 * longer. In a forked child the threads do not exist: there the destructor
 * leaves everything as it is, and Next throws.
 */
class Prefetcher {
 public:
  /** @throws Error if no thread can be started. */
  Prefetcher(std::unique_ptr<PrefetchWork> work, const PrefetchPlan& plan);
  ~Prefetcher();

  /**
   * @brief Waits for the next batch; the one given out before may be overwritten from now on.
   * @return its slot, which is the caller's until the next call.
   * @throws Error that a worker met; the same again in each further call.
   */
  int Next();
  /** @brief Whether this process was forked from the one that made the threads. */
  bool InForkedChild() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
  pid_t process_;

  DISABLE_COPY_AND_ASSIGN(Prefetcher);
};

}  // namespace caffe

#endif  // CAFFE_DATA_PREFETCHER_HPP_
