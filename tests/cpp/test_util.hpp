#ifndef CAFFE_TESTS_TEST_UTIL_HPP_
#define CAFFE_TESTS_TEST_UTIL_HPP_

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"

namespace caffe {

/** @brief The layer described by prototxt text: "type: 'ReLU' relu_param { … }". */
inline LayerParameter LayerFromText(const string& text) {
  LayerParameter param;
  CHECK(google::protobuf::TextFormat::ParseFromString(text, &param)) << "not a layer: " << text;
  return param;
}

template <typename Dtype>
vector<Dtype> Values(const Blob<Dtype>& blob) {
  return vector<Dtype>(blob.cpu_data(), blob.cpu_data() + blob.count());
}

template <typename Dtype>
vector<Dtype> Gradients(const Blob<Dtype>& blob) {
  return vector<Dtype>(blob.cpu_diff(), blob.cpu_diff() + blob.count());
}

/** @brief Sets all values; there must be as many as the blob has elements. */
template <typename Dtype>
void SetValues(const vector<Dtype>& values, Blob<Dtype>* blob) {
  CHECK_EQ(static_cast<int>(values.size()), blob->count()) << "values for a blob";
  std::copy(values.begin(), values.end(), blob->mutable_cpu_data());
}

template <typename Dtype>
void SetGradients(const vector<Dtype>& values, Blob<Dtype>* blob) {
  CHECK_EQ(static_cast<int>(values.size()), blob->count()) << "gradients for a blob";
  std::copy(values.begin(), values.end(), blob->mutable_cpu_diff());
}

/** @brief n numbers, uniform in [low, high): the same for the same seed, on every platform. */
template <typename Dtype = double>
vector<Dtype> RandomValues(int n, unsigned seed, Dtype low = Dtype(-2), Dtype high = Dtype(2)) {
  std::mt19937 random(seed);
  vector<Dtype> values(n);
  for (Dtype& value : values) value = low + (high - low) * Dtype(random() / 4294967296.0);
  return values;
}

/** @brief A layer made by its registered type, and blobs for it that live as long. */
template <typename Dtype>
class LayerRun {
 public:
  /** @brief `bottoms` are shapes; their values are RandomValues of seeds 1, 2, … */
  LayerRun(const string& text, const vector<vector<int>>& bottoms, int num_top = 1)
      : layer(LayerRegistry<Dtype>::CreateLayer(LayerFromText(text))) {
    for (size_t i = 0; i < bottoms.size(); ++i) {
      bottom.push_back(Own(new Blob<Dtype>(bottoms[i])));
      SetValues(RandomValues<Dtype>(bottom[i]->count(), static_cast<unsigned>(i + 1)), bottom[i]);
    }
    for (int i = 0; i < num_top; ++i) top.push_back(Own(new Blob<Dtype>()));
  }
  /** @brief The top is the first bottom from now on. */
  LayerRun& InPlace() {
    top[0] = bottom[0];
    return *this;
  }
  LayerRun& SetUp() {
    layer->SetUp(bottom, top);
    return *this;
  }
  vector<Dtype> Forward() {
    layer->Forward(bottom, top);
    return Values(*top[0]);
  }
  /** @brief Backward to the bottoms named (empty: all), from this gradient of top[0]. */
  vector<Dtype> Backward(const vector<Dtype>& top_diff, vector<bool> propagate_down = {}) {
    if (propagate_down.empty()) propagate_down.assign(bottom.size(), true);
    SetGradients(top_diff, top[0]);
    layer->Backward(top, propagate_down, bottom);
    return Gradients(*bottom[0]);
  }
  /** @brief SetUp and a check of all gradients, with the sum of the tops' random multiples. */
  void CheckGradient(Dtype step = Dtype(1e-5), Dtype threshold = Dtype(1e-6),
                     int check_bottom = -1) {
    GradientChecker<Dtype>(step, threshold).CheckGradient(layer.get(), bottom, top, check_bottom);
  }

  shared_ptr<Layer<Dtype>> layer;
  vector<Blob<Dtype>*> bottom, top;

 private:
  Blob<Dtype>* Own(Blob<Dtype>* blob) {
    owned_.emplace_back(blob);
    return blob;
  }
  vector<std::unique_ptr<Blob<Dtype>>> owned_;
};

typedef LayerRun<double> DoubleRun;

/** @brief In place, outputs and all gradients are the same as out of place, to the bit. */
inline void ExpectSameInPlace(const string& text, const vector<vector<int>>& bottoms) {
  DoubleRun apart(text, bottoms), in_place(text, bottoms);
  in_place.InPlace();
  for (DoubleRun* run : {&apart, &in_place}) {
    Caffe::set_random_seed(7);  // for fillers, and layers that draw
    run->SetUp();
    for (const auto& blob : run->layer->blobs()) blob->scale_diff(0);
  }
  Caffe::set_random_seed(8);
  const vector<double> expected = apart.Forward();
  Caffe::set_random_seed(8);
  EXPECT_EQ(in_place.Forward(), expected);
  const vector<double> top_diff = RandomValues<double>(static_cast<int>(expected.size()), 5);
  const vector<double> expected_diff = apart.Backward(top_diff);
  EXPECT_EQ(in_place.Backward(top_diff), expected_diff);
  for (size_t i = 1; i < bottoms.size(); ++i) {
    EXPECT_EQ(Gradients(*in_place.bottom[i]), Gradients(*apart.bottom[i])) << "bottom " << i;
  }
  for (size_t i = 0; i < apart.layer->blobs().size(); ++i) {
    EXPECT_EQ(Gradients(*in_place.layer->blobs()[i]), Gradients(*apart.layer->blobs()[i]))
        << "parameter " << i;
  }
}

/** @brief Every |got - expected| <= tolerance. */
template <typename Dtype>
void ExpectNear(const vector<Dtype>& got, const vector<Dtype>& expected, double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], tolerance) << "at " << i;
}

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
