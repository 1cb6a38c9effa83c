#ifndef CAFFE_BACKEND_ONEDNN_TILE_WEIGHTS_HPP_
#define CAFFE_BACKEND_ONEDNN_TILE_WEIGHTS_HPP_

#include "caffe/backend/amx_pack.hpp"
#include "caffe/backend/onednn.hpp"

namespace caffe {
namespace onednn {

/** @brief A convolution's weights as amx::PackWeights makes them, for one of its passes. */
struct TileWeights {
  int outputs, inputs, taps;
  bool backward;
  amx::Parts parts;
  int threads;
  bool operator==(const TileWeights& other) const;
  /** @brief As oneDNN keeps them: a row of bytes. */
  Layout layout() const;
  /** @param plain floats in C order */
  void Pack(const float* plain, const dnnl::memory& to) const;

 private:
  amx::Weights Of(const float* plain) const { return {plain, outputs, inputs, taps, backward}; }
};

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_BACKEND_ONEDNN_TILE_WEIGHTS_HPP_
