#ifndef CAFFE_TESTS_CONV_ORACLE_HPP_
#define CAFFE_TESTS_CONV_ORACLE_HPP_

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "caffe/util/spatial.hpp"
#include "test_util.hpp"

namespace caffe {

/** @brief A convolution's sizes, by the names of its definition. */
struct ConvSizes {
  int num = 1, group = 1, in_channels = 1, out_channels = 1;
  vector<AxisWindow> windows;
  vector<int> input, output;  // spatial axes

  vector<int> Shape(int channels, const vector<int>& spatial) const {
    vector<int> shape = {num, channels};
    shape.insert(shape.end(), spatial.begin(), spatial.end());
    return shape;
  }
  vector<int> InputShape() const { return Shape(in_channels, input); }
  vector<int> OutputShape() const { return Shape(out_channels, output); }
  vector<int> Kernel() const {
    vector<int> kernel;
    for (const AxisWindow& window : windows) kernel.push_back(window.kernel);
    return kernel;
  }
  vector<int> WeightShape() const {
    vector<int> shape = {out_channels, in_channels / group};
    for (int size : Kernel()) shape.push_back(size);
    return shape;
  }
};

inline int Volume(const vector<int>& sizes) {
  int volume = 1;
  for (int size : sizes) volume *= size;
  return volume;
}

/**
 * @brief The definition of a convolution, one product at a time: calls
 * visit(weight index, input index, output index) for each, for all images.
 */
template <typename Visit>
void ForEachProduct(const ConvSizes& c, const Visit& visit) {
  const int pixels = Volume(c.output), taps = Volume(c.Kernel());
  const int in_group = c.in_channels / c.group, out_group = c.out_channels / c.group;
  for (int y = 0; y < pixels; ++y) {
    for (int t = 0; t < taps; ++t) {
      int source = 0, below = 1, rest_y = y, rest_t = t;
      bool inside = true;
      for (int i = static_cast<int>(c.windows.size()) - 1; i >= 0; --i) {
        const AxisWindow& w = c.windows[i];
        const int position =
            rest_y % c.output[i] * w.stride - w.pad + rest_t % w.kernel * w.dilation;
        inside = inside && position >= 0 && position < c.input[i];
        source += position * below;
        below *= c.input[i];
        rest_y /= c.output[i];
        rest_t /= w.kernel;
      }
      if (!inside) continue;
      for (int n = 0; n < c.num; ++n) {
        for (int o = 0; o < c.out_channels; ++o) {
          for (int j = 0; j < in_group; ++j) {
            const int in_channel = o / out_group * in_group + j;
            visit((o * in_group + j) * taps + t,
                  (n * c.in_channels + in_channel) * Volume(c.input) + source,
                  (n * c.out_channels + o) * pixels + y);
          }
        }
      }
    }
  }
}

inline int Draw(std::mt19937* random, int low, int high) {
  return low + static_cast<int>((*random)() % static_cast<unsigned>(high - low + 1));
}

/** @brief Random sizes: 1 to 3 axes, odd and rectangular, groups from 1 to all channels, batch 1
 * or 2. */
inline ConvSizes RandomConv(std::mt19937* random) {
  ConvSizes c;
  const int num_axes = Draw(random, 0, 3) == 0 ? Draw(random, 1, 3) : 2;
  c.num = Draw(random, 1, 2);
  c.group = Draw(random, 1, 3);
  const int in_group = Draw(random, 1, 3);
  c.in_channels = c.group * in_group;
  c.out_channels = c.group * Draw(random, 1, 3);
  for (int i = 0; i < num_axes; ++i) {
    const AxisWindow w = {Draw(random, 1, 4), Draw(random, 1, 3), Draw(random, 0, 3),
                          Draw(random, 1, 3)};
    const int least = std::max<int>(1, static_cast<int>(w.extent()) - 2 * w.pad);
    c.windows.push_back(w);
    c.input.push_back(least + Draw(random, 0, 6));
    c.output.push_back((c.input.back() + 2 * w.pad - static_cast<int>(w.extent())) / w.stride + 1);
  }
  return c;
}

/** @brief The sizes of convolution_param as text, without num_output. */
inline string WindowText(const ConvSizes& c) {
  std::ostringstream text;
  text << "group: " << c.group;
  for (const AxisWindow& w : c.windows) {
    text << " kernel_size: " << w.kernel << " stride: " << w.stride << " pad: " << w.pad
         << " dilation: " << w.dilation;
  }
  return text.str();
}

/**
 * @brief The largest |a − b|, over the largest |b| where that is above 1: sums
 * of terms near 1 may cancel, and keep the rounding of their partial sums.
 */
template <typename Dtype>
double RelativeDifference(const vector<Dtype>& a, const vector<Dtype>& b) {
  EXPECT_EQ(a.size(), b.size());
  double difference = 0, largest = 1;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    // NaN must not vanish in a max.
    if (!(std::fabs(a[i] - b[i]) <= difference)) difference = std::fabs(a[i] - b[i]);
    largest = std::max<double>(largest, std::fabs(b[i]));
  }
  return difference / largest;
}

/** @brief Whether the fast result is the oracle's, for sums of at most some hundred terms near 1.
 */
template <typename Dtype>
void ExpectSame(const vector<Dtype>& fast, const vector<Dtype>& oracle, const string& what) {
  // Rounding grows with the number of terms (below 1000), each of relative size epsilon.
  const double allowed = 1000 * std::numeric_limits<Dtype>::epsilon();
  EXPECT_LE(RelativeDifference(fast, oracle), allowed) << what;
}

}  // namespace caffe

#endif  // CAFFE_TESTS_CONV_ORACLE_HPP_
