#ifndef CAFFE_ANNOTATED_DATA_LAYER_HPP_
#define CAFFE_ANNOTATED_DATA_LAYER_HPP_

#include <vector>

#include "caffe/layers/record_data_layer.hpp"

namespace caffe {

/**
 * @brief Images and their boxes, augmented, from an LMDB of AnnotatedDatum records.
 *
 * transform_param and annotated_data_param say what becomes of an image; its
 * steps are in data/annotated_transform.hpp. Tops: N × C × H × W; and, if there
 * is a second one, 1 × 1 × boxes × 8 with a row for each box of the batch,
 *   (item, label, instance, xmin, ymin, xmax, ymax, difficult),
 * corners in fractions of the image that the net sees; one row of −1 if the
 * batch has no box. Records without annotations and their type give the
 * Datum's label instead, N of them; anno_type overrules that.
 *
 * Images come out in colour, unless force_gray is set, or the first ten
 * records are all gray. All of a batch must have one size: resize them, or use
 * batch_size 1. A record that is no AnnotatedDatum, or whose image cannot be
 * decoded, is reported, and the next good one takes its place (see
 * RecordReader); boxes without area or outside the image are reported and left
 * out. With label_map_file each label must be in that map. rand_skip,
 * shuffle, prefetch and num_workers: see RecordDataLayer. SetUp switches off
 * OpenCV's own threads in this process.
 * @throws Error naming the database and the record's key.
 */
template <typename Dtype>
class AnnotatedDataLayer : public RecordDataLayer<Dtype> {
 public:
  explicit AnnotatedDataLayer(const LayerParameter& param) : RecordDataLayer<Dtype>(param) {}
  void DataLayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "AnnotatedData"; }
  int MinTopBlobs() const override { return 1; }
  int MaxTopBlobs() const override { return 2; }
};

}  // namespace caffe

#endif  // CAFFE_ANNOTATED_DATA_LAYER_HPP_
