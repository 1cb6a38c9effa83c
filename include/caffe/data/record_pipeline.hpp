#ifndef CAFFE_DATA_RECORD_PIPELINE_HPP_
#define CAFFE_DATA_RECORD_PIPELINE_HPP_

#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/data/prefetcher.hpp"
#include "caffe/data/record_report.hpp"
#include "caffe/data/records.hpp"

namespace caffe {

/** @brief What a data layer hands to its tops. */
template <typename Dtype>
class Batch {
 public:
  Blob<Dtype> data_, label_;
};

/** @brief The memory of one batch, which its blobs are not asked for by several threads. */
template <typename Dtype>
struct BatchMemory {
  std::unique_ptr<Batch<Dtype>> batch;
  Dtype* data = nullptr;
  Dtype* label = nullptr;
  vector<vector<Dtype>> rows;  ///< for each item
};

/** @brief The place of one item in a batch: a row of its data, and a label or rows of labels. */
template <typename Dtype>
class BatchItem {
 public:
  BatchItem(BatchMemory<Dtype>* memory, int item) : memory_(memory), item_(item) {}
  int index() const { return item_; }
  /**
   * @brief Where the values go.
   *
   * A batch of one item takes the shape of that item; in others all items have
   * the shape of the collection's first record.
   * @throws Error for another shape.
   */
  Dtype* Data(const vector<int>& shape);
  void SetLabel(Dtype label) { memory_->label[item_] = label; }
  /** @brief Any number of values, empty at first, for RecordLoader::Complete. */
  vector<Dtype>* Rows() { return &memory_->rows[item_]; }

 private:
  BatchMemory<Dtype>* memory_;
  int item_;
};

/**
 * @brief Makes items of records: decodes, augments, writes.
 *
 * Workers call Load concurrently. What it writes must depend on the record and
 * the generator alone. Errors need not name the record; where it is the
 * record's own they are a BrokenRecord.
 */
template <typename Dtype>
class RecordLoader {
 public:
  virtual ~RecordLoader() = default;
  virtual void Load(const Record& record, std::mt19937* random, BatchItem<Dtype>* item) const = 0;
  /** @brief A batch is complete: what the items put in their Rows may go to its blobs. */
  virtual void Complete(const vector<vector<Dtype>>& /*rows*/, Batch<Dtype>* /*batch*/) const {}
};

/** @brief Where records come from: a new walk through the same records in the same order. */
typedef std::function<std::unique_ptr<RecordStream>()> StreamOpener;

/**
 * @brief Loads records, named in their errors, each with the random numbers that are its own.
 *
 * With a report, a broken record is reported and the next good one of the
 * stream takes its place, which keeps its random numbers, so that what a batch
 * holds still depends on the seed alone. (The other one comes in its own place too.)
 */
template <typename Dtype>
class RecordReader {
 public:
  /** @param report nullptr: a broken record is an error. */
  RecordReader(shared_ptr<const RecordLoader<Dtype>> loader, StreamOpener open_stream,
               uint64_t seed, shared_ptr<RecordReport> report)
      : loader_(std::move(loader)),
        open_stream_(std::move(open_stream)),
        seed_(seed),
        report_(std::move(report)) {}
  /**
   * @brief From any thread. `source` is where the record came from.
   * @throws Error if twenty records in a row (or all) are broken, or more than half of all.
   */
  void Load(const Record& record, const RecordSource& source, BatchItem<Dtype>* item);
  const RecordLoader<Dtype>& loader() const { return *loader_; }

 private:
  void LoadNamed(const Record& record, const RecordSource& source, std::mt19937 random,
                 BatchItem<Dtype>* item) const;
  void Replace(const Record& broken, string complaint, BatchItem<Dtype>* item);

  shared_ptr<const RecordLoader<Dtype>> loader_;
  StreamOpener open_stream_;
  uint64_t seed_;
  shared_ptr<RecordReport> report_;
  std::mutex mutex_;                     ///< guards spare_
  std::unique_ptr<RecordStream> spare_;  ///< which replacements come from
};

struct PipelinePlan {
  int batch_size = 1;
  int prefetch = 4;  ///< batches that are made ahead
  int num_workers = 1;
};

/** @brief From records to batches, by prefetching threads; they run as long as it exists. */
template <typename Dtype>
class RecordPipeline {
 public:
  /** @param shape of an item */
  RecordPipeline(std::unique_ptr<RecordStream> stream, std::unique_ptr<RecordReader<Dtype>> reader,
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
