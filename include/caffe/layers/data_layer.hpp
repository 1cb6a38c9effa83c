#ifndef CAFFE_DATA_LAYER_HPP_
#define CAFFE_DATA_LAYER_HPP_

#include <vector>

#include "caffe/layers/record_data_layer.hpp"

namespace caffe {

/**
 * @brief Images, and labels if there is a second top, from an LMDB of Datum records.
 *
 * A Datum holds an encoded image, bytes or floats; transform_param says what
 * becomes of it (see DataTransformer). Tops: N × C × H × W, and N. With
 * batch_size 1 the shape is that of each record, otherwise that of the first.
 * rand_skip, shuffle, prefetch and num_workers: see RecordDataLayer.
 * @throws Error naming the database and the record's key.
 */
template <typename Dtype>
class DataLayer : public RecordDataLayer<Dtype> {
 public:
  explicit DataLayer(const LayerParameter& param) : RecordDataLayer<Dtype>(param) {}
  void DataLayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Data"; }
  int MinTopBlobs() const override { return 1; }
  int MaxTopBlobs() const override { return 2; }
};

}  // namespace caffe

#endif  // CAFFE_DATA_LAYER_HPP_
