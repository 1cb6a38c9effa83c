#ifndef CAFFE_DATA_RECORDS_HPP_
#define CAFFE_DATA_RECORDS_HPP_

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/util/db_lmdb.hpp"

namespace caffe {

/** @brief One record as it is stored, and its place in the training. */
struct Record {
  uint64_t position = 0;  ///< in the stream that it came from
  uint64_t epoch = 0;     ///< how often the whole collection was read before
  uint64_t index = 0;     ///< its place in the collection, in stored order
  string key;
  string value;
};

/** @brief A collection of records that are read by their place; one call at a time. */
class RecordSource {
 public:
  virtual ~RecordSource() = default;
  virtual uint64_t size() const = 0;
  /** @brief Fills key and value. Reading in stored order is the fast way. */
  virtual void Read(uint64_t index, Record* record) = 0;
  /** @brief What errors call a record: "record \"00012\" of the database /data/train". */
  virtual string NameOf(const Record& record) const = 0;
};

/**
 * @brief The records of an LMDB.
 *
 * Where records are not read in order it holds their keys in memory.
 */
class LmdbSource : public RecordSource {
 public:
  /** @param random_order whether records will be asked for in any order but the stored one. */
  LmdbSource(const string& path, bool random_order);
  uint64_t size() const override { return reader_.size(); }
  void Read(uint64_t index, Record* record) override;
  string NameOf(const Record& record) const override;

 private:
  void MoveTo(uint64_t index);
  void ReadKeys();

  string path_;
  LmdbReader reader_;
  bool random_order_;
  uint64_t place_ = 0;   ///< the index of the record where the reader stands, if valid
  vector<string> keys_;  ///< of all records, once they were needed
};

/** @brief Which record comes when. */
struct RecordOrder {
  uint64_t size = 0;     ///< records in the collection
  uint64_t seed = 0;     ///< the order of each epoch, if shuffled, depends on seed and epoch alone
  bool shuffle = false;  ///< a new order for each epoch
  uint64_t skip = 0;     ///< records left out at the very beginning
  int rank = 0;          ///< of count workers, this one reads the records rank, rank + count, …
  int count = 1;
};

/**
 * @brief An endless walk through a source, in a given order.
 *
 * The record at position p is the (skip + rank + p · count)-th of the
 * concatenated epochs, so what count workers read together is what one reads.
 */
class RecordStream {
 public:
  /** @throws Error if the collection is empty. */
  RecordStream(std::unique_ptr<RecordSource> source, const RecordOrder& order);
  /** @brief The next call of Next reads the record at this position. */
  void Seek(uint64_t position) { position_ = position; }
  void Next(Record* record) { Read(position_++, record); }
  /** @brief Reads the record at any position; going back is slow unless the order is random. */
  void Read(uint64_t position, Record* record);
  uint64_t size() const { return order_.size; }
  const RecordSource& source() const { return *source_; }

 private:
  uint64_t IndexInEpoch(uint64_t epoch, uint64_t place);

  std::unique_ptr<RecordSource> source_;
  RecordOrder order_;
  uint64_t position_ = 0;
  uint64_t shuffled_epoch_ = 0;  ///< the epoch that permutation_ is of, once it has elements
  vector<uint64_t> permutation_;
};

/**
 * @brief A generator for what is random about one record in one epoch, or
 * about one epoch (no index): the same whoever draws, and whenever.
 */
std::mt19937 RecordRandom(uint64_t seed, uint64_t epoch, uint64_t index);
std::mt19937 EpochRandom(uint64_t seed, uint64_t epoch);

/** @brief 0 … size − 1, in a random order if there is a generator. */
vector<uint64_t> Permutation(uint64_t size, std::mt19937* random);

/** @brief What a layer that reads records keeps in a snapshot. */
struct StreamState {
  uint64_t seed = 0;
  uint64_t num_records = 0;  ///< in the whole collection
  uint64_t consumed = 0;     ///< records that the net has got
};
void WriteStreamState(const StreamState& stream, LayerState* state);
/**
 * @brief Reads what WriteStreamState wrote; warns, as `who`, if the collection has changed.
 * @throws Error if the state is of another kind.
 */
StreamState ReadStreamState(const LayerState& state, uint64_t num_records, const string& who);

}  // namespace caffe

#endif  // CAFFE_DATA_RECORDS_HPP_
