#ifndef CAFFE_TESTS_AMX_TEST_UTIL_HPP_
#define CAFFE_TESTS_AMX_TEST_UTIL_HPP_

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "caffe/backend/amx_shape.hpp"
#include "test_util.hpp"

/** Activations in memory as tiles are packed from, and the sums that tiles are to make. */
namespace caffe {

inline uint16_t ToBits(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

inline float FromBits(uint16_t bf16) {
  const uint32_t bits = uint32_t{bf16} << 16;
  float value = 0;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

/**
 * @brief Memory at a multiple of 64, filled with what is NaN as floats and as bf16.
 *
 * Tiles that are loaded or stored behind its end meet a page that may not be touched: no sanitizer
 * sees them.
 */
class GuardedBytes {
 public:
  explicit GuardedBytes(size_t size) : pages_((size + kPage - 1) / kPage * kPage) {
    start_ =
        mmap(nullptr, pages_ + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(start_ != MAP_FAILED) << "no memory for " << size << " bytes";
    char* guard = static_cast<char*>(start_) + pages_;
    CHECK(mprotect(guard, kPage, PROT_NONE) == 0);
    data_ = guard - (size + 63) / 64 * 64;
    std::memset(data_, 0xff, size);
  }
  ~GuardedBytes() { munmap(start_, pages_ + kPage); }
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;
  char* data() { return data_; }

 private:
  static constexpr size_t kPage = 4096;
  size_t pages_;
  void* start_;
  char* data_;
};

/** @brief A batch of images, in C order and as one of the kinds of amx::Activations. */
class Images {
 public:
  typedef amx::Activations::Kind Kind;
  Images(Kind kind, int num, int channels, int pixels, unsigned seed)
      : kind_(kind),
        num_(num),
        channels_(channels),
        pixels_(pixels),
        values_(RandomValues<float>(num * channels * pixels, seed)),
        bytes_(std::make_shared<GuardedBytes>(Bytes())) {
    view_ = {kind, bytes_->data(), channels, 0, 0, Bytes() / num, kind == Kind::kFloats};
    const size_t size = kind == Kind::kBf16 ? sizeof(uint16_t) : sizeof(float);
    view_.pixel = size * (kind == Kind::kBf16 ? channels : amx::kBlock);
    view_.block = size * (kind == Kind::kBf16 ? amx::kBlock : amx::kBlock * pixels);
    if (kind == Kind::kPlanes) {
      view_.pixel = size;
      view_.block = size * pixels;
    }
    if (kind == Kind::kFloats) std::memset(bytes_->data(), 0, Bytes());
    for (size_t i = 0; i < values_.size(); ++i) Store(i);
  }
  const amx::Activations& view() const { return view_; }
  double At(int image, int channel, int pixel) const {
    return values_[(static_cast<size_t>(image) * channels_ + channel) * pixels_ + pixel];
  }
  /** @brief The values, read from memory. */
  vector<double> Read() {
    vector<double> all;
    for (size_t i = 0; i < values_.size(); ++i) {
      all.push_back(kind_ == Kind::kBf16 ? FromBits(*Address<uint16_t>(i)) : *Address<float>(i));
    }
    return all;
  }

 private:
  size_t Bytes() const {
    const size_t all = static_cast<size_t>(num_) * pixels_;
    if (kind_ == Kind::kBf16) return all * channels_ * sizeof(uint16_t);
    if (kind_ == Kind::kPlanes) return all * channels_ * sizeof(float);
    return all * amx::Blocks(channels_, amx::kBlock) * amx::kBlock * sizeof(float);
  }
  template <typename Type>
  Type* Address(size_t i) {
    const size_t pixel = i % pixels_, channel = i / pixels_ % channels_;
    const size_t image = i / pixels_ / channels_, planes = kind_ == Kind::kPlanes ? 1 : amx::kBlock;
    char* at = view_.data + image * view_.image + channel / planes * view_.block;
    return reinterpret_cast<Type*>(at + pixel * view_.pixel) + channel % planes;
  }
  void Store(size_t i) {
    if (kind_ == Kind::kBf16) {
      *Address<uint16_t>(i) = ToBits(values_[i]);
      values_[i] = FromBits(ToBits(values_[i]));
    } else {
      *Address<float>(i) = values_[i];
    }
  }

  Kind kind_;
  int num_, channels_, pixels_;
  vector<float> values_;
  std::shared_ptr<GuardedBytes> bytes_;
  amx::Activations view_;
};

struct TileCase {
  string name;
  amx::Convolution convolution;
};

/** @brief A square window; top sizes follow from the rest. */
inline TileCase MakeTileCase(const string& name, const vector<int>& bottom, int outputs,
                             const amx::Axis& axis) {
  const auto out = [&](int size) { return size + 2 * axis.pad - axis.reach(); };
  return {name,
          {bottom[0], bottom[1], bottom[2], bottom[3], outputs, out(bottom[2]), out(bottom[3]),
           axis, axis, 2}};
}

inline vector<TileCase> TileCases() {
  vector<TileCase> cases = {
      MakeTileCase("one block", {2, 16, 5, 8}, 16, {3, 1, 1}),
      MakeTileCase("odd channels", {3, 37, 9, 12}, 21, {3, 1, 1}),
      MakeTileCase("an image", {2, 3, 20, 23}, 33, {3, 1, 1}),
      MakeTileCase("dilated", {1, 40, 13, 16}, 70, {3, 2, 2}),
      MakeTileCase("dilated by 6", {2, 33, 20, 23}, 16, {3, 6, 6}),
      MakeTileCase("one tap", {2, 100, 7, 10}, 65, {1, 0, 1}),
      MakeTileCase("one tap, padded", {2, 16, 6, 9}, 16, {1, 1, 1}),
      MakeTileCase("5 x 5", {1, 40, 20, 23}, 24, {5, 2, 1}),
      MakeTileCase("7 x 7", {1, 20, 31, 28}, 16, {7, 3, 1}),
      MakeTileCase("without pad", {2, 48, 30, 33}, 40, {3, 0, 1}),
      MakeTileCase("of one pixel", {4, 32, 1, 1}, 16, {3, 1, 1}),
      MakeTileCase("of a pixel's top", {2, 32, 3, 3}, 16, {3, 0, 1}),
      MakeTileCase("many bands", {4, 32, 60, 150}, 4, {3, 1, 1}),
  };
  cases.push_back(MakeTileCase("rectangular", {2, 18, 12, 15}, 17, {3, 1, 1}));
  cases.back().convolution.rows = {1, 0, 1};
  cases.back().convolution.out_height = 12;
  return cases;
}

/** @brief Calls term(bottom pixel, top pixel, tap) for all that belong together. */
template <typename Term>
void ForEachTerm(const amx::Convolution& c, const Term& term) {
  for (int tap = 0; tap < c.taps(); ++tap) {
    const int dy = tap / c.columns.kernel * c.rows.dilation - c.rows.pad;
    const int dx = tap % c.columns.kernel * c.columns.dilation - c.columns.pad;
    for (int y = std::max(0, -dy); y < std::min(c.out_height, c.height - dy); ++y) {
      for (int x = std::max(0, -dx); x < std::min(c.out_width, c.width - dx); ++x) {
        term((y + dy) * c.width + x + dx, y * c.out_width + x, tap);
      }
    }
  }
}

/**
 * @brief What tiles may miss of sums whose largest value is `largest`.
 *
 * Sums of products of bf16 are exact but for the rounding of floats, 2^-24 a term, and of the
 * result where that is bf16, 2^-9. Of floats as two numbers 2^-17 of each is lost, twice in a
 * product; a sum of many such errors is a few times as large.
 */
inline double TileTolerance(amx::Parts parts, bool result_is_bf16) {
  if (result_is_bf16) return 1.0 / 256;
  return parts == amx::kSplit ? 4.0 / (1 << 17) : 1e-5;
}

inline void ExpectNear(const vector<double>& expected, const vector<double>& got, double tolerance,
                       const string& what) {
  ASSERT_EQ(expected.size(), got.size()) << what;
  double largest = 0;
  for (const double value : expected) largest = std::max(largest, std::fabs(value));
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(got[i], expected[i], tolerance * largest) << what << ", value " << i;
  }
}

}  // namespace caffe

#endif  // CAFFE_TESTS_AMX_TEST_UTIL_HPP_
