#ifndef CAFFE_UTIL_PARAMETERS_HPP_
#define CAFFE_UTIL_PARAMETERS_HPP_

#include <memory>
#include <string>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/**
 * @brief Makes (*blobs)[index], a layer's parameter, with this shape and its first values.
 *
 * A parameter that is there already came with the layer's message: it keeps
 * its values, and axes of length one before its shape (as old files have
 * them) are taken off.
 * @param name what errors call the parameter: "scale", "bias".
 * @throws Error if the one that is there has another shape, or an earlier one is missing.
 */
template <typename Dtype>
void SetUpParameter(const string& name, size_t index, const vector<int>& shape,
                    const FillerParameter& filler, vector<shared_ptr<Blob<Dtype>>>* blobs);

/** @brief The filler of a constant, the default of most parameters. */
FillerParameter ConstantFillerParameter(float value);

}  // namespace caffe

#endif  // CAFFE_UTIL_PARAMETERS_HPP_
