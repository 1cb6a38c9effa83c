#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "caffe/layers/pooling_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

namespace {

string PoolText(const string& param, const string& phase = "TRAIN") {
  return "name: 'pool' type: 'Pooling' phase: " + phase + " pooling_param { " + param + " }";
}

/** Distinct values in a random order, `step` apart: a maximum then survives a small difference. */
void FillDistinct(double step, unsigned seed, Blob<double>* blob) {
  std::mt19937 random(seed);
  vector<double> values;
  for (int i = 0; i < blob->count(); ++i) values.push_back(step * (i + 1));
  std::shuffle(values.begin(), values.end(), random);
  SetData(values, blob);
}

/** What a random case is made of; FLOOR when `ceil` is false. */
struct PoolSizes {
  int input[2], kernel[2], stride[2], pad[2];
  bool ceil;
  /** Counts windows by walking: the rule itself, not its closed form. */
  int Outputs(int axis) const {
    int outputs = 0;
    for (int start = -pad[axis];; start += stride[axis]) {
      const bool starts_inside = start < input[axis];
      const bool covered = start - stride[axis] + kernel[axis] >= input[axis] + pad[axis];
      const bool fits = start + kernel[axis] <= input[axis] + pad[axis];
      // CEIL adds windows until one reaches the end; FLOOR those that fit altogether.
      if (!starts_inside || (ceil ? (outputs > 0 && covered) : !fits)) return outputs;
      ++outputs;
    }
  }
};

int DrawInt(std::mt19937* random, int low, int high) {
  return low + static_cast<int>((*random)() % static_cast<unsigned>(high - low + 1));
}

PoolSizes RandomSizes(std::mt19937* random) {
  PoolSizes sizes;
  sizes.ceil = (*random)() % 3 != 0;
  for (int i = 0; i < 2; ++i) {
    sizes.kernel[i] = DrawInt(random, 1, 4);
    sizes.stride[i] = DrawInt(random, 1, 5);
    sizes.pad[i] = DrawInt(random, 0, sizes.kernel[i] - 1);
    sizes.input[i] = DrawInt(random, std::max(1, sizes.kernel[i] - 2 * sizes.pad[i]), 9);
  }
  return sizes;
}

string Text(const PoolSizes& s) {
  std::ostringstream text;
  text << "kernel_h: " << s.kernel[0] << " kernel_w: " << s.kernel[1]
       << " stride_h: " << s.stride[0] << " stride_w: " << s.stride[1] << " pad_h: " << s.pad[0]
       << " pad_w: " << s.pad[1] << (s.ceil ? "" : " round_mode: FLOOR");
  return text.str();
}

/** Calls visit(top index, bottom index, area) for each pair of a window and a pixel in it. */
template <typename Visit>
void ForEachPair(const PoolSizes& s, int planes, const Visit& visit) {
  const int oh = s.Outputs(0), ow = s.Outputs(1);
  for (int i = 0; i < planes * oh * ow * s.kernel[0] * s.kernel[1]; ++i) {
    const int kx = i % s.kernel[1], ky = i / s.kernel[1] % s.kernel[0];
    const int out = i / (s.kernel[0] * s.kernel[1]), x = out % ow, y = out / ow % oh;
    const int h = y * s.stride[0] - s.pad[0] + ky, w = x * s.stride[1] - s.pad[1] + kx;
    if (h < 0 || h >= s.input[0] || w < 0 || w >= s.input[1]) continue;
    int area = 1;
    for (int a = 0; a < 2; ++a) {
      const int start = (a == 0 ? y : x) * s.stride[a] - s.pad[a];
      area *= std::min(start + s.kernel[a], s.input[a] + s.pad[a]) - start;
    }
    visit(out, (out / (oh * ow) * s.input[0] + h) * s.input[1] + w, area);
  }
}

void CompareMax(const PoolSizes& s, LayerCase<double>* test) {
  const int planes = test->bottom[0]->count(0, 2);
  vector<double> top(test->top[0]->count(), -1e30), diff(test->bottom[0]->count(), 0);
  vector<int> source(top.size(), -1);
  ForEachPair(s, planes, [&](int out, int in, int) {
    if (test->bottom[0]->cpu_data()[in] <= top[out]) return;
    top[out] = test->bottom[0]->cpu_data()[in];
    source[out] = in;
  });
  for (size_t i = 0; i < top.size(); ++i) diff[source[i]] += test->top[0]->cpu_diff()[i];
  EXPECT_EQ(DataOf(*test->top[0]), top);
  EXPECT_EQ(DiffOf(*test->bottom[0]), diff);
  for (size_t i = 0; i < top.size(); ++i) {
    EXPECT_EQ(test->top[1]->cpu_data()[i], source[i] % (s.input[0] * s.input[1]));
  }
}

void CompareAverage(const PoolSizes& s, LayerCase<double>* test) {
  const int planes = test->bottom[0]->count(0, 2);
  vector<double> top(test->top[0]->count(), 0), diff(test->bottom[0]->count(), 0);
  ForEachPair(s, planes, [&](int out, int in, int area) {
    top[out] += test->bottom[0]->cpu_data()[in] / area;
    diff[in] += test->top[0]->cpu_diff()[out] / area;
  });
  // Sums of at most 16 terms below 10.
  for (size_t i = 0; i < top.size(); ++i) EXPECT_NEAR(test->top[0]->cpu_data()[i], top[i], 1e-13);
  for (size_t i = 0; i < diff.size(); ++i) {
    EXPECT_NEAR(test->bottom[0]->cpu_diff()[i], diff[i], 1e-13);
  }
}

/** Forward and Backward on random distinct values, with poisoned gradients. */
void RunBoth(const vector<int>& shape, LayerCase<double>* test) {
  test->bottom[0]->Reshape(shape);
  FillDistinct(0.01, 5, test->bottom[0]);
  test->Forward();
  FillUniform<double>(-1, 1, 6, test->top[0]->count(), test->top[0]->mutable_cpu_diff());
  caffe_set(test->bottom[0]->count(), std::numeric_limits<double>::quiet_NaN(),
            test->bottom[0]->mutable_cpu_diff());
  test->Backward();
}

void CheckGradients(const string& text, const vector<int>& bottom) {
  SCOPED_TRACE(text);
  LayerCase<double> test(text, {bottom});
  FillDistinct(0.05, 8, test.bottom[0]);
  // The step stays below the distance of two values, so no window changes its choice. The curved
  // TEST form of STOCHASTIC has an error of h² times its third derivative, below 1.
  GradientChecker<double> checker(1e-4, 1e-6);
  checker.CheckGradient(test.layer.get(), test.bottom, test.top);
}

}  // namespace

TEST(PoolingLayerTest, MaxByHand) {
  LayerCase<double> test(PoolText("pool: MAX kernel_size: 2 stride: 1"), {{1, 1, 2, 4}}, 2);
  test.SetUp();
  SetData<double>({1, 5, 5, 2, 3, 4, 0, 9}, test.bottom[0]);
  test.Forward();
  EXPECT_EQ(test.top[0]->shape(), vector<int>({1, 1, 1, 3}));
  EXPECT_EQ(DataOf(*test.top[0]), vector<double>({5, 5, 9}));
  // The first of the two fives wins in the second window.
  EXPECT_EQ(DataOf(*test.top[1]), vector<double>({1, 1, 7}));
}

TEST(PoolingLayerTest, AverageByHandCountsPaddingButNotBeyond) {
  LayerCase<double> test(PoolText("pool: AVE kernel_size: 3 stride: 2 pad: 1"), {{1, 1, 1, 4}});
  test.SetUp();
  SetData<double>({1, 2, 3, 4}, test.bottom[0]);
  test.Forward();
  // Rows -1 to 1 are padding, image, padding. Columns -1 to 1, 1 to 3, and 3 to 4 of 5.
  EXPECT_EQ(test.top[0]->shape(), vector<int>({1, 1, 1, 3}));
  EXPECT_EQ(DataOf(*test.top[0]), vector<double>({3. / 9, 9. / 9, 4. / 6}));
}

TEST(PoolingLayerTest, AgreesWithTheDefinitionOnRandomSizes) {
  std::mt19937 random(31);
  for (int i = 0; i < 200; ++i) {
    PoolSizes sizes = RandomSizes(&random);
    SCOPED_TRACE(Text(sizes));
    LayerCase<double> max(PoolText("pool: MAX " + Text(sizes)),
                          {{1, 1, sizes.input[0], sizes.input[1]}}, 2);
    LayerCase<double> average(PoolText("pool: AVE " + Text(sizes)),
                              {{1, 1, sizes.input[0], sizes.input[1]}});
    max.SetUp();
    average.SetUp();
    // A second round has another batch and another size.
    for (int round = 0; round < 2; ++round) {
      const vector<int> shape = {1 + round, 3, sizes.input[0], sizes.input[1]};
      RunBoth(shape, &max);
      RunBoth(shape, &average);
      const vector<int> pooled = {1 + round, 3, sizes.Outputs(0), sizes.Outputs(1)};
      ASSERT_EQ(max.top[0]->shape(), pooled);
      ASSERT_EQ(average.top[0]->shape(), pooled);
      CompareMax(sizes, &max);
      CompareAverage(sizes, &average);
      sizes.input[0] += DrawInt(&random, 0, 3);
      sizes.input[1] += DrawInt(&random, 0, 3);
    }
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(PoolingLayerTest, ShapesOfRounding) {
  const auto shape = [](const string& param, const vector<int>& bottom) {
    LayerCase<double> test(PoolText(param), {bottom});
    test.SetUp();
    return test.top[0]->shape();
  };
  EXPECT_EQ(shape("kernel_size: 3 stride: 2", {2, 3, 6, 5}), vector<int>({2, 3, 3, 2}));
  EXPECT_EQ(shape("kernel_size: 3 stride: 2 round_mode: FLOOR", {2, 3, 6, 5}),
            vector<int>({2, 3, 2, 2}));
  // A kernel larger than the image by less than a stride is clipped.
  EXPECT_EQ(shape("kernel_size: 3 stride: 2", {2, 3, 2, 2}), vector<int>({2, 3, 1, 1}));
  // The last window of four would start in the padding behind the image.
  EXPECT_EQ(shape("kernel_size: 2 stride: 2 pad: 1", {2, 3, 4, 5}), vector<int>({2, 3, 3, 3}));
  // It would start beyond the image, where there is no padding either.
  EXPECT_EQ(shape("kernel_size: 1 stride: 2", {2, 3, 4, 5}), vector<int>({2, 3, 2, 3}));
}

TEST(PoolingLayerTest, GlobalPoolingTakesAnySize) {
  for (const char* method : {"MAX", "AVE"}) {
    LayerCase<double> test(PoolText(string("global_pooling: true pool: ") + method),
                           {{2, 3, 4, 5}});
    test.SetUp();
    RunBoth({2, 3, 4, 5}, &test);
    EXPECT_EQ(test.top[0]->shape(), vector<int>({2, 3, 1, 1}));
    RunBoth({1, 2, 6, 3}, &test);
    ASSERT_EQ(test.top[0]->shape(), vector<int>({1, 2, 1, 1}));
    const PoolSizes whole = {{6, 3}, {6, 3}, {1, 1}, {0, 0}, true};
    if (string(method) == "AVE") CompareAverage(whole, &test);
  }
}

TEST(PoolingLayerTest, ANaNIsNotHidden) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  LayerCase<double> test(PoolText("kernel_size: 3"), {{1, 1, 3, 3}}, 2);
  test.SetUp();
  for (int i = 0; i < 9; ++i) {
    SetData<double>({1, 2, 3, 4, 5, 6, 7, 8, 9}, test.bottom[0]);
    test.bottom[0]->mutable_cpu_data()[i] = nan;
    test.Forward();
    EXPECT_TRUE(std::isnan(test.top[0]->cpu_data()[0])) << i;
    EXPECT_EQ(test.top[1]->cpu_data()[0], i);
  }
  const double inf = std::numeric_limits<double>::infinity();
  SetData(vector<double>(9, -inf), test.bottom[0]);
  test.Forward();
  EXPECT_EQ(test.top[0]->cpu_data()[0], -inf);
  EXPECT_EQ(test.top[1]->cpu_data()[0], 0);
}

TEST(PoolingLayerTest, Gradients) {
  for (const char* method : {"MAX", "AVE", "STOCHASTIC"}) {
    const string pool = string("pool: ") + method + " ";
    CheckGradients(PoolText(pool + "kernel_h: 3 kernel_w: 2 stride: 2 pad: 1"), {2, 3, 5, 4});
    CheckGradients(PoolText(pool + "kernel_size: 3 stride: 1"), {2, 2, 4, 5});
    CheckGradients(PoolText(pool + "global_pooling: true"), {2, 2, 3, 4});
  }
  CheckGradients(PoolText("pool: STOCHASTIC kernel_size: 3 stride: 2 pad: 1", "TEST"),
                 {2, 3, 5, 4});
}

TEST(PoolingLayerTest, GradientsWithAMask) {
  LayerCase<double> test(PoolText("kernel_size: 3 stride: 2"), {{2, 3, 5, 6}}, 2);
  test.SetUp();
  RunBoth({2, 3, 5, 6}, &test);
  const vector<double> with_mask = DiffOf(*test.bottom[0]);
  LayerCase<double> plain(PoolText("kernel_size: 3 stride: 2"), {{2, 3, 5, 6}});
  plain.SetUp();
  RunBoth({2, 3, 5, 6}, &plain);
  EXPECT_EQ(with_mask, DiffOf(*plain.bottom[0]));
}

TEST(PoolingLayerTest, StochasticDrawsInProportion) {
  LayerCase<double> test(PoolText("pool: STOCHASTIC kernel_size: 2"), {{1, 20000, 2, 2}});
  test.SetUp();
  for (int i = 0; i < test.bottom[0]->count(); ++i) {
    test.bottom[0]->mutable_cpu_data()[i] = i % 4;  // windows of 0 1 2 3
  }
  Caffe::set_random_seed(3);
  test.Forward();
  vector<int> drawn(4, 0);
  for (double value : DataOf(*test.top[0])) ++drawn[static_cast<int>(value)];
  EXPECT_EQ(drawn[0], 0);
  // Binomial: 20000 draws have a deviation of at most 71, and 4 of these are allowed.
  EXPECT_NEAR(drawn[1], 20000. * 1 / 6, 284);
  EXPECT_NEAR(drawn[2], 20000. * 2 / 6, 284);
  EXPECT_NEAR(drawn[3], 20000. * 3 / 6, 284);
  const vector<double> first = DataOf(*test.top[0]);
  Caffe::set_random_seed(3);
  test.Forward();
  EXPECT_EQ(DataOf(*test.top[0]), first);
  test.Forward();
  EXPECT_NE(DataOf(*test.top[0]), first);
}

TEST(PoolingLayerTest, StochasticGivesItsMeanInPhaseTest) {
  LayerCase<double> test(PoolText("pool: STOCHASTIC kernel_size: 2", "TEST"), {{1, 2, 2, 2}});
  test.SetUp();
  SetData<double>({0, 1, 2, 3, 0, 0, 0, 0}, test.bottom[0]);
  test.Forward();
  EXPECT_EQ(DataOf(*test.top[0]), vector<double>({14. / 6, 0}));
}

TEST(PoolingLayerTest, StochasticOfZerosIsZero) {
  LayerCase<double> test(PoolText("pool: STOCHASTIC kernel_size: 2"), {{1, 1, 2, 2}});
  test.SetUp();
  SetData<double>({0, 0, 0, 0}, test.bottom[0]);
  test.Forward();
  EXPECT_EQ(test.top[0]->cpu_data()[0], 0);
  test.top[0]->mutable_cpu_diff()[0] = 2;
  test.Backward();
  EXPECT_EQ(DiffOf(*test.bottom[0]), vector<double>({2, 0, 0, 0}));
}

namespace {

void ExpectSetUpError(const string& param, const string& error,
                      const vector<int>& bottom = {2, 3, 6, 5}) {
  LayerCase<double> test(PoolText(param), {bottom});
  EXPECT_CAFFE_ERROR(test.SetUp(), error);
}

}  // namespace

TEST(PoolingLayerTest, Errors) {
  ExpectSetUpError("", "pool (Pooling): kernel_size (or kernel_h and kernel_w) is missing");
  ExpectSetUpError("kernel_size: 0", "the kernel must be at least 1 by 1, got 0 by 0");
  ExpectSetUpError("kernel_h: 2", "of kernel_h and kernel_w only kernel_h is given");
  ExpectSetUpError("kernel_size: 2 kernel_h: 2 kernel_w: 2", "are both given");
  ExpectSetUpError("kernel_size: 2 pad: 1 pad_h: 1 pad_w: 0", "pad and pad_h and pad_w are both");
  ExpectSetUpError("kernel_size: 2 stride: 0", "the stride must be at least 1 by 1, got 0 by 0");
  ExpectSetUpError("kernel_size: 4000000000", "kernel 4000000000 is too large");
  ExpectSetUpError("kernel_h: 3 kernel_w: 2 pad: 2",
                   "pad 2 by 2 must be smaller than the kernel, 3 by 2");
  ExpectSetUpError("global_pooling: true kernel_size: 2", "a kernel cannot be given");
  ExpectSetUpError("global_pooling: true stride: 2",
                   "takes pad 0 and stride 1, got pad 0 by 0 and");
  ExpectSetUpError("kernel_size: 7 stride: 1",
                   "the kernel is larger than the padded input: height 6 with pad 0, kernel 7");
  ExpectSetUpError("kernel_size: 6 stride: 2 round_mode: FLOOR", "width 5 with pad 0, kernel 6");
  ExpectSetUpError("kernel_size: 2", "bottom[0] has the shape 6 5 (30), expected N x C x H x W",
                   {6, 5});
  LayerCase<double> mask(PoolText("pool: AVE kernel_size: 2"), {{2, 3, 6, 5}}, 2);
  EXPECT_CAFFE_ERROR(mask.SetUp(), "takes at most 1 top blob(s), got 2");
  LayerCase<double> negative(PoolText("pool: STOCHASTIC kernel_size: 2"), {{1, 1, 2, 2}});
  negative.SetUp();
  SetData<double>({0, 1, -0.5, 3}, negative.bottom[0]);
  EXPECT_CAFFE_ERROR(negative.Forward(), "got -0.5 at index 2");
  LayerCase<double> in_place(PoolText("kernel_size: 1"), {{2, 3, 6, 5}});
  in_place.top = in_place.bottom;
  EXPECT_CAFFE_ERROR(in_place.SetUp(), "cannot run in place");
}

TEST(PoolingLayerTest, AMaskThatFloatCannotHoldIsAnError) {
  // Without images: the sizes alone are wrong, and take no memory.
  LayerCase<float> wide(PoolText("kernel_size: 2"), {{0, 1, 4096, 4097}}, 2);
  wide.SetUp();
  EXPECT_CAFFE_ERROR(wide.Forward(), "not exact in this element type");
}

}  // namespace caffe
