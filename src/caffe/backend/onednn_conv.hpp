#ifndef CAFFE_BACKEND_ONEDNN_CONV_HPP_
#define CAFFE_BACKEND_ONEDNN_CONV_HPP_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "caffe/backend/onednn.hpp"
#include "caffe/backend/onednn_tile_weights.hpp"
#include "caffe/util/spatial.hpp"

namespace caffe {
namespace onednn {

/** @brief A two-dimensional convolution, all that its primitives depend on. */
struct ConvShape {
  int num, channels, height, width;
  int num_output, out_height, out_width;
  int group;
  AxisWindow rows, columns;
  bool bias;
  bool training;     ///< else Forward may take weights in a layout that only it can read
  int threads;       ///< a primitive divides its work when it is made
  ElementType type;  ///< of the top and of the bottom's gradient
  bool operator==(const ConvShape& other) const;
};

/** @brief The three computations of a convolution; each has its own implementation. */
enum ConvPass { kConvForward, kConvBackwardData, kConvBackwardWeights };

/** @brief One way to compute a pass. */
struct ConvMethod {
  string name;
  dnnl::algorithm algorithm;
  ElementType type;  ///< of the bottom, the weights and the top as computed with
  dnnl::memory::format_tag activations;  ///< the layout of bottom and top
  bool tiles = false;  ///< by amx::Convolver and amx::WeightGradient, else by oneDNN
};

/**
 * @brief All methods: `winograd` (Lavin and Gray 2016), `direct` and `bf16` in the layout that
 * oneDNN likes best, the last two of given layouts, and by tiles of AMX `amx_bf16` and, of floats
 * as sums of two numbers of bf16, `amx_split`.
 */
const vector<ConvMethod>& ConvMethods();
/** @throws Error if there is none of this name, listing all. */
const ConvMethod& ConvMethodByName(const string& name);

/** @brief Whether a method can be asked for; oneDNN may have no implementation all the same. */
bool Fits(const ConvShape& shape, const ConvMethod& method);
/** @brief The name of the method that takes every shape of this type. */
string DirectMethod(const ConvShape& shape);

/**
 * @brief The methods that may be the fastest for a pass, the likeliest first.
 *
 * Winograd is for windows of 3 × 3 with stride 1, undilated and ungrouped, of
 * images of 16 channels or more; tiles, where there is AMX, for stride 1 and
 * one group; bf16 for shapes of this type. Not each of them has an
 * implementation for each shape.
 */
vector<ConvMethod> ConvMethodsFor(const ConvShape& shape, ConvPass pass);

/**
 * @brief The method for a pass without a measurement.
 *
 * Tiles of AMX where they fit 16 channels or more; else Winograd where it fits
 * images of 19 pixels or more: below, its tiles of 4 × 4 outputs hang over the
 * edges too far. For bf16, Winograd is for the gradients of many weights alone.
 */
ConvMethod DefaultConvMethod(const ConvShape& shape, ConvPass pass);

/**
 * @brief A primitive for a part of the batch, run on one part after another.
 *
 * Winograd's scratch memory is as large as several of its activations, and
 * grows with the images that one run takes.
 */
struct ConvStep {
  Step step;
  int parts = 1;
  Layout bottom, top;                         ///< of a part
  std::function<void(const Arguments&)> own;  ///< instead of all that: not oneDNN's
  /**
   * @brief Takes the memories of the whole batch, in which the parts lie one behind the other;
   * gradients of weights and bias are summed over the parts.
   */
  void operator()(Arguments arguments) const;
};

/** @brief A primitive and the layouts of what it reads and writes. */
struct ConvPrimitive {
  ConvStep run;
  Layout bottom, weights, top;
  std::optional<TileWeights>
      tile_weights;       ///< what `weights` are, where that is no layout of oneDNN's
  Layout kept;            ///< where the output is not of the shape's type: the layout to convert it
                          ///< to; else its own
  string method;          ///< ConvMethod's name
  string implementation;  ///< oneDNN's name for it
  bool keeps_nan = false;  ///< also with a ReLU after it
  bool masks = false;      ///< BackwardData takes the gradient of a ReLU on the bottom along
};

/** Scratch memory that one primitive may take without being run in parts, in bytes. */
constexpr size_t kMostConvScratch = size_t{64} << 20;

/**
 * @brief The primitive of a pass by a method, or null where oneDNN has none for this shape.
 *
 * It works on parts of the batch where more than `most_scratch` bytes of scratch memory would be
 * needed at once, as far as parts can have less.
 * @param slope of a ReLU that Forward ends with
 */
std::unique_ptr<ConvPrimitive> MakeConvPrimitive(const ConvShape& shape, ConvPass pass,
                                                 const ConvMethod& method,
                                                 std::optional<float> slope = {},
                                                 size_t most_scratch = kMostConvScratch);

/** @brief The layout of a layer's weights on the host. */
Layout PlainWeights(const ConvShape& shape);

/** @brief Elements of the gradient of weights, or of weights: outputs, inputs, rows, columns. */
Dims WeightDims(const ConvShape& shape);

/** @brief The layout that convolutions of this type mostly take on this processor. */
Layout UsualLayout(const Dims& dims, ElementType type);

/** @brief The primitives of a convolution of one shape; each is made when asked for first.
 */
class ConvPlan {
 public:
  explicit ConvPlan(const ConvShape& shape) : shape_(shape) {}
  const ConvShape& key() const { return shape_; }
  Layout plain_weights() const { return PlainWeights(shape_); }
  /** @throws Error with oneDNN's message where it cannot do the convolution. */
  const ConvPrimitive& forward() { return Pass(kConvForward); }
  /**
   * @brief forward() with a ReLU, in the same layouts and by the same implementation;
   * or null where oneDNN has none. A plan is asked for one slope only.
   */
  const ConvPrimitive* forward_relu(float slope);
  const ConvPrimitive& backward_data() { return Pass(kConvBackwardData); }
  const ConvPrimitive& backward_weights() { return Pass(kConvBackwardWeights); }

 private:
  const ConvPrimitive& Pass(ConvPass pass);

  ConvShape shape_;
  std::unique_ptr<ConvPrimitive> passes_[3];
  bool asked_for_relu_ = false;
  std::unique_ptr<ConvPrimitive> forward_relu_;
};

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_BACKEND_ONEDNN_CONV_HPP_
