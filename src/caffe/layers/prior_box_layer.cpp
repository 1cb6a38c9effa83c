#include "caffe/layers/prior_box_layer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace caffe {

namespace {

/** 1, then the given ratios and (with flip) their inverses, each once. */
template <typename Dtype>
vector<Dtype> AspectRatios(const PriorBoxParameter& param) {
  vector<Dtype> ratios(1, Dtype(1));
  for (int i = 0; i < param.aspect_ratio_size(); ++i) {
    const Dtype ratio = param.aspect_ratio(i);
    CHECK(ratio > 0) << "aspect_ratio must be positive, got " << ratio;
    const bool is_known = std::any_of(ratios.begin(), ratios.end(), [ratio](Dtype known) {
      return std::fabs(known - ratio) < Dtype(1e-6);
    });
    if (is_known) continue;
    ratios.push_back(ratio);
    if (param.flip()) ratios.push_back(1 / ratio);
  }
  return ratios;
}

template <typename Dtype>
vector<pair<Dtype, Dtype>> PriorSizes(const PriorBoxParameter& param) {
  CHECK(param.min_size_size() > 0) << "prior_box_param needs min_size";
  CHECK(param.max_size_size() == 0 || param.max_size_size() == param.min_size_size())
      << "max_size must be given for every min_size or for none: " << param.max_size_size()
      << " for " << param.min_size_size();
  const vector<Dtype> ratios = AspectRatios<Dtype>(param);
  vector<pair<Dtype, Dtype>> sizes;
  for (int i = 0; i < param.min_size_size(); ++i) {
    const Dtype min_size = param.min_size(i);
    CHECK(min_size > 0) << "min_size must be positive, got " << min_size;
    sizes.push_back(std::make_pair(min_size, min_size));
    if (param.max_size_size() > 0) {
      const Dtype max_size = param.max_size(i);
      CHECK(max_size > min_size) << "max_size must exceed its min_size " << min_size << ", got "
                                 << max_size;
      sizes.push_back(
          std::make_pair(std::sqrt(min_size * max_size), std::sqrt(min_size * max_size)));
    }
    for (size_t r = 1; r < ratios.size(); ++r) {
      sizes.push_back(
          std::make_pair(min_size * std::sqrt(ratios[r]), min_size / std::sqrt(ratios[r])));
    }
  }
  return sizes;
}

template <typename Dtype>
vector<Dtype> Variances(const PriorBoxParameter& param) {
  const int count = param.variance_size();
  CHECK(count == 0 || count == 1 || count == 4) << "variance takes 1 or 4 values, got " << count;
  vector<Dtype> variance(4, Dtype(0.1));
  for (int i = 0; i < 4 && count > 0; ++i) {
    variance[i] = param.variance(count == 1 ? 0 : i);
    CHECK(variance[i] > 0) << "variance must be positive, got " << variance[i];
  }
  return variance;
}

}  // namespace

template <typename Dtype>
void PriorBoxLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                                      const vector<Blob<Dtype>*>& /*top*/) {
  const PriorBoxParameter& param = this->layer_param_.prior_box_param();
  sizes_ = PriorSizes<Dtype>(param);
  variance_ = Variances<Dtype>(param);
  CHECK(!param.has_img_size() || (!param.has_img_h() && !param.has_img_w()))
      << "give img_size, or img_h and img_w";
  CHECK(param.has_img_h() == param.has_img_w()) << "img_h and img_w go together";
  image_height_ = static_cast<int>(param.has_img_size() ? param.img_size() : param.img_h());
  image_width_ = static_cast<int>(param.has_img_size() ? param.img_size() : param.img_w());
  CHECK(!(param.has_img_size() || param.has_img_h()) || (image_height_ > 0 && image_width_ > 0))
      << "the image's size must be positive, got " << image_width_ << " x " << image_height_;
  CHECK(!param.has_step() || (!param.has_step_h() && !param.has_step_w()))
      << "give step, or step_h and step_w";
  CHECK(param.has_step_h() == param.has_step_w()) << "step_h and step_w go together";
  step_height_ = param.has_step() ? param.step() : param.step_h();
  step_width_ = param.has_step() ? param.step() : param.step_w();
  CHECK(!(param.has_step() || param.has_step_h()) || (step_height_ > 0 && step_width_ > 0))
      << "the step must be positive, got " << step_width_ << " x " << step_height_;
}

template <typename Dtype>
void PriorBoxLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                   const vector<Blob<Dtype>*>& top) {
  const int num_values =
      bottom[0]->width() * bottom[0]->height() * static_cast<int>(sizes_.size()) * 4;
  const int shape[] = {1, 2, num_values};
  top[0]->Reshape(vector<int>(shape, shape + 3));
}

template <typename Dtype>
void PriorBoxLayer<Dtype>::ComputePriors(int map_height, int map_width, Dtype image_height,
                                         Dtype image_width, Dtype* values) const {
  const PriorBoxParameter& param = this->layer_param_.prior_box_param();
  const Dtype step_height = step_height_ > 0 ? step_height_ : image_height / map_height;
  const Dtype step_width = step_width_ > 0 ? step_width_ : image_width / map_width;
  const Dtype offset = param.offset();
  Dtype* value = values;
  for (int row = 0; row < map_height; ++row) {
    for (int column = 0; column < map_width; ++column) {
      const Dtype center_x = (column + offset) * step_width;
      const Dtype center_y = (row + offset) * step_height;
      for (size_t i = 0; i < sizes_.size(); ++i) {
        // In double, as Caffe-SSD: with other last bits, equal overlaps match otherwise than there.
        const double half_width = sizes_[i].first / 2.;
        const double half_height = sizes_[i].second / 2.;
        *value++ = static_cast<Dtype>((center_x - half_width) / image_width);
        *value++ = static_cast<Dtype>((center_y - half_height) / image_height);
        *value++ = static_cast<Dtype>((center_x + half_width) / image_width);
        *value++ = static_cast<Dtype>((center_y + half_height) / image_height);
      }
    }
  }
  if (!param.clip()) return;
  for (; values != value; ++values) *values = std::min(std::max(*values, Dtype(0)), Dtype(1));
}

template <typename Dtype>
void PriorBoxLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                       const vector<Blob<Dtype>*>& top) {
  const vector<int> wanted = {bottom[0]->height(), bottom[0]->width(),
                              image_height_ > 0 ? image_height_ : bottom[1]->height(),
                              image_width_ > 0 ? image_width_ : bottom[1]->width()};
  const shared_ptr<SyncedMemory>& memory = top[0]->data();
  const bool is_kept = wanted == computed_for_ && computed_in_.lock() == memory &&
                       memory->version() == computed_version_ && !memory->pinned() &&
                       memory->head() != SyncedMemory::UNINITIALIZED;
  if (is_kept) return;
  const int num_values = top[0]->shape(2);
  Dtype* values = top[0]->mutable_cpu_data();
  ComputePriors(wanted[0], wanted[1], wanted[2], wanted[3], values);
  for (int i = 0; i < num_values; ++i) values[num_values + i] = variance_[i % 4];
  computed_for_ = wanted;
  computed_in_ = memory;
  computed_version_ = memory->version();
}

template <typename Dtype>
void PriorBoxLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& /*top*/,
                                        const vector<bool>& propagate_down,
                                        const vector<Blob<Dtype>*>& bottom) {
  for (size_t i = 0; i < bottom.size(); ++i) {
    if (propagate_down[i]) bottom[i]->diff()->SetZero();
  }
}

INSTANTIATE_CLASS(PriorBoxLayer);
REGISTER_LAYER_CLASS(PriorBox);

}  // namespace caffe
