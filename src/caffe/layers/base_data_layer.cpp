#include "caffe/layers/base_data_layer.hpp"

#include "caffe/data/thread_context.hpp"

namespace caffe {

template <typename Dtype>
BaseDataLayer<Dtype>::BaseDataLayer(const LayerParameter& param)
    : Layer<Dtype>(param), transform_param_(param.transform_param()) {}

template <typename Dtype>
void BaseDataLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                      const vector<Blob<Dtype>*>& top) {
  output_labels_ = top.size() > 1;
  data_transformer_ = std::make_shared<DataTransformer<Dtype>>(transform_param_, this->phase_);
  data_transformer_->InitRand();
  DataLayerSetUp(bottom, top);
}

template <typename Dtype>
void BaseDataLayer<Dtype>::GiveBatch(const Batch<Dtype>& batch,
                                     const vector<Blob<Dtype>*>& top) const {
  top[0]->ReshapeLike(batch.data_);
  top[0]->ShareData(batch.data_);
  if (!output_labels_) return;
  top[1]->ReshapeLike(batch.label_);
  top[1]->ShareData(batch.label_);
}

/** A batch is one item here, made by load_batch. */
template <typename Dtype>
class BasePrefetchingDataLayer<Dtype>::Work : public PrefetchWork {
 public:
  explicit Work(BasePrefetchingDataLayer* layer)
      : layer_(layer), context_(ThreadContext::OfThisThread()) {}

  void Load(const Record& /*record*/, int slot, int /*item*/) override {
    if (!has_context_) context_.Apply();
    has_context_ = true;
    layer_->load_batch(layer_->prefetch_[slot].get());
  }

 private:
  BasePrefetchingDataLayer* layer_;
  ThreadContext context_;
  bool has_context_ = false;  // of the one thread there is
};

template <typename Dtype>
BasePrefetchingDataLayer<Dtype>::BasePrefetchingDataLayer(const LayerParameter& param)
    : BaseDataLayer<Dtype>(param) {
  const unsigned prefetch = param.data_param().prefetch();
  CHECK(prefetch >= 1 && prefetch <= 1000000U)
      << "data_param prefetch must be at least 1, got " << prefetch;
  for (unsigned i = 0; i < prefetch + 1; ++i) {
    prefetch_.push_back(std::make_shared<Batch<Dtype>>());
  }
}

template <typename Dtype>
BasePrefetchingDataLayer<Dtype>::~BasePrefetchingDataLayer() = default;

template <typename Dtype>
void BasePrefetchingDataLayer<Dtype>::StartInternalThread() {
  if (prefetcher_) return;
  PrefetchPlan plan;
  plan.num_slots = static_cast<int>(prefetch_.size());
  prefetcher_ = std::make_unique<Prefetcher>(std::make_unique<Work>(this), plan);
}

template <typename Dtype>
void BasePrefetchingDataLayer<Dtype>::StopInternalThread() {
  prefetcher_.reset();
}

template <typename Dtype>
void BasePrefetchingDataLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& /*bottom*/,
                                                  const vector<Blob<Dtype>*>& top) {
  StartInternalThread();
  prefetch_current_ = prefetch_[prefetcher_->Next()].get();
  this->GiveBatch(*prefetch_current_, top);
}

INSTANTIATE_CLASS(BaseDataLayer);
INSTANTIATE_CLASS(BasePrefetchingDataLayer);

}  // namespace caffe
