#include "caffe/blob.hpp"

#include <algorithm>
#include <cstring>

#include "caffe/util/math_functions.hpp"

namespace caffe {

template <typename Dtype>
Blob<Dtype>::Blob(const int num, const int channels, const int height, const int width)
    : count_(0), capacity_(0) {
  Reshape(num, channels, height, width);
}

template <typename Dtype>
Blob<Dtype>::Blob(const std::vector<int>& shape) : count_(0), capacity_(0) {
  Reshape(shape);
}

template <typename Dtype>
void Blob<Dtype>::Reshape(const int num, const int channels, const int height, const int width) {
  Reshape(std::vector<int>{num, channels, height, width});
}

namespace {

/** Memory of another size in the place of `memory`, which may be null. */
std::shared_ptr<SyncedMemory> Successor(const std::shared_ptr<SyncedMemory>& memory, size_t size) {
  auto successor = std::make_shared<SyncedMemory>(size);
  if (memory) successor->TakePoolOf(*memory);
  return successor;
}

}  // namespace

template <typename Dtype>
void Blob<Dtype>::Reshape(const std::vector<int>& shape) {
  CHECK(shape.size() <= static_cast<size_t>(kMaxBlobAxes))
      << "a blob has at most " << kMaxBlobAxes << " axes, got " << shape.size();
  int64_t count = 1;
  for (const int dim : shape) {
    CHECK(dim >= 0) << "a blob's axis cannot have the length " << dim;
    CHECK(dim == 0 || count <= INT_MAX / dim) << "blob size exceeds " << INT_MAX << " elements";
    count *= dim;
  }
  shape_ = shape;
  count_ = static_cast<int>(count);
  shape_data_.reset();
  if (count_ > capacity_ || !data_) {
    capacity_ = count_;
    data_ = Successor(data_, capacity_ * sizeof(Dtype));
    diff_ = Successor(diff_, capacity_ * sizeof(Dtype));
  }
}

template <typename Dtype>
void Blob<Dtype>::Reshape(const BlobShape& shape) {
  std::vector<int> dims;
  for (const auto dim : shape.dim()) {
    CHECK(dim >= 0 && dim <= INT_MAX) << "a blob's axis cannot have the length " << dim;
    dims.push_back(static_cast<int>(dim));
  }
  Reshape(dims);
}

template <typename Dtype>
void Blob<Dtype>::ReshapeLike(const Blob<Dtype>& other) {
  Reshape(other.shape());
}

template <typename Dtype>
std::string Blob<Dtype>::shape_string() const {
  std::ostringstream out;
  for (const int dim : shape_) out << dim << " ";
  out << "(" << count_ << ")";
  return out.str();
}

template <typename Dtype>
int Blob<Dtype>::count(int start_axis, int end_axis) const {
  CHECK(0 <= start_axis && start_axis <= end_axis && end_axis <= num_axes())
      << "axes " << start_axis << " to " << end_axis << " of a blob of shape " << shape_string();
  int product = 1;
  for (int i = start_axis; i < end_axis; ++i) product *= shape_[i];
  return product;
}

template <typename Dtype>
int Blob<Dtype>::CanonicalAxisIndex(int axis_index) const {
  CHECK(-num_axes() <= axis_index && axis_index < num_axes())
      << "axis " << axis_index << " out of range for a blob of shape " << shape_string();
  return axis_index < 0 ? axis_index + num_axes() : axis_index;
}

template <typename Dtype>
int Blob<Dtype>::LegacyShape(int index) const {
  CHECK(num_axes() <= 4) << "num, channels, height and width name the axes of a blob of at most "
                         << "four, this one has the shape " << shape_string();
  CHECK(-4 <= index && index < 4) << "axis " << index << " of four";
  if (index >= num_axes() || index < -num_axes()) return 1;
  return shape(index);
}

template <typename Dtype>
int Blob<Dtype>::offset(const int n, const int c, const int h, const int w) const {
  CHECK(n >= 0 && n <= num() && c >= 0 && c <= channels() && h >= 0 && h <= height() && w >= 0 &&
        w <= width())
      << "index (" << n << ", " << c << ", " << h << ", " << w << ") of a blob of shape "
      << shape_string();
  return ((n * channels() + c) * height() + h) * width() + w;
}

template <typename Dtype>
int Blob<Dtype>::offset(const std::vector<int>& indices) const {
  CHECK(indices.size() <= static_cast<size_t>(num_axes()))
      << indices.size() << " indices into a blob of shape " << shape_string();
  int offset = 0;
  for (int i = 0; i < num_axes(); ++i) {
    offset *= shape_[i];
    if (i >= static_cast<int>(indices.size())) continue;
    CHECK(indices[i] >= 0 && indices[i] < shape_[i])
        << "index " << indices[i] << " on axis " << i << " of a blob of shape " << shape_string();
    offset += indices[i];
  }
  return offset;
}

template <typename Dtype>
void Blob<Dtype>::CopyFrom(const Blob<Dtype>& source, bool copy_diff, bool reshape) {
  if (source.shape() != shape_) {
    CHECK(reshape) << "cannot copy a blob of shape " << source.shape_string()
                   << " into one of shape " << shape_string();
    ReshapeLike(source);
  }
  if (copy_diff) {
    caffe_copy(count_, source.cpu_diff(), mutable_cpu_diff());
  } else {
    caffe_copy(count_, source.cpu_data(), mutable_cpu_data());
  }
}

namespace {

const std::shared_ptr<SyncedMemory>& Allocated(const std::shared_ptr<SyncedMemory>& memory) {
  CHECK(memory != nullptr) << "the blob has no shape yet, so it holds no values";
  return memory;
}

}  // namespace

template <typename Dtype>
const std::shared_ptr<SyncedMemory>& Blob<Dtype>::data() const {
  return Allocated(data_);
}

template <typename Dtype>
const std::shared_ptr<SyncedMemory>& Blob<Dtype>::diff() const {
  return Allocated(diff_);
}

template <typename Dtype>
const Dtype* Blob<Dtype>::cpu_data() const {
  return static_cast<const Dtype*>(data()->cpu_data());
}

template <typename Dtype>
const Dtype* Blob<Dtype>::cpu_diff() const {
  return static_cast<const Dtype*>(diff()->cpu_data());
}

template <typename Dtype>
Dtype* Blob<Dtype>::mutable_cpu_data() {
  return static_cast<Dtype*>(data()->mutable_cpu_data());
}

template <typename Dtype>
Dtype* Blob<Dtype>::mutable_cpu_diff() {
  return static_cast<Dtype*>(diff()->mutable_cpu_data());
}

template <typename Dtype>
void Blob<Dtype>::set_cpu_data(Dtype* data) {
  const size_t size = count_ * sizeof(Dtype);
  if (this->data()->size() != size) {
    data_ = std::make_shared<SyncedMemory>(size);
    diff_ = std::make_shared<SyncedMemory>(size);
    capacity_ = count_;
  }
  data_->set_cpu_data(data);
}

template <typename Dtype>
const Dtype* Blob<Dtype>::gpu_data() const {
  return static_cast<const Dtype*>(data()->gpu_data());
}

template <typename Dtype>
const Dtype* Blob<Dtype>::gpu_diff() const {
  return static_cast<const Dtype*>(diff()->gpu_data());
}

template <typename Dtype>
Dtype* Blob<Dtype>::mutable_gpu_data() {
  return static_cast<Dtype*>(data()->mutable_gpu_data());
}

template <typename Dtype>
Dtype* Blob<Dtype>::mutable_gpu_diff() {
  return static_cast<Dtype*>(diff()->mutable_gpu_data());
}

template <typename Dtype>
void Blob<Dtype>::set_gpu_data(Dtype* data) {
  this->data()->set_gpu_data(data);
}

template <typename Dtype>
const int* Blob<Dtype>::gpu_shape() const {
  CHECK(shape_data_ != nullptr) << "the blob's shape is not on a device";
  return static_cast<const int*>(shape_data_->gpu_data());
}

template <typename Dtype>
void Blob<Dtype>::Update() {
  caffe_axpy<Dtype>(count_, Dtype(-1), cpu_diff(), mutable_cpu_data());
}

namespace {

/** Whether a read makes sense: values, or an error about those given back. */
bool HasValues(const std::shared_ptr<SyncedMemory>& memory) {
  return memory && (memory->head() != SyncedMemory::UNINITIALIZED || memory->given_back());
}

}  // namespace

template <typename Dtype>
Dtype Blob<Dtype>::asum_data() const {
  return HasValues(data_) ? caffe_cpu_asum(count_, cpu_data()) : Dtype(0);
}

template <typename Dtype>
Dtype Blob<Dtype>::asum_diff() const {
  return HasValues(diff_) ? caffe_cpu_asum(count_, cpu_diff()) : Dtype(0);
}

template <typename Dtype>
Dtype Blob<Dtype>::sumsq_data() const {
  if (!HasValues(data_)) return Dtype(0);
  return caffe_cpu_dot(count_, cpu_data(), cpu_data());
}

template <typename Dtype>
Dtype Blob<Dtype>::sumsq_diff() const {
  if (!HasValues(diff_)) return Dtype(0);
  return caffe_cpu_dot(count_, cpu_diff(), cpu_diff());
}

template <typename Dtype>
void Blob<Dtype>::scale_data(Dtype scale_factor) {
  caffe_scal(count_, scale_factor, mutable_cpu_data());
}

template <typename Dtype>
void Blob<Dtype>::scale_diff(Dtype scale_factor) {
  caffe_scal(count_, scale_factor, mutable_cpu_diff());
}

template <typename Dtype>
void Blob<Dtype>::ShareData(const Blob& other) {
  CHECK_EQ(count_, other.count()) << "blobs that share their data have the same count";
  data_ = other.data();
  capacity_ = std::min(capacity_, other.capacity_);  // a later Reshape must not outgrow it
}

template <typename Dtype>
void Blob<Dtype>::ShareDiff(const Blob& other) {
  CHECK_EQ(count_, other.count()) << "blobs that share their gradient have the same count";
  diff_ = other.diff();
  capacity_ = std::min(capacity_, other.capacity_);
}

template <typename Dtype>
void Blob<Dtype>::MoveTo(const std::shared_ptr<SyncedMemory>& data,
                         const std::shared_ptr<SyncedMemory>& diff) {
  const size_t size = count_ * sizeof(Dtype);
  CHECK(data->size() == size && diff->size() == size)
      << "memories of " << data->size() << " and " << diff->size() << " bytes for a blob of "
      << size;
  std::memcpy(data->mutable_cpu_data(), cpu_data(), size);
  std::memcpy(diff->mutable_cpu_data(), cpu_diff(), size);
  data_ = data;
  diff_ = diff;
  capacity_ = count_;
}

namespace {

bool HasLegacyShape(const BlobProto& proto) {
  return proto.has_num() || proto.has_channels() || proto.has_height() || proto.has_width();
}

std::vector<int> ProtoShape(const BlobProto& proto) {
  if (HasLegacyShape(proto)) {
    return {proto.num(), proto.channels(), proto.height(), proto.width()};
  }
  std::vector<int> shape;
  for (const auto dim : proto.shape().dim()) {
    CHECK(dim >= 0 && dim <= INT_MAX) << "a stored blob has an axis of length " << dim;
    shape.push_back(static_cast<int>(dim));
  }
  return shape;
}

template <typename Dtype, typename Field>
void CopyField(const Field& field, int count, const char* name, Dtype* target) {
  CHECK_EQ(field.size(), count) << "the stored blob's " << name << " has another length than its "
                                << "shape says";
  std::copy(field.begin(), field.end(), target);
}

}  // namespace

template <typename Dtype>
bool Blob<Dtype>::ShapeEquals(const BlobProto& other) {
  if (!HasLegacyShape(other)) return ProtoShape(other) == shape_;
  // Legacy blobs always have four axes: parameters were padded with ones in front.
  return num_axes() <= 4 && LegacyShape(-4) == other.num() && LegacyShape(-3) == other.channels() &&
         LegacyShape(-2) == other.height() && LegacyShape(-1) == other.width();
}

template <typename Dtype>
void Blob<Dtype>::FromProto(const BlobProto& proto, bool reshape) {
  if (reshape) {
    Reshape(ProtoShape(proto));
  } else if (!ShapeEquals(proto)) {
    Blob<Dtype> stored;
    stored.Reshape(ProtoShape(proto));
    LOG(FATAL) << "shape mismatch: the blob has " << shape_string() << ", the file "
               << stored.shape_string();
  }
  if (proto.double_data_size() > 0) {
    CopyField(proto.double_data(), count_, "double_data", mutable_cpu_data());
  } else {
    CopyField(proto.data(), count_, "data", mutable_cpu_data());
  }
  if (proto.double_diff_size() > 0) {
    CopyField(proto.double_diff(), count_, "double_diff", mutable_cpu_diff());
  } else if (proto.diff_size() > 0) {
    CopyField(proto.diff(), count_, "diff", mutable_cpu_diff());
  }
}

namespace {

template <typename Dtype, typename Field>
void StoreField(const Dtype* values, int count, Field* field) {
  field->Clear();
  field->Reserve(count);
  for (int i = 0; i < count; ++i) field->AddAlreadyReserved(values[i]);
}

template <typename Dtype>
void ShapeToProto(const Blob<Dtype>& blob, BlobProto* proto) {
  proto->clear_shape();
  for (const int dim : blob.shape()) proto->mutable_shape()->add_dim(dim);
}

}  // namespace

template <>
void Blob<float>::ToProto(BlobProto* proto, bool write_diff) const {
  proto->Clear();
  ShapeToProto(*this, proto);
  StoreField(cpu_data(), count_, proto->mutable_data());
  if (write_diff) StoreField(cpu_diff(), count_, proto->mutable_diff());
}

template <>
void Blob<double>::ToProto(BlobProto* proto, bool write_diff) const {
  proto->Clear();
  ShapeToProto(*this, proto);
  StoreField(cpu_data(), count_, proto->mutable_double_data());
  if (write_diff) StoreField(cpu_diff(), count_, proto->mutable_double_diff());
}

// Blobs of integers hold masks and indices: they have no arithmetic and are not stored.
#define CAFFE_INTEGER_BLOB(Int)                                              \
  template <>                                                                \
  void Blob<Int>::Update() {                                                 \
    NOT_IMPLEMENTED;                                                         \
  }                                                                          \
  template <>                                                                \
  Int Blob<Int>::asum_data() const {                                         \
    NOT_IMPLEMENTED;                                                         \
  }                                                                          \
  template <>                                                                \
  Int Blob<Int>::asum_diff() const {                                         \
    NOT_IMPLEMENTED;                                                         \
  }                                                                          \
  template <>                                                                \
  Int Blob<Int>::sumsq_data() const {                                        \
    NOT_IMPLEMENTED;                                                         \
  }                                                                          \
  template <>                                                                \
  Int Blob<Int>::sumsq_diff() const {                                        \
    NOT_IMPLEMENTED;                                                         \
  }                                                                          \
  template <>                                                                \
  void Blob<Int>::scale_data(Int /*scale_factor*/) {                         \
    NOT_IMPLEMENTED;                                                         \
  }                                                                          \
  template <>                                                                \
  void Blob<Int>::scale_diff(Int /*scale_factor*/) {                         \
    NOT_IMPLEMENTED;                                                         \
  }                                                                          \
  template <>                                                                \
  void Blob<Int>::ToProto(BlobProto* /*proto*/, bool /*write_diff*/) const { \
    NOT_IMPLEMENTED;                                                         \
  }
CAFFE_INTEGER_BLOB(int)
CAFFE_INTEGER_BLOB(unsigned int)

INSTANTIATE_CLASS(Blob);
template class Blob<int>;
template class Blob<unsigned int>;

}  // namespace caffe
