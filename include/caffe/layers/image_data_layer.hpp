#ifndef CAFFE_IMAGE_DATA_LAYER_HPP_
#define CAFFE_IMAGE_DATA_LAYER_HPP_

#include <vector>

#include "caffe/layers/record_data_layer.hpp"

namespace caffe {

/**
 * @brief Images read from their files, and labels, as a list names them.
 *
 * The lines of `source` are a path (after `root_folder`, if given) and an
 * integer label. Images are decoded in color, or gray where is_color is false,
 * resized if new_height and new_width are given, and transformed as
 * transform_param says. Tops: N × C × H × W, and N. With batch_size 1 the
 * shape is that of each image. prefetch and num_workers are those of
 * data_param; see RecordDataLayer.
 * @throws Error naming the list, the line and the image.
 */
template <typename Dtype>
class ImageDataLayer : public RecordDataLayer<Dtype> {
 public:
  explicit ImageDataLayer(const LayerParameter& param) : RecordDataLayer<Dtype>(param) {}
  void DataLayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "ImageData"; }
  int ExactNumTopBlobs() const override { return 2; }
};

}  // namespace caffe

#endif  // CAFFE_IMAGE_DATA_LAYER_HPP_
