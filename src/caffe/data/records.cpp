#include "caffe/data/records.hpp"

#include <numeric>

#include "caffe/util/rng.hpp"

namespace caffe {

LmdbSource::LmdbSource(const string& path, bool random_order)
    : path_(path), reader_(path), random_order_(random_order) {
  CHECK(reader_.size() > 0) << "database " << path << ": is empty";
}

string LmdbSource::NameOf(const Record& record) const {
  return "record \"" + record.key + "\" of the database " + path_;
}

void LmdbSource::Read(uint64_t index, Record* record) {
  CHECK(index < size()) << "record " << index << " of the database " << path_ << ", which has "
                        << size();
  MoveTo(index);
  record->key = reader_.key();
  record->value = reader_.value();
}

void LmdbSource::MoveTo(uint64_t index) {
  if (random_order_) {
    if (keys_.empty()) ReadKeys();
    CHECK(reader_.Seek(keys_[index]))
        << "database " << path_ << ": the record \"" << keys_[index] << "\" is gone";
    return;
  }
  if (!reader_.valid() || index < place_) {
    CHECK(reader_.First()) << "database " << path_ << ": is empty";
    place_ = 0;
  }
  for (; place_ < index; ++place_) {
    CHECK(reader_.Next()) << "database " << path_ << ": ended after " << place_ + 1
                          << " records, expected " << size();
  }
}

void LmdbSource::ReadKeys() {
  keys_.reserve(size());
  for (bool found = reader_.First(); found; found = reader_.Next()) keys_.push_back(reader_.key());
  CHECK(keys_.size() == size()) << "database " << path_ << ": ended after " << keys_.size()
                                << " records, expected " << size();
}

RecordStream::RecordStream(std::unique_ptr<RecordSource> source, const RecordOrder& order)
    : source_(std::move(source)), order_(order) {
  CHECK(order_.size > 0) << "there are no records";
  CHECK(order_.count > 0 && order_.rank >= 0 && order_.rank < order_.count)
      << "rank " << order_.rank << " of " << order_.count;
}

uint64_t RecordStream::IndexInEpoch(uint64_t epoch, uint64_t place) {
  if (!order_.shuffle) return place;
  if (permutation_.empty() || shuffled_epoch_ != epoch) {
    std::mt19937 random = EpochRandom(order_.seed, epoch);
    permutation_ = Permutation(order_.size, &random);
    shuffled_epoch_ = epoch;
  }
  return permutation_[place];
}

void RecordStream::Read(uint64_t position, Record* record) {
  const uint64_t place = order_.skip + static_cast<uint64_t>(order_.rank) +
                         position * static_cast<uint64_t>(order_.count);
  record->position = position;
  record->epoch = place / order_.size;
  record->index = IndexInEpoch(record->epoch, place % order_.size);
  record->key = "number " + std::to_string(record->index);  // until it is known
  record->value.clear();
  source_->Read(record->index, record);
}

namespace {

std::mt19937 Generator(uint64_t seed, uint64_t epoch, uint64_t index, uint32_t purpose) {
  const auto low = [](uint64_t value) { return static_cast<uint32_t>(value); };
  const auto high = [](uint64_t value) { return static_cast<uint32_t>(value >> 32U); };
  std::seed_seq sequence{low(seed),  high(seed),  low(epoch), high(epoch),
                         low(index), high(index), purpose};
  return std::mt19937(sequence);
}

}  // namespace

std::mt19937 RecordRandom(uint64_t seed, uint64_t epoch, uint64_t index) {
  return Generator(seed, epoch, index, 1);
}

std::mt19937 EpochRandom(uint64_t seed, uint64_t epoch) { return Generator(seed, epoch, 0, 2); }

vector<uint64_t> Permutation(uint64_t size, std::mt19937* random) {
  vector<uint64_t> order(size);
  std::iota(order.begin(), order.end(), 0);
  if (random != nullptr) shuffle(order.begin(), order.end(), random);
  return order;
}

void WriteStreamState(const StreamState& stream, LayerState* state) {
  state->set_records(stream.consumed);
  state->set_data("seed " + std::to_string(stream.seed) + " of " +
                  std::to_string(stream.num_records));
}

StreamState ReadStreamState(const LayerState& state, uint64_t num_records, const string& who) {
  StreamState stream;
  stream.consumed = state.records();
  std::istringstream in(state.data());
  string seed_word, of_word;
  in >> seed_word >> stream.seed >> of_word >> stream.num_records;
  CHECK(in && seed_word == "seed" && of_word == "of")
      << "the stored state is not that of a layer that reads records: \"" << state.data() << "\"";
  LOG_IF(WARNING, stream.num_records != num_records)
      << who << ": there were " << stream.num_records << " records when the state was saved, now "
      << num_records << "; going on after " << stream.consumed
      << ", but not with what would have come next";
  return stream;
}

}  // namespace caffe
