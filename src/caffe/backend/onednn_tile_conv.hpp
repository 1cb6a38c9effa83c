#ifndef CAFFE_BACKEND_ONEDNN_TILE_CONV_HPP_
#define CAFFE_BACKEND_ONEDNN_TILE_CONV_HPP_

#include <optional>

#include "caffe/backend/onednn_conv.hpp"

/** Convolutions by amx::Convolver and amx::WeightGradient, in the place of oneDNN's primitives. */
namespace caffe {
namespace onednn {

/** @brief Whether there is AMX, which ONEDNN_MAX_CPU_ISA may deny, and tiles do this shape. */
bool FitsTiles(const ConvShape& shape);

/**
 * @brief A pass by tiles, of a shape that they fit.
 *
 * Activations are floats in blocks of 16 channels, or bf16 with channels last; a bottom of up to
 * four channels, an image, is read as it was loaded.
 * The pass to the bottom's gradient takes the gradient of a ReLU, of slope 0 and in place on the
 * bottom, along where the bottom's values are given to it as DNNL_ARG_SRC.
 * @param slope of a ReLU that Forward ends with; it keeps NaN
 */
ConvPrimitive MakeByTiles(const ConvShape& shape, ConvPass pass, const ConvMethod& method,
                          std::optional<float> slope);

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_BACKEND_ONEDNN_TILE_CONV_HPP_
