#include "caffe/data/record_pipeline.hpp"

#include <algorithm>

namespace caffe {

namespace {

vector<int> WithBatchAxis(int batch_size, const vector<int>& item) {
  vector<int> shape(1, batch_size);
  shape.insert(shape.end(), item.begin(), item.end());
  return shape;
}

string Describe(const vector<int>& shape) {
  std::ostringstream out;
  for (size_t i = 0; i < shape.size(); ++i) out << (i > 0 ? " x " : "") << shape[i];
  return out.str();
}

/** OpenCV's messages have several. */
string OneLine(string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

/** Broken records that are replaced by one good one, less one. */
constexpr uint64_t kMostInARow = 20;

}  // namespace

template <typename Dtype>
Dtype* BatchItem<Dtype>::Data(const vector<int>& shape) {
  Blob<Dtype>& blob = memory_->batch->data_;
  const vector<int> expected(blob.shape().begin() + 1, blob.shape().end());
  if (shape == expected) return memory_->data + static_cast<size_t>(item_) * blob.count(1);
  CHECK(blob.shape(0) == 1) << "all records of a batch must have the shape of the first, "
                            << Describe(expected) << ", got " << Describe(shape)
                            << "; crop or resize them, or use batch_size: 1";
  blob.Reshape(WithBatchAxis(1, shape));
  memory_->data = blob.mutable_cpu_data();
  return memory_->data;
}

template <typename Dtype>
void RecordReader<Dtype>::LoadNamed(const Record& record, const RecordSource& source,
                                    std::mt19937 random, BatchItem<Dtype>* item) const {
  item->Rows()->clear();
  try {
    loader_->Load(record, &random, item);
  } catch (const BrokenRecord& error) {
    throw BrokenRecord(source.NameOf(record) + ": " + OneLine(error.what()));
  } catch (const std::exception& error) {
    throw Error(source.NameOf(record) + ": " + OneLine(error.what()));
  }
}

template <typename Dtype>
void RecordReader<Dtype>::Load(const Record& record, const RecordSource& source,
                               BatchItem<Dtype>* item) {
  try {
    LoadNamed(record, source, RecordRandom(seed_, record.epoch, record.index), item);
  } catch (const BrokenRecord& error) {
    if (!report_) throw;
    Replace(record, error.what(), item);
  }
}

template <typename Dtype>
void RecordReader<Dtype>::Replace(const Record& broken, string complaint, BatchItem<Dtype>* item) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!spare_) spare_ = open_stream_();
  const uint64_t most = std::min<uint64_t>(spare_->size(), kMostInARow);
  Record record = broken;
  for (uint64_t tried = 1;; ++tried) {
    const uint64_t count =
        report_->Warn(record.index, complaint + "; the next good record takes its place");
    CHECK(tried < most) << most << " records in a row are broken; the last: " << complaint;
    CHECK(count <= std::max<uint64_t>(spare_->size() / 2, 1))
        << "more than half of the " << spare_->size() << " records are broken; one: " << complaint;
    spare_->Read(broken.position + tried, &record);
    try {
      LoadNamed(record, spare_->source(), RecordRandom(seed_, broken.epoch, broken.index), item);
      return;
    } catch (const BrokenRecord& error) {
      complaint = error.what();
    }
  }
}

/** The memory of the batches, and the record stream that fills it. */
template <typename Dtype>
class RecordPipeline<Dtype>::Work : public PrefetchWork {
 public:
  Work(std::unique_ptr<RecordStream> stream, std::unique_ptr<RecordReader<Dtype>> reader,
       const vector<int>& shape, int batch_size, int num_slots)
      : stream_(std::move(stream)), reader_(std::move(reader)) {
    for (int i = 0; i < num_slots; ++i) {
      slots_.emplace_back();
      slots_.back().batch.reset(new Batch<Dtype>);
      slots_.back().batch->data_.Reshape(WithBatchAxis(batch_size, shape));
      slots_.back().batch->label_.Reshape({batch_size});
      slots_.back().rows.resize(batch_size);
    }
  }

  Batch<Dtype>* Completed(int index) {
    const BatchMemory<Dtype>& slot = slots_[index];
    reader_->loader().Complete(slot.rows, slot.batch.get());
    return slot.batch.get();
  }

  void Begin(int index) override {
    BatchMemory<Dtype>& slot = slots_[index];
    slot.data = slot.batch->data_.mutable_cpu_data();
    slot.label = slot.batch->label_.mutable_cpu_data();
  }

  void Read(Record* record) override { stream_->Next(record); }

  void Load(const Record& record, int index, int item_index) override {
    BatchItem<Dtype> item(&slots_[index], item_index);
    reader_->Load(record, stream_->source(), &item);
  }

 private:
  std::unique_ptr<RecordStream> stream_;
  std::unique_ptr<RecordReader<Dtype>> reader_;
  vector<BatchMemory<Dtype>> slots_;
};

template <typename Dtype>
RecordPipeline<Dtype>::RecordPipeline(std::unique_ptr<RecordStream> stream,
                                      std::unique_ptr<RecordReader<Dtype>> reader,
                                      const vector<int>& shape, const PipelinePlan& plan) {
  PrefetchPlan prefetch;
  prefetch.num_slots = plan.prefetch + 1;
  prefetch.items_per_batch = plan.batch_size;
  prefetch.num_workers = plan.num_workers;
  std::unique_ptr<Work> work(
      new Work(std::move(stream), std::move(reader), shape, plan.batch_size, prefetch.num_slots));
  work_ = work.get();
  prefetcher_ = std::make_unique<Prefetcher>(std::move(work), prefetch);
}

template <typename Dtype>
RecordPipeline<Dtype>::~RecordPipeline() = default;

template <typename Dtype>
Batch<Dtype>* RecordPipeline<Dtype>::Next() {
  return work_->Completed(prefetcher_->Next());
}

template class BatchItem<float>;
template class BatchItem<double>;
INSTANTIATE_CLASS(RecordReader);
INSTANTIATE_CLASS(RecordPipeline);

}  // namespace caffe
