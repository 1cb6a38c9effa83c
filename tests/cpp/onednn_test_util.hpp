#ifndef CAFFE_TESTS_ONEDNN_TEST_UTIL_HPP_
#define CAFFE_TESTS_ONEDNN_TEST_UTIL_HPP_

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "caffe/backend/onednn_elementwise.hpp"
#include "test_util.hpp"

namespace caffe {

/** @brief How a test's values lie in the backend: nChw16c and nChw8c, or nhwc; f32 or bf16. */
struct TestLayout {
  dnnl::memory::format_tag tag = dnnl::memory::format_tag::nChw16c;
  onednn::ElementType type = onednn::ElementType::f32;
  bool narrow() const { return type == onednn::ElementType::bf16; }
};

/** @brief Layouts to test a layer with; those of bf16 where the processor has its instructions. */
inline vector<TestLayout> TestLayouts() {
  using Tag = dnnl::memory::format_tag;
  vector<TestLayout> layouts = {TestLayout(), {Tag::nChw8c}, {Tag::nhwc}};
  if (onednn::HasBf16()) {
    layouts.push_back({Tag::nChw16c, onednn::ElementType::bf16});
    layouts.push_back({Tag::nhwc, onednn::ElementType::bf16});
  }
  return layouts;
}

/** @brief Makes the backend the only holder of these values, in such a layout. */
inline void MoveToBackend(const vector<int>& shape, SyncedMemory* values,
                          const TestLayout& layout) {
  const auto memory = std::make_shared<onednn::OnednnMemory>(
      onednn::Layout(onednn::DimsOf(shape), layout.type, layout.tag));
  memory->FromHost(values->cpu_data());
  values->set_backend_data(memory);
}

/** @brief The same in floats, in blocks of `block` channels. */
inline void MoveToBackend(const vector<int>& shape, SyncedMemory* values, int block = 16) {
  using Tag = dnnl::memory::format_tag;
  MoveToBackend(shape, values, TestLayout{block == 16 ? Tag::nChw16c : Tag::nChw8c});
}

/** @brief Whether the newest values are in the backend's layout alone. */
inline bool OnlyOnBackend(const SyncedMemory& values) {
  return values.head() == SyncedMemory::HEAD_AT_BACKEND;
}

inline vector<double> AsDoubles(const vector<float>& values) {
  return vector<double>(values.begin(), values.end());
}

/** Of a layer's results, relative to the largest: see ExpectClose. */
constexpr double kFloats = 1e-4;
/**
 * The same for a layer of bf16: each operand and each result is off by up to 2^-9 of itself, which
 * makes 3 * 2^-9 = 6e-3 of the largest if all are off in the same direction.
 */
constexpr double kBFloats = 1e-2;

/**
 * The override's floats against the plain implementation's doubles, up to 1e-4 of the largest:
 * Winograd's transforms lose 3 to 6 of the 24 bits of a float (3e-6 RMS, ten times that where it is
 * worst), and a wrong tap, channel or edge is off by 1e-2 and more.
 */
inline void ExpectClose(const vector<double>& expected, const vector<float>& got,
                        const string& what, double relative = kFloats) {
  ASSERT_EQ(expected.size(), got.size()) << what;
  double largest = 1e-3;  // of random numbers around 1: less is a gradient that is 0
  for (const double value : expected) largest = std::max(largest, std::abs(value));
  double worst = 0;
  size_t where = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double error = std::abs(expected[i] - got[i]);
    // Not "error > worst": a NaN must be the worst.
    if (!(error <= worst)) {
      worst = error;
      where = i;
    }
  }
  EXPECT_LE(worst, relative * largest) << what << "[" << where << "]: expected " << expected[where]
                                       << ", got " << got[where] << "; largest " << largest;
}

/** @brief A layer in double, plain, and in float, by the backend, with the same values. */
class BackendPair {
 public:
  BackendPair(const string& text, const vector<vector<int>>& bottoms, int num_top = 1)
      : plain(text, bottoms, num_top), fast(text, bottoms, num_top) {}

  BackendPair& InPlace() {
    plain.InPlace();
    fast.InPlace();
    return *this;
  }
  BackendPair& SetUp() {
    plain.SetUp();
    fast.SetUp();
    FillParameters();
    return *this;
  }
  /** @brief New random bottoms, of other shapes if given; the same floats on both sides. */
  void FillBottoms(unsigned seed, const vector<vector<int>>& shapes = {}) {
    for (size_t i = 0; i < plain.bottom.size(); ++i) {
      if (!shapes.empty()) {
        plain.bottom[i]->Reshape(shapes[i]);
        fast.bottom[i]->Reshape(shapes[i]);
      }
      Fill(seed + static_cast<unsigned>(i), plain.bottom[i], fast.bottom[i]);
    }
  }
  /** @brief Random parameters, and gradients of them that were there before. */
  void FillParameters() {
    for (size_t i = 0; i < plain.layer->blobs().size(); ++i) {
      Blob<double>* blob = plain.layer->blobs()[i].get();
      Blob<float>* other = fast.layer->blobs()[i].get();
      Fill(static_cast<unsigned>(50 + i), blob, other);
      FillGradients(static_cast<unsigned>(60 + i), blob, other);
    }
  }
  void ExpectForward(const string& what) {
    plain.layer->Forward(plain.bottom, plain.top);
    fast.layer->Forward(fast.bottom, fast.top);
    for (size_t i = 0; i < plain.top.size(); ++i) {
      ASSERT_EQ(plain.top[i]->shape(), fast.top[i]->shape()) << what;
      ExpectClose(Values(*plain.top[i]), Values(*fast.top[i]), what + ": top", tolerance);
    }
  }
  /**
   * @brief Moves the bottoms to the backend, in this layout, rounded on both sides. From now on
   * results of bf16 may be off by 2e-2: where a sum of a few is kept in bf16 each step rounds.
   */
  void MoveBottoms(const TestLayout& layout) {
    tolerance = layout.narrow() ? 2 * kBFloats : kFloats;
    layout_ = layout;
    for (size_t i = 0; i < fast.bottom.size(); ++i) {
      Blob<float>* blob = fast.bottom[i];
      MoveToBackend(blob->shape(), blob->data().get(), layout);
      const vector<float> rounded = Values(*blob);
      SetValues(AsDoubles(rounded), plain.bottom[i]);
      MoveToBackend(blob->shape(), blob->data().get(), layout);
    }
  }
  /** @brief Backward from random gradients; `on_backend` moves them there first. */
  void ExpectBackward(const string& what, vector<bool> propagate_down = {},
                      bool on_backend = false) {
    if (propagate_down.empty()) propagate_down.assign(plain.bottom.size(), true);
    for (size_t i = 0; i < plain.bottom.size(); ++i) {
      if (plain.bottom[i] == plain.top[0]) continue;
      Poison(plain.bottom[i]);
      Poison(fast.bottom[i]);
    }
    for (size_t i = 0; i < plain.top.size(); ++i) {
      FillGradients(static_cast<unsigned>(70 + i), plain.top[i], fast.top[i]);
      if (layout_.narrow()) {  // what the layer reads is rounded: on both sides
        vector<float> rounded = Gradients(*fast.top[i]);
        for (float& value : rounded) value = onednn::BFloat16(value);
        SetGradients(rounded, fast.top[i]);
        SetGradients(AsDoubles(rounded), plain.top[i]);
      }
      if (on_backend) MoveToBackend(fast.top[i]->shape(), fast.top[i]->diff().get(), layout_);
    }
    plain.layer->Backward(plain.top, propagate_down, plain.bottom);
    fast.layer->Backward(fast.top, propagate_down, fast.bottom);
    for (size_t i = 0; i < plain.bottom.size(); ++i) {
      if (!propagate_down[i]) {
        EXPECT_TRUE(std::isnan(fast.bottom[i]->cpu_diff()[0])) << what << ": not asked for";
        continue;
      }
      ExpectClose(Gradients(*plain.bottom[i]), Gradients(*fast.bottom[i]), what + ": bottom diff",
                  tolerance);
    }
    for (size_t i = 0; i < plain.layer->blobs().size(); ++i) {
      ExpectClose(Gradients(*plain.layer->blobs()[i]), Gradients(*fast.layer->blobs()[i]),
                  what + ": diff of parameter " + std::to_string(i), tolerance);
    }
  }
  void ExpectSame(const string& what) {
    ExpectForward(what);
    ExpectBackward(what);
  }

  LayerRun<double> plain;
  LayerRun<float> fast;
  double tolerance = kFloats;  ///< relative to the largest value

 private:
  TestLayout layout_;
  static void Fill(unsigned seed, Blob<double>* blob, Blob<float>* other) {
    const vector<float> values = RandomValues<float>(blob->count(), seed);
    SetValues(values, other);
    SetValues(AsDoubles(values), blob);
  }
  static void FillGradients(unsigned seed, Blob<double>* blob, Blob<float>* other) {
    const vector<float> values = RandomValues<float>(blob->count(), seed);
    SetGradients(values, other);
    SetGradients(AsDoubles(values), blob);
  }
  template <typename Dtype>
  static void Poison(Blob<Dtype>* blob) {
    caffe_set(blob->count(), std::numeric_limits<Dtype>::quiet_NaN(), blob->mutable_cpu_diff());
  }
};

/** @brief Forward and Backward of a pair, with bottoms (and with them all the rest) in the backend.
 */
inline void ExpectSameOnBackend(BackendPair* pair, const string& what,
                                const TestLayout& layout = TestLayout()) {
  pair->MoveBottoms(layout);
  Blob<float>* top = pair->fast.top[0];
  Blob<float>* bottom = pair->fast.bottom[0];
  SCOPED_TRACE(what + (layout.narrow() ? ", bf16" : ", f32") + ", format " +
               std::to_string(static_cast<int>(layout.tag)));
  pair->fast.layer->Forward(pair->fast.bottom, pair->fast.top);
  EXPECT_TRUE(OnlyOnBackend(*top->data())) << what << ": the top left the backend";
  pair->plain.layer->Forward(pair->plain.bottom, pair->plain.top);
  ExpectClose(Values(*pair->plain.top[0]), Values(*top), what + ": top", pair->tolerance);
  for (const bool top_diff_on_backend : {false, true}) {
    const vector<bool> all(pair->fast.bottom.size(), true);
    pair->ExpectBackward(what, all, top_diff_on_backend);
    // Once more, since what was compared is on the host now; gradients of parameters add up.
    pair->plain.layer->Backward(pair->plain.top, all, pair->plain.bottom);
    pair->fast.layer->Backward(pair->fast.top, all, pair->fast.bottom);
    EXPECT_TRUE(OnlyOnBackend(*bottom->diff())) << what << ": the gradient left the backend";
    if (bottom == top) return;  // the first Backward has changed the top's gradient
  }
}

/** @brief Sets a variable of the environment while it lives. */
class ScopedEnvironment {
 public:
  ScopedEnvironment(const char* name, const char* value) : name_(name) {
    const char* old = std::getenv(name);
    had_ = old != nullptr;
    if (had_) old_ = old;
    setenv(name, value, 1);
  }
  ~ScopedEnvironment() {
    if (had_) {
      setenv(name_, old_.c_str(), 1);
    } else {
      unsetenv(name_);
    }
  }
  ScopedEnvironment(const ScopedEnvironment&) = delete;
  ScopedEnvironment& operator=(const ScopedEnvironment&) = delete;

 private:
  const char* name_;
  bool had_;
  string old_;
};

}  // namespace caffe

#endif  // CAFFE_TESTS_ONEDNN_TEST_UTIL_HPP_
