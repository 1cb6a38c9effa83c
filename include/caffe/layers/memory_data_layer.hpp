#ifndef CAFFE_MEMORY_DATA_LAYER_HPP_
#define CAFFE_MEMORY_DATA_LAYER_HPP_

#include <vector>

#include "caffe/layers/base_data_layer.hpp"

namespace caffe {

/**
 * @brief Batches from memory: arrays that the caller owns, or images that it adds.
 *
 * Tops: N × channels × height × width, and N labels. Forward gives the next
 * batch; after the last one it begins anew. The number of items is a multiple
 * of batch_size. The position is not part of a snapshot: the caller, who owns
 * the data, sets it by Reset.
 */
template <typename Dtype>
class MemoryDataLayer : public BaseDataLayer<Dtype> {
 public:
  explicit MemoryDataLayer(const LayerParameter& param) : BaseDataLayer<Dtype>(param) {}
  void DataLayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "MemoryData"; }
  int ExactNumBottomBlobs() const override { return 0; }
  int ExactNumTopBlobs() const override { return 2; }

  /**
   * @name Takes a copy of n images, transformed as transform_param says.
   * @throws Error if there are none, n is not a multiple of batch_size, an image has another
   * shape than the layer, or images that were added before have not all been used.
   */
  ///@{
  virtual void AddDatumVector(const vector<Datum>& datum_vector);
  virtual void AddMatVector(const vector<cv::Mat>& mat_vector, const vector<int>& labels);
  ///@}

  /**
   * @brief Shows arrays of the caller, n items each, without a copy and as they are.
   * @throws Error for a null pointer, or an n that is not a positive multiple of batch_size.
   */
  void Reset(Dtype* data, Dtype* label, int n);
  /** @throws Error if images that were added have not all been used. */
  void set_batch_size(int new_size);

  int batch_size() const { return batch_size_; }
  int channels() const { return channels_; }
  int height() const { return height_; }
  int width() const { return width_; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

 private:
  void PrepareToAdd(size_t count);
  void ShowAdded();

  int batch_size_ = 0, channels_ = 0, height_ = 0, width_ = 0, size_ = 0;
  Dtype* data_ = nullptr;
  Dtype* labels_ = nullptr;
  int n_ = 0;    ///< items in data_
  int pos_ = 0;  ///< the next item
  Blob<Dtype> added_data_;
  Blob<Dtype> added_label_;
  bool has_new_data_ = false;           ///< added, and not all used yet
  std::unique_ptr<Batch<Dtype>> view_;  ///< of the batch that the tops show
};

}  // namespace caffe

#endif  // CAFFE_MEMORY_DATA_LAYER_HPP_
