#ifndef CAFFE_DATA_RECORD_PIPELINE_HPP_
#define CAFFE_DATA_RECORD_PIPELINE_HPP_

#include <memory>
#include <random>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/data/prefetcher.hpp"
#include "caffe/data/records.hpp"

namespace caffe {

/** @brief What a data layer hands to its tops. */
template <typename Dtype>
class Batch {
 public:
  Blob<Dtype> data_, label_;
};

/** @brief The place of one item in a batch: a row of its data and a label. */
template <typename Dtype>
class BatchItem {
 public:
  /** @param data, label the memory of the batch's blobs, which are not asked for it here. */
  BatchItem(Batch<Dtype>* batch, int item, Dtype* data, Dtype* label)
      : batch_(batch), item_(item), data_(data), label_(label) {}
  /**
   * @brief Where the values go.
   *
   * A batch of one item takes the shape of that item; in others all items have
   * the shape of the collection's first record.
   * @throws Error for another shape.
   */
  Dtype* Data(const vector<int>& shape);
  void SetLabel(Dtype label) { *label_ = label; }

 private:
  Batch<Dtype>* batch_;
  int item_;
  Dtype* data_;
  Dtype* label_;
};

/**
 * @brief Makes items of records: decodes, augments, writes.
 *
 * Workers call Load concurrently. What it writes must depend on the record and
 * the generator alone. Errors need not name the record.
 */
template <typename Dtype>
class RecordLoader {
 public:
  virtual ~RecordLoader() = default;
  virtual void Load(const Record& record, std::mt19937* random, BatchItem<Dtype>* item) const = 0;
};

/** @brief Loads one record, named in its errors, with the random numbers that are its own. */
template <typename Dtype>
void LoadRecord(const RecordLoader<Dtype>& loader, const RecordSource& source, const Record& record,
                uint64_t seed, BatchItem<Dtype>* item);

struct PipelinePlan {
  int batch_size = 1;
  int prefetch = 4;  ///< batches that are made ahead
  int num_workers = 1;
  uint64_t seed = 0;
};

/** @brief From records to batches, by prefetching threads; they run as long as it exists. */
template <typename Dtype>
class RecordPipeline {
 public:
  /** @param shape of an item */
  RecordPipeline(std::unique_ptr<RecordStream> stream, shared_ptr<const RecordLoader<Dtype>> loader,
                 const vector<int>& shape, const PipelinePlan& plan);
  ~RecordPipeline();
  /** @brief The next batch, the caller's until the next call; see Prefetcher::Next. */
  Batch<Dtype>* Next();
  bool InForkedChild() const { return prefetcher_->InForkedChild(); }

 private:
  class Work;
  Work* work_;  ///< the prefetcher's
  std::unique_ptr<Prefetcher> prefetcher_;
};

}  // namespace caffe

#endif  // CAFFE_DATA_RECORD_PIPELINE_HPP_
