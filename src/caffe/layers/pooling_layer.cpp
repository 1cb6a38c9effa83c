#include "caffe/layers/pooling_layer.hpp"

#include <algorithm>
#include <limits>

#include "caffe/util/spatial.hpp"

namespace caffe {

namespace {

/** A field that may be given as one number or as a pair. */
struct SizeField {
  const char* name;  // "stride", of which stride_h and stride_w
  bool has_both, has_h, has_w;
  unsigned both, h, w;
};

void ReadSize(const SizeField& field, int* h, int* w) {
  const string name = field.name, pair = name + "_h and " + name + "_w";
  CHECK(!field.has_both || !(field.has_h || field.has_w))
      << field.name << " and " << pair << " are both given; expected one form";
  CHECK(field.has_h == field.has_w)
      << "of " << pair << " only " << name << (field.has_h ? "_h" : "_w") << " is given";
  const unsigned values[] = {field.has_h ? field.h : field.both,
                             field.has_h ? field.w : field.both};
  for (const unsigned value : values) {
    CHECK(value <= static_cast<unsigned>(INT_MAX / 4)) << name << " " << value << " is too large";
  }
  *h = static_cast<int>(values[0]);
  *w = static_cast<int>(values[1]);
}

/** One axis of the image and of the window. */
struct PoolAxis {
  const char* name;
  int input, kernel, stride, pad;
};

int PooledSize(const PoolAxis& axis, PoolingParameter_RoundMode round_mode) {
  const int64_t room = int64_t{axis.input} + 2 * axis.pad - axis.kernel;
  // Rounds to the next integer above for CEIL, below for FLOOR, of either sign.
  int64_t steps = room / axis.stride;
  const int64_t rest = room % axis.stride;
  if (round_mode == PoolingParameter_RoundMode_CEIL && rest > 0) ++steps;
  if (round_mode == PoolingParameter_RoundMode_FLOOR && rest < 0) --steps;
  CHECK(axis.input > 0 && steps >= 0)
      << "the kernel is larger than the padded input: " << axis.name << " " << axis.input
      << " with pad " << axis.pad << ", kernel " << axis.kernel << ", stride " << axis.stride;
  const int64_t last_start = int64_t{axis.input} + axis.pad - 1;
  return static_cast<int>(std::min(steps, last_start / axis.stride) + 1);
}

}  // namespace

template <typename Dtype>
void PoolingLayer<Dtype>::ReadKernel() {
  const PoolingParameter& param = this->layer_param_.pooling_param();
  global_pooling_ = param.global_pooling();
  const bool has_kernel = param.has_kernel_size() || param.has_kernel_h() || param.has_kernel_w();
  if (global_pooling_) {
    CHECK(!has_kernel) << "global_pooling takes the whole image; a kernel cannot be given";
    return;
  }
  CHECK(has_kernel) << "kernel_size (or kernel_h and kernel_w) is missing";
  ReadSize({"kernel", param.has_kernel_size(), param.has_kernel_h(), param.has_kernel_w(),
            param.kernel_size(), param.kernel_h(), param.kernel_w()},
           &kernel_h_, &kernel_w_);
  CHECK(kernel_h_ > 0 && kernel_w_ > 0)
      << "the kernel must be at least 1 by 1, got " << kernel_h_ << " by " << kernel_w_;
}

template <typename Dtype>
void PoolingLayer<Dtype>::ReadPadAndStride() {
  const PoolingParameter& param = this->layer_param_.pooling_param();
  ReadSize({"pad", param.has_pad(), param.has_pad_h(), param.has_pad_w(), param.pad(),
            param.pad_h(), param.pad_w()},
           &pad_h_, &pad_w_);
  ReadSize({"stride", param.has_stride(), param.has_stride_h(), param.has_stride_w(),
            param.stride(), param.stride_h(), param.stride_w()},
           &stride_h_, &stride_w_);
  CHECK(stride_h_ > 0 && stride_w_ > 0)
      << "the stride must be at least 1 by 1, got " << stride_h_ << " by " << stride_w_;
  if (global_pooling_) {
    CHECK(pad_h_ == 0 && pad_w_ == 0 && stride_h_ == 1 && stride_w_ == 1)
        << "global_pooling takes pad 0 and stride 1, got pad " << pad_h_ << " by " << pad_w_
        << " and stride " << stride_h_ << " by " << stride_w_;
    return;
  }
  CHECK(pad_h_ < kernel_h_ && pad_w_ < kernel_w_)
      << "pad " << pad_h_ << " by " << pad_w_ << " must be smaller than the kernel, " << kernel_h_
      << " by " << kernel_w_;
}

template <typename Dtype>
void PoolingLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                                     const vector<Blob<Dtype>*>& /*top*/) {
  round_mode_ = this->layer_param_.pooling_param().round_mode();
  ReadKernel();
  ReadPadAndStride();
}

template <typename Dtype>
void PoolingLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                  const vector<Blob<Dtype>*>& top) {
  CHECK(bottom[0]->num_axes() == 4)
      << "bottom[0] has the shape " << bottom[0]->shape_string() << ", expected N x C x H x W";
  CheckNotInPlace(bottom, top);
  channels_ = bottom[0]->channels();
  height_ = bottom[0]->height();
  width_ = bottom[0]->width();
  if (global_pooling_) {
    kernel_h_ = height_;
    kernel_w_ = width_;
  }
  pooled_height_ = PooledSize({"height", height_, kernel_h_, stride_h_, pad_h_}, round_mode_);
  pooled_width_ = PooledSize({"width", width_, kernel_w_, stride_w_, pad_w_}, round_mode_);
  for (Blob<Dtype>* blob : top) {
    blob->Reshape(bottom[0]->num(), channels_, pooled_height_, pooled_width_);
  }
  const PoolingParameter_PoolMethod method = this->layer_param_.pooling_param().pool();
  if (method != PoolingParameter_PoolMethod_AVE) max_idx_.Reshape(top[0]->shape());
  if (method == PoolingParameter_PoolMethod_STOCHASTIC) rand_idx_.ReshapeLike(*top[0]);
}

template <typename Dtype>
PoolWindows PoolingLayer<Dtype>::windows() const {
  return {height_,   width_,    pooled_height_, pooled_width_, kernel_h_,
          kernel_w_, stride_h_, stride_w_,      pad_h_,        pad_w_};
}

template <typename Dtype>
void PoolingLayer<Dtype>::WriteMask(const vector<Blob<Dtype>*>& top) const {
  // Integers up to 2^digits are exact in a Dtype.
  CHECK(int64_t{height_} * width_ <= int64_t{1} << std::numeric_limits<Dtype>::digits)
      << "the mask's indices into an image of " << height_ << " by " << width_
      << " are not exact in this element type";
  const int* index = max_idx_.cpu_data();
  std::copy(index, index + top[1]->count(), top[1]->mutable_cpu_data());
}

template <typename Dtype>
void PoolingLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                      const vector<Blob<Dtype>*>& top) {
  const Dtype* input = bottom[0]->cpu_data();
  Dtype* output = top[0]->mutable_cpu_data();
  const int num_planes = planes(*bottom[0]);
  switch (this->layer_param_.pooling_param().pool()) {
    case PoolingParameter_PoolMethod_MAX:
      PoolMax(windows(), num_planes, input, output, max_idx_.mutable_cpu_data());
      if (top.size() > 1) WriteMask(top);
      break;
    case PoolingParameter_PoolMethod_AVE:
      PoolAverage(windows(), num_planes, input, output);
      break;
    case PoolingParameter_PoolMethod_STOCHASTIC:
      if (this->phase_ == TRAIN) {
        caffe_rng_uniform<Dtype>(rand_idx_.count(), 0, 1, rand_idx_.mutable_cpu_data());
        PoolSample(windows(), num_planes, input, rand_idx_.cpu_data(), output,
                   max_idx_.mutable_cpu_data());
      } else {
        PoolExpected(windows(), num_planes, input, output);
      }
      break;
  }
}

template <typename Dtype>
void PoolingLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                       const vector<bool>& propagate_down,
                                       const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const Dtype* top_diff = top[0]->cpu_diff();
  Dtype* bottom_diff = bottom[0]->mutable_cpu_diff();
  const int num_planes = planes(*bottom[0]);
  const PoolingParameter_PoolMethod method = this->layer_param_.pooling_param().pool();
  if (method == PoolingParameter_PoolMethod_AVE) {
    PoolAverageBackward(windows(), num_planes, top_diff, bottom_diff);
  } else if (method == PoolingParameter_PoolMethod_STOCHASTIC && this->phase_ == TEST) {
    PoolExpectedBackward(windows(), num_planes, bottom[0]->cpu_data(), top_diff, bottom_diff);
  } else {
    PoolScatter(windows(), num_planes, top_diff, max_idx_.cpu_data(), bottom_diff);
  }
}

INSTANTIATE_CLASS(PoolingLayer);
REGISTER_LAYER_CLASS(Pooling);

}  // namespace caffe
