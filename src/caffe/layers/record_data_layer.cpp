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

PipelinePlan MakePlan(const DataParameter& param, int batch_size, uint64_t seed) {
  PipelinePlan plan;
  plan.batch_size = batch_size;
  plan.seed = seed;
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
  MakePlan(this->layer_param_.data_param(), batch_size_, 0);
  options_ = options;
  opener_ = opener;
  loader_ = std::move(loader);
  seed_ = caffe_rng_rand();
  consumed_ = 0;
  pipeline_.reset();

  const std::unique_ptr<RecordStream> stream = OpenStream();
  Record first;
  stream->Next(&first);
  Batch<Dtype> batch;
  batch.data_.Reshape({1, 0, 0, 0});
  Dtype label = 0;
  BatchItem<Dtype> item(&batch, 0, nullptr, &label);
  LoadRecord(*loader_, stream->source(), first, seed_, &item);
  item_shape_.assign(batch.data_.shape().begin() + 1, batch.data_.shape().end());
  vector<int> shape = batch.data_.shape();
  shape[0] = batch_size_;
  top[0]->Reshape(shape);
  if (this->output_labels_) top[1]->Reshape({batch_size_});
  LOG(INFO) << this->Who() << ": " << num_records_ << " records, batches of the shape "
            << top[0]->shape_string();
}

template <typename Dtype>
std::unique_ptr<RecordStream> RecordDataLayer<Dtype>::OpenStream() {
  std::unique_ptr<RecordSource> source = opener_();
  num_records_ = source->size();
  RecordOrder order;
  order.size = num_records_;
  order.seed = seed_;
  order.shuffle = options_.shuffle;
  if (options_.rand_skip > 0) order.skip = EpochRandom(seed_, UINT64_MAX)() % options_.rand_skip;
  if (this->phase_ == TRAIN) {
    order.rank = Caffe::solver_rank();
    order.count = Caffe::solver_count();
  }
  return std::make_unique<RecordStream>(std::move(source), order);
}

template <typename Dtype>
void RecordDataLayer<Dtype>::StartPipeline() {
  pipeline_.reset();
  std::unique_ptr<RecordStream> stream = OpenStream();
  stream->Seek(consumed_);
  pipeline_.reset(
      new RecordPipeline<Dtype>(std::move(stream), loader_, item_shape_,
                                MakePlan(this->layer_param_.data_param(), batch_size_, seed_)));
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
