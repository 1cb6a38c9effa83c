#ifndef CAFFE_BACKEND_ONEDNN_MAX_POOL_HPP_
#define CAFFE_BACKEND_ONEDNN_MAX_POOL_HPP_

#include <cstdint>
#include <vector>

#include "caffe/backend/onednn_channels.hpp"
#include "caffe/util/pooling.hpp"

namespace caffe {
namespace onednn {

/** @brief All that a max pooling in the backend depends on. */
struct MaxPoolKey {
  Layout bottom;
  PoolWindows windows;

  bool operator==(const MaxPoolKey& other) const;
};

/**
 * @brief Max pooling of floats or bf16 whose channels lie in blocks (ChannelBlocks), with a byte
 * for each element of the top that holds all which its Backward needs.
 *
 * As in the plain implementation the first of equal values wins, and a NaN is the largest. So the
 * gradient of a ReLU in place on the bottom can be taken along: an element that gets a gradient is
 * the largest of its window, so its sign is that of the top. Neither the bottom nor the top is
 * needed for it. The results do not depend on the number of threads.
 */
class MaxPool {
 public:
  /** @brief Whether there is one: windows of at most 127 elements, blocks of 8 channels and more.
   */
  static bool Fits(const MaxPoolKey& key);
  explicit MaxPool(const MaxPoolKey& key);

  const MaxPoolKey& key() const { return key_; }
  /** @brief The layout of the top: the bottom's, of its lengths. */
  const Layout& top() const { return top_; }

  void Forward(const dnnl::memory& bottom, const dnnl::memory& top);
  /**
   * @brief Writes all of bottom_diff, of the key's layout, after a Forward.
   * @param slope what the gradient of an element that is not above 0 is multiplied with: that of a
   * ReLU on the bottom, or 1
   */
  void Backward(const dnnl::memory& top_diff, float slope, const dnnl::memory& bottom_diff) const;

 private:
  MaxPoolKey key_;
  Layout top_;
  ChannelBlocks blocks_, top_blocks_;
  // Of each stored element of the top: where in its window the largest is; kNotAbove more if that
  // is not above 0.
  std::vector<uint8_t> chosen_;
};

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_BACKEND_ONEDNN_MAX_POOL_HPP_
