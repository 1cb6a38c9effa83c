#include "caffe/layers/spp_layer.hpp"

namespace caffe {

namespace {

// 4^15 bins a channel are more than an int counts.
constexpr unsigned kMostLevels = 15;

}  // namespace

template <typename Dtype>
void SPPLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                                 const vector<Blob<Dtype>*>& /*top*/) {
  const unsigned height = this->layer_param_.spp_param().pyramid_height();
  CHECK(height >= 1 && height <= kMostLevels)
      << "pyramid_height must be from 1 to " << kMostLevels << ", got " << height;
  pyramid_height_ = static_cast<int>(height);
}

template <typename Dtype>
PoolWindows SPPLayer<Dtype>::GetWindows(int level) const {
  const int bins = 1 << level;
  PoolWindows windows;
  windows.height = bottom_h_;
  windows.width = bottom_w_;
  windows.pooled_height = windows.pooled_width = bins;
  windows.kernel_h = windows.stride_h = (bottom_h_ + bins - 1) / bins;
  windows.kernel_w = windows.stride_w = (bottom_w_ + bins - 1) / bins;
  windows.pad_h = (windows.kernel_h * bins - bottom_h_ + 1) / 2;
  windows.pad_w = (windows.kernel_w * bins - bottom_w_ + 1) / 2;
  CHECK(windows.pad_h < windows.kernel_h && windows.pad_w < windows.kernel_w)
      << "level " << level << " of the pyramid has " << bins << " by " << bins << " bins of "
      << windows.kernel_h << " by " << windows.kernel_w << " pixels, of which some would be empty "
      << "for an image of " << bottom_h_ << " by " << bottom_w_ << "; lower pyramid_height";
  return windows;
}

template <typename Dtype>
void SPPLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CHECK(bottom[0]->num_axes() == 4 && bottom[0]->height() > 0 && bottom[0]->width() > 0)
      << "bottom[0] has the shape " << bottom[0]->shape_string() << ", expected N x C x H x W";
  num_ = bottom[0]->num();
  channels_ = bottom[0]->channels();
  bottom_h_ = bottom[0]->height();
  bottom_w_ = bottom[0]->width();
  levels_.clear();
  int64_t length = 0;
  for (int level = 0; level < pyramid_height_; ++level) {
    levels_.push_back(GetWindows(level));
    length += channels_ * levels_.back().pooled_plane();
  }
  CHECK(length <= INT_MAX) << "the top would have " << length << " elements an image";
  top[0]->Reshape({num_, static_cast<int>(length)});
  index_.Reshape(top[0]->shape());
  if (this->layer_param_.spp_param().pool() == SPPParameter_PoolMethod_STOCHASTIC) {
    random_.ReshapeLike(*top[0]);
  }
  gradient_.Reshape(1, channels_, bottom_h_, bottom_w_);
}

template <typename Dtype>
template <typename Visit>
void SPPLayer<Dtype>::ForEachPart(const Visit& visit) const {
  int offset = 0;
  for (int n = 0; n < num_; ++n) {
    for (const PoolWindows& windows : levels_) {
      visit(Part{windows, n, offset});
      offset += channels_ * static_cast<int>(windows.pooled_plane());
    }
  }
}

template <typename Dtype>
void SPPLayer<Dtype>::ForwardPart(const Part& part, const Dtype* image, Dtype* top) {
  int* index = index_.mutable_cpu_data() + part.top_offset;
  switch (this->layer_param_.spp_param().pool()) {
    case SPPParameter_PoolMethod_MAX:
      PoolMax(part.windows, channels_, image, top, index);
      break;
    case SPPParameter_PoolMethod_AVE:
      PoolAverage(part.windows, channels_, image, top);
      break;
    case SPPParameter_PoolMethod_STOCHASTIC:
      if (this->phase_ == TRAIN) {
        PoolSample(part.windows, channels_, image, random_.cpu_data() + part.top_offset, top,
                   index);
      } else {
        PoolExpected(part.windows, channels_, image, top);
      }
      break;
  }
}

template <typename Dtype>
void SPPLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                  const vector<Blob<Dtype>*>& top) {
  const Dtype* input = bottom[0]->cpu_data();
  Dtype* output = top[0]->mutable_cpu_data();
  if (this->layer_param_.spp_param().pool() == SPPParameter_PoolMethod_STOCHASTIC &&
      this->phase_ == TRAIN) {
    caffe_rng_uniform<Dtype>(random_.count(), 0, 1, random_.mutable_cpu_data());
  }
  ForEachPart([&](const Part& part) {
    ForwardPart(part, input + part.image * gradient_.count(), output + part.top_offset);
  });
}

template <typename Dtype>
void SPPLayer<Dtype>::BackwardPart(const Part& part, const Dtype* image, const Dtype* top_diff,
                                   Dtype* diff) const {
  const SPPParameter_PoolMethod method = this->layer_param_.spp_param().pool();
  if (method == SPPParameter_PoolMethod_AVE) {
    PoolAverageBackward(part.windows, channels_, top_diff, diff);
  } else if (method == SPPParameter_PoolMethod_STOCHASTIC && this->phase_ == TEST) {
    PoolExpectedBackward(part.windows, channels_, image, top_diff, diff);
  } else {
    PoolScatter(part.windows, channels_, top_diff, index_.cpu_data() + part.top_offset, diff);
  }
}

template <typename Dtype>
void SPPLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                   const vector<bool>& propagate_down,
                                   const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const Dtype* input = bottom[0]->cpu_data();
  const Dtype* top_diff = top[0]->cpu_diff();
  Dtype* bottom_diff = bottom[0]->mutable_cpu_diff();
  Dtype* part_diff = gradient_.mutable_cpu_data();
  const int image_size = gradient_.count();
  caffe_set(bottom[0]->count(), Dtype(0), bottom_diff);
  ForEachPart([&](const Part& part) {
    const int image = part.image * image_size;
    BackwardPart(part, input + image, top_diff + part.top_offset, part_diff);
    caffe_axpy(image_size, Dtype(1), part_diff, bottom_diff + image);
  });
}

INSTANTIATE_CLASS(SPPLayer);
REGISTER_LAYER_CLASS(SPP);

}  // namespace caffe
