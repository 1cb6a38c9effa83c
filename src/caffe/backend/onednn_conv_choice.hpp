#ifndef CAFFE_BACKEND_ONEDNN_CONV_CHOICE_HPP_
#define CAFFE_BACKEND_ONEDNN_CONV_CHOICE_HPP_

#include <string>

#include "caffe/backend/onednn_conv.hpp"

namespace caffe {
namespace onednn {

/**
 * @brief The method for a pass, as the environment's CAFFE_CONV_ALGORITHM says.
 *
 * `measure`, and none: the fastest of ConvMethodsFor, measured once for a
 * machine, see MeasureConvMethod. `default`: DefaultConvMethod. The name of a
 * method: that one where it fits, else DirectMethod.
 * @throws Error for another word.
 */
ConvMethod ChooseConvMethod(const ConvShape& shape, ConvPass pass);

/**
 * @brief The shape by which another is measured: of fewer images where one pass over all would take
 * long, so that measuring SSD300 takes seconds, and nets that differ in the batch alone agree.
 */
ConvShape MeasuredShape(const ConvShape& shape);

/** @brief A line that tells a measured pass from every other one. */
string ConvKey(const ConvShape& measured, ConvPass pass);

/**
 * @brief The fastest method, by running each on random normal numbers.
 *
 * A method's cost is the time of its primitive and of the conversions that it
 * needs where the layers around it keep their values in the usual layout of
 * the shape's type (images of up to 4 channels: plain floats, as they are
 * loaded). So a layer leaves the layout of its neighbours only for a gain that
 * pays for the way there and back. All run once, and those within 1.5 times
 * the best twice more; the least time counts; DefaultConvMethod stays if it is
 * within 5 % of the best.
 */
string MeasureConvMethod(const ConvShape& shape, ConvPass pass);

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_BACKEND_ONEDNN_CONV_CHOICE_HPP_
