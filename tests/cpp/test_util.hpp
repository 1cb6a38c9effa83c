#ifndef CAFFE_TESTS_TEST_UTIL_HPP_
#define CAFFE_TESTS_TEST_UTIL_HPP_

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "caffe/layer.hpp"
#include "caffe/layer_factory.hpp"

namespace caffe {

/** @brief A message from its text form. */
template <typename Message>
Message FromText(const string& text) {
  Message message;
  CHECK(google::protobuf::TextFormat::ParseFromString(text, &message)) << "bad text: " << text;
  return message;
}

/** @brief Values uniform in [low, high), the same for the same seed. */
template <typename Dtype>
void FillUniform(Dtype low, Dtype high, unsigned seed, int count, Dtype* values) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<Dtype> uniform(low, high);
  for (int i = 0; i < count; ++i) values[i] = uniform(random);
}

/** @brief Overwrites a blob's data, which must have as many elements. */
template <typename Dtype>
void SetData(const vector<Dtype>& values, Blob<Dtype>* blob) {
  ASSERT_EQ(static_cast<int>(values.size()), blob->count());
  std::copy(values.begin(), values.end(), blob->mutable_cpu_data());
}

template <typename Dtype>
vector<Dtype> DataOf(const Blob<Dtype>& blob) {
  return vector<Dtype>(blob.cpu_data(), blob.cpu_data() + blob.count());
}

template <typename Dtype>
vector<Dtype> DiffOf(const Blob<Dtype>& blob) {
  return vector<Dtype>(blob.cpu_diff(), blob.cpu_diff() + blob.count());
}

/** @brief One layer made by the registry from text, with the blobs that it works on. */
template <typename Dtype>
struct LayerCase {
  /** Bottoms of the given shapes hold random values in [−1, 1); the layer is not set up yet. */
  LayerCase(const string& text, const vector<vector<int>>& bottom_shapes, int num_top = 1)
      : layer(LayerRegistry<Dtype>::CreateLayer(FromText<LayerParameter>(text))) {
    for (const vector<int>& shape : bottom_shapes) {
      blobs.push_back(std::make_shared<Blob<Dtype>>(shape));
      bottom.push_back(blobs.back().get());
      FillUniform<Dtype>(-1, 1, 7 + static_cast<unsigned>(bottom.size()), bottom.back()->count(),
                         bottom.back()->mutable_cpu_data());
    }
    for (int i = 0; i < num_top; ++i) {
      blobs.push_back(std::make_shared<Blob<Dtype>>());
      top.push_back(blobs.back().get());
    }
  }

  void SetUp() { layer->SetUp(bottom, top); }
  Dtype Forward() { return layer->Forward(bottom, top); }
  /** Backward for the first `num_bottom` bottoms (−1: all). */
  void Backward(int num_bottom = -1) {
    vector<bool> propagate_down(bottom.size(), num_bottom < 0);
    for (int i = 0; i < num_bottom; ++i) propagate_down[i] = true;
    layer->Backward(top, propagate_down, bottom);
  }

  shared_ptr<Layer<Dtype>> layer;
  vector<shared_ptr<Blob<Dtype>>> blobs;
  vector<Blob<Dtype>*> bottom;
  vector<Blob<Dtype>*> top;
};

}  // namespace caffe

#endif  // CAFFE_TESTS_TEST_UTIL_HPP_
