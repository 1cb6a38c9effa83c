#ifndef CAFFE_BASE_DATA_LAYER_HPP_
#define CAFFE_BASE_DATA_LAYER_HPP_

#include <memory>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/data/prefetcher.hpp"
#include "caffe/data/record_pipeline.hpp"
#include "caffe/data_transformer.hpp"
#include "caffe/layer.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/**
 * @brief The base of layers that bring data: no bottoms, no gradients.
 *
 * A derived layer overrides DataLayerSetUp, which shapes the tops.
 */
template <typename Dtype>
class BaseDataLayer : public Layer<Dtype> {
 public:
  explicit BaseDataLayer(const LayerParameter& param);
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  virtual void DataLayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                              const vector<Blob<Dtype>*>& /*top*/) {}
  /** @brief Nothing: the data shape the tops. */
  void Reshape(const vector<Blob<Dtype>*>& /*bottom*/,
               const vector<Blob<Dtype>*>& /*top*/) override {}

 protected:
  void Backward_cpu(const vector<Blob<Dtype>*>& /*top*/, const vector<bool>& /*propagate_down*/,
                    const vector<Blob<Dtype>*>& /*bottom*/) override {}
  /** @brief The tops show the batch's memory, without a copy, until they are given another. */
  void GiveBatch(const Batch<Dtype>& batch, const vector<Blob<Dtype>*>& top) const;

  TransformationParameter transform_param_;
  shared_ptr<DataTransformer<Dtype>> data_transformer_;
  bool output_labels_ = false;
};

/**
 * @brief The base of prefetching layers written for Caffe, with a thread of its own.
 *
 * A derived layer fills a batch in load_batch, which the thread calls; in its
 * DataLayerSetUp it shapes the tops, and each batch of prefetch_ alike. Its
 * destructor calls StopInternalThread(). The thread starts in the first
 * Forward. Our own layers derive from RecordDataLayer, whose batches are made
 * by several workers and can be resumed.
 */
template <typename Dtype>
class BasePrefetchingDataLayer : public BaseDataLayer<Dtype> {
 public:
  explicit BasePrefetchingDataLayer(const LayerParameter& param);
  ~BasePrefetchingDataLayer() override;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  virtual void load_batch(Batch<Dtype>* batch) = 0;
  void StartInternalThread();
  void StopInternalThread();

  vector<shared_ptr<Batch<Dtype>>> prefetch_;
  Batch<Dtype>* prefetch_current_ = nullptr;
  Blob<Dtype> transformed_data_;

 private:
  class Work;
  std::unique_ptr<Prefetcher> prefetcher_;
};

}  // namespace caffe

#endif  // CAFFE_BASE_DATA_LAYER_HPP_
