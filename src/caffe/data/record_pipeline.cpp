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

}  // namespace

template <typename Dtype>
Dtype* BatchItem<Dtype>::Data(const vector<int>& shape) {
  Blob<Dtype>& blob = batch_->data_;
  const vector<int> expected(blob.shape().begin() + 1, blob.shape().end());
  if (shape == expected) return data_ + static_cast<size_t>(item_) * blob.count(1);
  CHECK(blob.shape(0) == 1) << "all records of a batch must have the shape of the first, "
                            << Describe(expected) << ", got " << Describe(shape)
                            << "; crop or resize them, or use batch_size: 1";
  blob.Reshape(WithBatchAxis(1, shape));
  data_ = blob.mutable_cpu_data();
  return data_;
}

template <typename Dtype>
void LoadRecord(const RecordLoader<Dtype>& loader, const RecordSource& source, const Record& record,
                uint64_t seed, BatchItem<Dtype>* item) {
  std::mt19937 random = RecordRandom(seed, record.epoch, record.index);
  try {
    loader.Load(record, &random, item);
  } catch (const std::exception& error) {
    throw Error(source.NameOf(record) + ": " + OneLine(error.what()));
  }
}

/** The memory of the batches, and the record stream that fills it. */
template <typename Dtype>
class RecordPipeline<Dtype>::Work : public PrefetchWork {
 public:
  Work(std::unique_ptr<RecordStream> stream, shared_ptr<const RecordLoader<Dtype>> loader,
       const vector<int>& shape, const PipelinePlan& plan, int num_slots)
      : stream_(std::move(stream)), loader_(std::move(loader)), seed_(plan.seed) {
    for (int i = 0; i < num_slots; ++i) {
      slots_.emplace_back();
      slots_.back().batch.reset(new Batch<Dtype>);
      slots_.back().batch->data_.Reshape(WithBatchAxis(plan.batch_size, shape));
      slots_.back().batch->label_.Reshape({plan.batch_size});
    }
  }

  Batch<Dtype>* batch(int slot) { return slots_[slot].batch.get(); }

  void Begin(int index) override {
    Slot& slot = slots_[index];
    slot.data = slot.batch->data_.mutable_cpu_data();
    slot.label = slot.batch->label_.mutable_cpu_data();
  }

  void Read(Record* record) override { stream_->Next(record); }

  void Load(const Record& record, int index, int item_index) override {
    const Slot& slot = slots_[index];
    BatchItem<Dtype> item(slot.batch.get(), item_index, slot.data, slot.label + item_index);
    LoadRecord(*loader_, stream_->source(), record, seed_, &item);
  }

 private:
  struct Slot {
    std::unique_ptr<Batch<Dtype>> batch;
    Dtype* data = nullptr;
    Dtype* label = nullptr;
  };

  std::unique_ptr<RecordStream> stream_;
  shared_ptr<const RecordLoader<Dtype>> loader_;
  uint64_t seed_;
  vector<Slot> slots_;
};

template <typename Dtype>
RecordPipeline<Dtype>::RecordPipeline(std::unique_ptr<RecordStream> stream,
                                      shared_ptr<const RecordLoader<Dtype>> loader,
                                      const vector<int>& shape, const PipelinePlan& plan) {
  PrefetchPlan prefetch;
  prefetch.num_slots = plan.prefetch + 1;
  prefetch.items_per_batch = plan.batch_size;
  prefetch.num_workers = plan.num_workers;
  std::unique_ptr<Work> work(
      new Work(std::move(stream), std::move(loader), shape, plan, prefetch.num_slots));
  work_ = work.get();
  prefetcher_ = std::make_unique<Prefetcher>(std::move(work), prefetch);
}

template <typename Dtype>
RecordPipeline<Dtype>::~RecordPipeline() = default;

template <typename Dtype>
Batch<Dtype>* RecordPipeline<Dtype>::Next() {
  return work_->batch(prefetcher_->Next());
}

template void LoadRecord<float>(const RecordLoader<float>&, const RecordSource&, const Record&,
                                uint64_t, BatchItem<float>*);
template void LoadRecord<double>(const RecordLoader<double>&, const RecordSource&, const Record&,
                                 uint64_t, BatchItem<double>*);
template class BatchItem<float>;
template class BatchItem<double>;
INSTANTIATE_CLASS(RecordPipeline);

}  // namespace caffe
