#include "caffe/data_transformer.hpp"

#include "caffe/util/math_functions.hpp"
#include "caffe/util/rng.hpp"

namespace caffe {

template <typename Dtype>
DataTransformer<Dtype>::DataTransformer(const TransformationParameter& param, Phase phase)
    : param_(param), phase_(phase), spec_(MakeTransformSpec(param, phase)) {}

template <typename Dtype>
void DataTransformer<Dtype>::InitRand() {
  const bool crops = spec_.crop_h > 0 || spec_.crop_w > 0;
  if (spec_.mirror || (spec_.random_crop && crops)) {
    rng_ = std::make_shared<Caffe::RNG>(caffe_rng_rand());
  } else {
    rng_.reset();
  }
}

template <typename Dtype>
int DataTransformer<Dtype>::Rand(int n) {
  CHECK(rng_ != nullptr) << "InitRand must be called before images are cropped or mirrored";
  CHECK(n > 0) << "a random integer below " << n;
  return RandomIntegerOf(static_cast<rng_t*>(rng_->generator()))(n);
}

template <typename Dtype>
CropMirror DataTransformer<Dtype>::Draw(int height, int width) {
  return DrawCropMirror(spec_, height, width, [this](int n) { return Rand(n); });
}

template <typename Dtype>
vector<int> DataTransformer<Dtype>::ShapeOf(int num, int channels, int height, int width) const {
  return {num, channels, spec_.crop_h > 0 ? spec_.crop_h : height,
          spec_.crop_w > 0 ? spec_.crop_w : width};
}

template <typename Dtype>
template <typename Pixel>
void DataTransformer<Dtype>::TransformPixels(const PixelView<Pixel>& image, Blob<Dtype>* target,
                                             int row) {
  const CropMirror crop = Draw(image.height, image.width);
  CHECK(target->num_axes() == 4 && target->channels() == image.channels &&
        target->height() == crop.height && target->width() == crop.width)
      << "expected a blob of the shape N x " << image.channels << " x " << crop.height << " x "
      << crop.width << ", got " << target->shape_string();
  CHECK(row < target->num()) << "image " << row << " of a blob for " << target->num();
  WriteTransformed(spec_, crop, image, target->mutable_cpu_data() + target->offset(row));
}

template <typename Dtype>
void DataTransformer<Dtype>::Transform(const Datum& datum, Dtype* transformed_data) {
  VisitPixels(datum, spec_.color, [&](const auto& image) {
    WriteTransformed(spec_, Draw(image.height, image.width), image, transformed_data);
  });
}

template <typename Dtype>
void DataTransformer<Dtype>::Transform(const Datum& datum, Blob<Dtype>* transformed_blob) {
  VisitPixels(datum, spec_.color,
              [&](const auto& image) { TransformPixels(image, transformed_blob, 0); });
}

template <typename Dtype>
void DataTransformer<Dtype>::Transform(const vector<Datum>& datum_vector,
                                       Blob<Dtype>* transformed_blob) {
  CHECK(!datum_vector.empty()) << "there is no Datum to transform";
  for (size_t i = 0; i < datum_vector.size(); ++i) {
    VisitPixels(datum_vector[i], spec_.color, [&](const auto& image) {
      TransformPixels(image, transformed_blob, static_cast<int>(i));
    });
  }
}

template <typename Dtype>
void DataTransformer<Dtype>::Transform(const cv::Mat& cv_img, Blob<Dtype>* transformed_blob) {
  TransformPixels(ImageView<uint8_t>(cv_img), transformed_blob, 0);
}

template <typename Dtype>
void DataTransformer<Dtype>::Transform(const vector<cv::Mat>& mat_vector,
                                       Blob<Dtype>* transformed_blob) {
  CHECK(!mat_vector.empty()) << "there is no image to transform";
  for (size_t i = 0; i < mat_vector.size(); ++i) {
    TransformPixels(ImageView<uint8_t>(mat_vector[i]), transformed_blob, static_cast<int>(i));
  }
}

template <typename Dtype>
void DataTransformer<Dtype>::Transform(Blob<Dtype>* input_blob, Blob<Dtype>* transformed_blob) {
  const int num = input_blob->num();
  const vector<int> shape =
      ShapeOf(num, input_blob->channels(), input_blob->height(), input_blob->width());
  if (transformed_blob->count() == 0) transformed_blob->Reshape(shape);
  CHECK(transformed_blob->shape() == shape)
      << "expected a blob of the shape " << Blob<Dtype>(shape).shape_string() << ", got "
      << transformed_blob->shape_string();
  const CropMirror crop = Draw(input_blob->height(), input_blob->width());
  for (int i = 0; i < num; ++i) {
    const auto image =
        PlanarView(input_blob->cpu_data() + input_blob->offset(i), input_blob->channels(),
                   input_blob->height(), input_blob->width());
    WriteTransformed(spec_, crop, image,
                     transformed_blob->mutable_cpu_data() + transformed_blob->offset(i));
  }
}

template <typename Dtype>
vector<int> DataTransformer<Dtype>::InferBlobShape(const Datum& datum) {
  vector<int> shape;
  VisitPixels(datum, spec_.color, [&](const auto& image) {
    shape = ShapeOf(1, image.channels, image.height, image.width);
    // Only to hear at once of a crop that does not fit.
    DrawCropMirror(spec_, image.height, image.width, [](int) { return 0; });
  });
  return shape;
}

template <typename Dtype>
vector<int> DataTransformer<Dtype>::InferBlobShape(const vector<Datum>& datum_vector) {
  CHECK(!datum_vector.empty()) << "there is no Datum to take the shape from";
  vector<int> shape = InferBlobShape(datum_vector[0]);
  shape[0] = static_cast<int>(datum_vector.size());
  return shape;
}

template <typename Dtype>
vector<int> DataTransformer<Dtype>::InferBlobShape(const cv::Mat& cv_img) {
  CHECK(!cv_img.empty()) << "the image is empty";
  DrawCropMirror(spec_, cv_img.rows, cv_img.cols, [](int) { return 0; });
  return ShapeOf(1, cv_img.channels(), cv_img.rows, cv_img.cols);
}

template <typename Dtype>
vector<int> DataTransformer<Dtype>::InferBlobShape(const vector<cv::Mat>& mat_vector) {
  CHECK(!mat_vector.empty()) << "there is no image to take the shape from";
  vector<int> shape = InferBlobShape(mat_vector[0]);
  shape[0] = static_cast<int>(mat_vector.size());
  return shape;
}

INSTANTIATE_CLASS(DataTransformer);

}  // namespace caffe
