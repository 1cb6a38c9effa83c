#ifndef CAFFE_FILLER_HPP_
#define CAFFE_FILLER_HPP_

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"
#include "caffe/util/math_functions.hpp"

namespace caffe {

/** @brief Gives a parameter its first values. Every type throws Error if `sparse` does not apply.
 */
template <typename Dtype>
class Filler {
 public:
  explicit Filler(const FillerParameter& param) : filler_param_(param) {}
  virtual ~Filler() = default;
  virtual void Fill(Blob<Dtype>* blob) = 0;

 protected:
  void CheckNotSparse() const {
    CHECK(filler_param_.sparse() == -1)
        << "filler \"" << filler_param_.type() << "\" has no sparse form; use gaussian";
  }
  /** @brief The number of outputs: the length of the first axis, or 1 for a blob without axes. */
  static int Outputs(const Blob<Dtype>& blob) { return blob.num_axes() > 0 ? blob.shape(0) : 1; }
  /** @brief The n of 1/n: FAN_IN = count / shape[0], FAN_OUT = count / shape[1], or their mean. */
  Dtype Fan(const Blob<Dtype>& blob) const {
    CHECK(blob.count() > 0) << "a filler needs a blob with elements";
    const Dtype fan_in = Dtype(blob.count()) / Outputs(blob);
    const Dtype fan_out =
        blob.num_axes() > 1 ? Dtype(blob.count()) / blob.shape(1) : Dtype(blob.count());
    switch (filler_param_.variance_norm()) {
      case FillerParameter_VarianceNorm_FAN_OUT:
        return fan_out;
      case FillerParameter_VarianceNorm_AVERAGE:
        return (fan_in + fan_out) / 2;
      default:
        return fan_in;
    }
  }
  FillerParameter filler_param_;
};

/** @brief Every element is `value`. */
template <typename Dtype>
class ConstantFiller : public Filler<Dtype> {
 public:
  explicit ConstantFiller(const FillerParameter& param) : Filler<Dtype>(param) {}
  void Fill(Blob<Dtype>* blob) override {
    this->CheckNotSparse();
    caffe_set(blob->count(), Dtype(this->filler_param_.value()), blob->mutable_cpu_data());
  }
};

/** @brief Uniform in [min, max]. */
template <typename Dtype>
class UniformFiller : public Filler<Dtype> {
 public:
  explicit UniformFiller(const FillerParameter& param) : Filler<Dtype>(param) {}
  void Fill(Blob<Dtype>* blob) override {
    this->CheckNotSparse();
    caffe_rng_uniform<Dtype>(blob->count(), this->filler_param_.min(), this->filler_param_.max(),
                             blob->mutable_cpu_data());
  }
};

/**
 * @brief Normal with `mean` and `std`. With sparse = s ≥ 0, each weight is kept
 * with probability s / shape[0], and is zero otherwise.
 */
template <typename Dtype>
class GaussianFiller : public Filler<Dtype> {
 public:
  explicit GaussianFiller(const FillerParameter& param) : Filler<Dtype>(param) {}
  void Fill(Blob<Dtype>* blob) override {
    Dtype* data = blob->mutable_cpu_data();
    caffe_rng_gaussian<Dtype>(blob->count(), this->filler_param_.mean(), this->filler_param_.std(),
                              data);
    const int sparse = this->filler_param_.sparse();
    CHECK(sparse >= -1) << "sparse must be -1 or a count, got " << sparse;
    if (sparse < 0) return;
    vector<int> keep(blob->count());
    const Dtype probability = std::min(Dtype(1), Dtype(sparse) / this->Outputs(*blob));
    caffe_rng_bernoulli<Dtype>(blob->count(), probability, keep.data());
    for (int i = 0; i < blob->count(); ++i) data[i] *= keep[i];
  }
};

/** @brief Positive, and each unitball (a row: the elements of one first-axis index) sums to 1. */
template <typename Dtype>
class PositiveUnitballFiller : public Filler<Dtype> {
 public:
  explicit PositiveUnitballFiller(const FillerParameter& param) : Filler<Dtype>(param) {}
  void Fill(Blob<Dtype>* blob) override {
    this->CheckNotSparse();
    CHECK(blob->count() > 0) << "positive_unitball needs rows with elements, got a blob of shape "
                             << blob->shape_string();
    Dtype* data = blob->mutable_cpu_data();
    caffe_rng_uniform<Dtype>(blob->count(), 0, 1, data);
    const int rows = this->Outputs(*blob), row = blob->count() / rows;
    for (int i = 0; i < rows; ++i) {
      caffe_scal(row, 1 / caffe_cpu_asum(row, data + i * row), data + i * row);
    }
  }
};

/** @brief Uniform in ±sqrt(3 / n) (Glorot and Bengio 2010; n as Fan says). */
template <typename Dtype>
class XavierFiller : public Filler<Dtype> {
 public:
  explicit XavierFiller(const FillerParameter& param) : Filler<Dtype>(param) {}
  void Fill(Blob<Dtype>* blob) override {
    this->CheckNotSparse();
    const Dtype bound = std::sqrt(3 / this->Fan(*blob));
    caffe_rng_uniform<Dtype>(blob->count(), -bound, bound, blob->mutable_cpu_data());
  }
};

/** @brief Normal with std sqrt(2 / n) (He et al. 2015, eq. 10 and 14; n as Fan says). */
template <typename Dtype>
class MSRAFiller : public Filler<Dtype> {
 public:
  explicit MSRAFiller(const FillerParameter& param) : Filler<Dtype>(param) {}
  void Fill(Blob<Dtype>* blob) override {
    this->CheckNotSparse();
    const Dtype std = std::sqrt(2 / this->Fan(*blob));
    caffe_rng_gaussian<Dtype>(blob->count(), 0, std, blob->mutable_cpu_data());
  }
};

/** @brief The kernel of bilinear upsampling (4-D, square), for a Deconvolution with one group a
 * channel. */
template <typename Dtype>
class BilinearFiller : public Filler<Dtype> {
 public:
  explicit BilinearFiller(const FillerParameter& param) : Filler<Dtype>(param) {}
  void Fill(Blob<Dtype>* blob) override {
    this->CheckNotSparse();
    CHECK(blob->num_axes() == 4 && blob->width() == blob->height())
        << "the bilinear filler takes a 4-D blob of square kernels, got " << blob->shape_string();
    const int size = blob->width();
    const int factor = (size + 1) / 2;
    const Dtype center = size % 2 == 1 ? Dtype(factor - 1) : Dtype(factor) - Dtype(0.5);
    const auto weight = [&](int i) { return 1 - std::fabs(i - center) / factor; };
    Dtype* data = blob->mutable_cpu_data();
    for (int i = 0; i < blob->count(); ++i) {
      data[i] = weight(i % size) * weight(i / size % size);
    }
  }
};

/** @brief While one lives, fillers made on this thread do nothing: their blobs are filled later. */
class FillerPause {
 public:
  /** @param pause false: this one changes nothing */
  explicit FillerPause(bool pause);
  ~FillerPause();
  static bool IsActive();

 private:
  bool before_;

  DISABLE_COPY_AND_ASSIGN(FillerPause);
};

template <typename Dtype>
class IdleFiller : public Filler<Dtype> {
 public:
  explicit IdleFiller(const FillerParameter& param) : Filler<Dtype>(param) {}
  void Fill(Blob<Dtype>* /*blob*/) override {}
};

/** @brief As GetFiller, at any time. */
template <typename Dtype>
Filler<Dtype>* MakeFiller(const FillerParameter& param) {
  const string& type = param.type();
  if (type == "constant") return new ConstantFiller<Dtype>(param);
  if (type == "gaussian") return new GaussianFiller<Dtype>(param);
  if (type == "positive_unitball") return new PositiveUnitballFiller<Dtype>(param);
  if (type == "uniform") return new UniformFiller<Dtype>(param);
  if (type == "xavier") return new XavierFiller<Dtype>(param);
  if (type == "msra") return new MSRAFiller<Dtype>(param);
  if (type == "bilinear") return new BilinearFiller<Dtype>(param);
  LOG(FATAL) << "unknown filler type \"" << type
             << "\"; known are constant, gaussian, positive_unitball, uniform, xavier, msra, "
                "bilinear";
}

/** @brief The filler that the parameter names. @throws Error for an unknown one. */
template <typename Dtype>
Filler<Dtype>* GetFiller(const FillerParameter& param) {
  std::unique_ptr<Filler<Dtype>> filler(MakeFiller<Dtype>(param));
  return FillerPause::IsActive() ? new IdleFiller<Dtype>(param) : filler.release();
}

}  // namespace caffe

#endif  // CAFFE_FILLER_HPP_
