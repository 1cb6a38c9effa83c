#ifndef CAFFE_BACKEND_ONEDNN_CONV_HPP_
#define CAFFE_BACKEND_ONEDNN_CONV_HPP_

#include <memory>

#include "caffe/backend/onednn.hpp"
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
  bool training;  ///< else Forward may take weights in a layout that only it can read
  int threads;    ///< a primitive divides its work when it is made
  bool operator==(const ConvShape& other) const;
};

/** @brief The three computations of a convolution; each has its own implementation. */
enum ConvPass { kConvForward, kConvBackwardData, kConvBackwardWeights };

/**
 * @brief The algorithm to ask oneDNN for in a pass; it falls back on direct where it has none.
 *
 * Winograd (Lavin and Gray 2016) for windows of 3 × 3 with stride 1, undilated
 * and ungrouped, on images of 19 pixels or more: below, the tiles of 4 × 4
 * outputs hang over the edges too far. The environment's CAFFE_CONV_ALGORITHM,
 * `direct` or `winograd`, forces one for all passes and sizes.
 * @throws Error if CAFFE_CONV_ALGORITHM is another word.
 */
dnnl::algorithm ChooseConvAlgorithm(const ConvShape& shape, ConvPass pass);

/** @brief A primitive and the layouts of what it reads and writes. */
struct ConvPrimitive {
  Step run;
  Layout bottom, weights, top;
  string implementation;  ///< oneDNN's name for it
};

/** @brief The primitives of a convolution of one shape; those of Backward are made when asked for.
 */
class ConvPlan {
 public:
  /** @throws Error with oneDNN's message where it cannot do the convolution. */
  explicit ConvPlan(const ConvShape& shape);
  const ConvShape& key() const { return shape_; }
  Layout plain_weights() const { return PlainLayout(weight_dims()); }
  const ConvPrimitive& forward() const { return forward_; }
  /**
   * @brief forward() with AttributesWithReLU, in the same layouts and by the same implementation;
   * or null where oneDNN has none. A plan is asked for one slope only.
   */
  const ConvPrimitive* forward_relu(float slope);
  const ConvPrimitive& backward_data();
  const ConvPrimitive& backward_weights();

 private:
  Dims weight_dims() const;
  dnnl::convolution_forward::primitive_desc DescribeForward(dnnl::algorithm algorithm,
                                                            const dnnl::primitive_attr& attributes,
                                                            const Layout& bottom,
                                                            const Layout& weights,
                                                            const Layout& top) const;

  ConvShape shape_;
  dnnl::convolution_forward::primitive_desc forward_desc_;
  ConvPrimitive forward_;
  bool asked_for_relu_ = false;
  std::unique_ptr<ConvPrimitive> forward_relu_, backward_data_, backward_weights_;
};

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_BACKEND_ONEDNN_CONV_HPP_
