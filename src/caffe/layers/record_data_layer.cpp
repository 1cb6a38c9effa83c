#include "caffe/layers/record_data_layer.hpp"

#include <algorithm>
#include <thread>

#include "caffe/util/rng.hpp"

namespace caffe {

namespace {

int ToInt(google::protobuf::uint32 value, const char* field, int least) {
  CHECK(value >= static_cast<unsigned>(least) && value <= 1000000000U)
      << field << " must be at least " << least << ", got " << value;
  return static_cast<int>(value);
}

PipelinePlan MakePlan(const DataParameter& param, int batch_size) {
  PipelinePlan plan;
  plan.batch_size = batch_size;
  plan.prefetch = ToInt(param.prefetch(), "data_param prefetch", 1);
  const int processors = static_cast<int>(std::thread::hardware_concurrency());
  plan.num_workers = param.has_num_workers()
                         ? ToInt(param.num_workers(), "data_param num_workers", 1)
                         : std::max(1, std::min(4, processors / 2));
  return plan;
}

}  // namespace

template <typename Dtype>
void RecordDataLayer<Dtype>::Open(const Options& options, const SourceOpener& opener,
                                  shared_ptr<const RecordLoader<Dtype>> loader,
                                  const vector<Blob<Dtype>*>& top) {
  batch_size_ = ToInt(options.batch_size, "batch_size", 1);
  MakePlan(this->layer_param_.data_param(), batch_size_);
  options_ = options;
  opener_ = opener;
  loader_ = std::move(loader);
  seed_ = caffe_rng_rand();
  consumed_ = 0;
  pipeline_.reset();

  if (options_.replace_broken && !report_) report_ = std::make_shared<RecordReport>(this->Who());
  const std::unique_ptr<RecordStream> stream = OpenStream();
  Record first;
  stream->Next(&first);
  BatchMemory<Dtype> memory;
  Dtype label = 0;
  memory.batch = std::make_unique<Batch<Dtype>>();
  memory.batch->data_.Reshape({1, 0, 0, 0});
  memory.label = &label;
  memory.rows.resize(1);
  BatchItem<Dtype> item(&memory, 0);
  MakeReader()->Load(first, stream->source(), &item);
  vector<int> shape = memory.batch->data_.shape();
  item_shape_.assign(shape.begin() + 1, shape.end());
  shape[0] = batch_size_;
  top[0]->Reshape(shape);
  if (this->output_labels_) top[1]->Reshape({batch_size_});
  LOG(INFO) << this->Who() << ": " << num_records_ << " records, batches of the shape "
            << top[0]->shape_string();
}

template <typename Dtype>
RecordOrder RecordDataLayer<Dtype>::OrderOf(uint64_t num_records) const {
  RecordOrder order;
  order.size = num_records;
  order.seed = seed_;
  order.shuffle = options_.shuffle;
  if (options_.rand_skip > 0) order.skip = EpochRandom(seed_, UINT64_MAX)() % options_.rand_skip;
  if (this->phase_ == TRAIN) {
    order.rank = Caffe::solver_rank();
    order.count = Caffe::solver_count();
  }
  return order;
}

template <typename Dtype>
std::unique_ptr<RecordStream> RecordDataLayer<Dtype>::OpenStream() {
  std::unique_ptr<RecordSource> source = opener_();
  num_records_ = source->size();
  return std::make_unique<RecordStream>(std::move(source), OrderOf(num_records_));
}

template <typename Dtype>
std::unique_ptr<RecordReader<Dtype>> RecordDataLayer<Dtype>::MakeReader() {
  // Workers open streams too: what belongs to this thread is asked for here.
  const SourceOpener opener = opener_;
  const RecordOrder order = OrderOf(num_records_);
  const auto open_stream = [opener, order] {
    return std::make_unique<RecordStream>(opener(), order);
  };
  return std::make_unique<RecordReader<Dtype>>(loader_, open_stream, seed_, report_);
}

template <typename Dtype>
void RecordDataLayer<Dtype>::StartPipeline() {
  pipeline_.reset();
  std::unique_ptr<RecordStream> stream = OpenStream();
  stream->Seek(consumed_);
  pipeline_.reset(
      new RecordPipeline<Dtype>(std::move(stream), MakeReader(), item_shape_,
                                MakePlan(this->layer_param_.data_param(), batch_size_)));
}

template <typename Dtype>
void RecordDataLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& /*bottom*/,
                                         const vector<Blob<Dtype>*>& top) {
  if (!pipeline_ || pipeline_->InForkedChild()) StartPipeline();
  this->GiveBatch(*pipeline_->Next(), top);
  consumed_ += static_cast<uint64_t>(batch_size_);
}

template <typename Dtype>
void RecordDataLayer<Dtype>::SaveState(LayerState* state) const {
  WriteStreamState({seed_, num_records_, consumed_}, state);
}

template <typename Dtype>
void RecordDataLayer<Dtype>::LoadState(const LayerState& state) {
  const StreamState saved = ReadStreamState(state, num_records_, this->Who());
  pipeline_.reset();
  seed_ = saved.seed;
  consumed_ = saved.consumed;
}

INSTANTIATE_CLASS(RecordDataLayer);

}  // namespace caffe
