#ifndef CAFFE_BLOB_HPP_
#define CAFFE_BLOB_HPP_

#include <memory>
#include <string>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"
#include "caffe/syncedmem.hpp"

const int kMaxBlobAxes = 32;

namespace caffe {

/**
 * @brief An N-dimensional array of values and of their gradients (`diff`),
 * stored in C order, each in a SyncedMemory that other blobs may share.
 *
 * Indices and axes are checked: negative axes count from the end, and an
 * axis out of range throws Error.
 */
template <typename Dtype>
class Blob {
 public:
  Blob() : data_(), diff_(), count_(0), capacity_(0) {}
  explicit Blob(const int num, const int channels, const int height, const int width);
  explicit Blob(const std::vector<int>& shape);

  /** @brief Deprecated four-axis form of Reshape. */
  void Reshape(const int num, const int channels, const int height, const int width);
  /**
   * @brief Changes the shape; memory is kept when it is large enough, so its
   * values are not defined afterwards unless the count stayed the same.
   * @throws Error for a negative axis, or more elements than an int counts.
   */
  void Reshape(const std::vector<int>& shape);
  void Reshape(const BlobShape& shape);
  void ReshapeLike(const Blob& other);

  /** @brief "2 3 4 (24)": the shape and the count. */
  std::string shape_string() const;
  const std::vector<int>& shape() const { return shape_; }
  int shape(int index) const { return shape_[CanonicalAxisIndex(index)]; }
  int num_axes() const { return static_cast<int>(shape_.size()); }
  int count() const { return count_; }
  /** @brief The product of axes start_axis to end_axis - 1. */
  int count(int start_axis, int end_axis) const;
  int count(int start_axis) const { return count(start_axis, num_axes()); }
  int CanonicalAxisIndex(int axis_index) const;

  /** @name Deprecated names of the axes of a blob with at most four. */
  ///@{
  int num() const { return LegacyShape(0); }
  int channels() const { return LegacyShape(1); }
  int height() const { return LegacyShape(2); }
  int width() const { return LegacyShape(3); }
  int LegacyShape(int index) const;
  ///@}

  int offset(const int n, const int c = 0, const int h = 0, const int w = 0) const;
  int offset(const std::vector<int>& indices) const;

  /** @brief Copies data, or diff; @throws Error if the shapes differ and reshape is false. */
  void CopyFrom(const Blob<Dtype>& source, bool copy_diff = false, bool reshape = false);

  Dtype data_at(const int n, const int c, const int h, const int w) const {
    return cpu_data()[offset(n, c, h, w)];
  }
  Dtype diff_at(const int n, const int c, const int h, const int w) const {
    return cpu_diff()[offset(n, c, h, w)];
  }
  Dtype data_at(const std::vector<int>& index) const { return cpu_data()[offset(index)]; }
  Dtype diff_at(const std::vector<int>& index) const { return cpu_diff()[offset(index)]; }

  const std::shared_ptr<SyncedMemory>& data() const;
  const std::shared_ptr<SyncedMemory>& diff() const;

  const Dtype* cpu_data() const;
  void set_cpu_data(Dtype* data);
  const int* gpu_shape() const;
  const Dtype* gpu_data() const;
  void set_gpu_data(Dtype* data);
  const Dtype* cpu_diff() const;
  const Dtype* gpu_diff() const;
  Dtype* mutable_cpu_data();
  Dtype* mutable_gpu_data();
  Dtype* mutable_cpu_diff();
  Dtype* mutable_gpu_diff();

  /** @brief data -= diff. */
  void Update();
  /**
   * @brief Reads values written by any Caffe, float or double.
   * @throws Error if the shape differs (reshape false) or the message holds
   * another number of values than its shape says.
   */
  void FromProto(const BlobProto& proto, bool reshape = true);
  void ToProto(BlobProto* proto, bool write_diff = false) const;

  Dtype asum_data() const;
  Dtype asum_diff() const;
  Dtype sumsq_data() const;
  Dtype sumsq_diff() const;
  void scale_data(Dtype scale_factor);
  void scale_diff(Dtype scale_factor);

  /** @brief From now on both blobs have the same data (or diff); @throws Error if counts differ. */
  void ShareData(const Blob& other);
  void ShareDiff(const Blob& other);

  /** @brief Moves data and diff, values kept, into the given memories (views of a larger one). */
  void MoveTo(const std::shared_ptr<SyncedMemory>& data, const std::shared_ptr<SyncedMemory>& diff);

  /** @brief Whether the message's shape, legacy or not, is this blob's. */
  bool ShapeEquals(const BlobProto& other);

 protected:
  std::shared_ptr<SyncedMemory> data_;
  std::shared_ptr<SyncedMemory> diff_;
  std::shared_ptr<SyncedMemory> shape_data_;
  std::vector<int> shape_;
  int count_;
  int capacity_;

  DISABLE_COPY_AND_ASSIGN(Blob);
};

}  // namespace caffe

#endif  // CAFFE_BLOB_HPP_
