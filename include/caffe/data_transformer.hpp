#ifndef CAFFE_DATA_TRANSFORMER_HPP_
#define CAFFE_DATA_TRANSFORMER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/data/image_transform.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/**
 * @brief Crops, mirrors, subtracts the mean and scales, as transform_param says: Caffe's class,
 * on top of data/image_transform.hpp.
 *
 * Random numbers come from its own generator, which InitRand seeds from the
 * calling thread's. In phase TEST crops are from the center; mirroring is by
 * chance in both phases, as in Caffe.
 */
template <typename Dtype>
class DataTransformer {
 public:
  explicit DataTransformer(const TransformationParameter& param, Phase phase);
  virtual ~DataTransformer() = default;

  /** @brief Must be called before anything random is transformed. */
  void InitRand();

  /**
   * @name Writes one image into a blob of the shape that InferBlobShape gives.
   * @throws Error if the blob has another shape.
   */
  ///@{
  void Transform(const Datum& datum, Blob<Dtype>* transformed_blob);
  void Transform(const cv::Mat& cv_img, Blob<Dtype>* transformed_blob);
  ///@}

  /**
   * @name Writes several images into the blob's first rows, each with random numbers of its own.
   * @throws Error if there are none, or more than the blob has rows.
   */
  ///@{
  void Transform(const vector<Datum>& datum_vector, Blob<Dtype>* transformed_blob);
  void Transform(const vector<cv::Mat>& mat_vector, Blob<Dtype>* transformed_blob);
  ///@}

  /** @brief Transforms all images of a blob alike; an empty target is shaped. */
  void Transform(Blob<Dtype>* input_blob, Blob<Dtype>* transformed_blob);

  /** @name The shape of one image, or of a vector of images of the first one's size. */
  ///@{
  vector<int> InferBlobShape(const Datum& datum);
  vector<int> InferBlobShape(const vector<Datum>& datum_vector);
  vector<int> InferBlobShape(const vector<cv::Mat>& mat_vector);
  vector<int> InferBlobShape(const cv::Mat& cv_img);
  ///@}

  const TransformSpec& spec() const { return spec_; }

 protected:
  /** @brief An integer in [0, n). */
  virtual int Rand(int n);
  void Transform(const Datum& datum, Dtype* transformed_data);

  TransformationParameter param_;
  shared_ptr<Caffe::RNG> rng_;
  Phase phase_;

 private:
  template <typename Pixel>
  void TransformPixels(const PixelView<Pixel>& image, Blob<Dtype>* target, int row);
  CropMirror Draw(int height, int width);
  vector<int> ShapeOf(int num, int channels, int height, int width) const;

  TransformSpec spec_;
};

}  // namespace caffe

#endif  // CAFFE_DATA_TRANSFORMER_HPP_
