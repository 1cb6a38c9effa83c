#ifndef CAFFE_UTIL_INSERT_SPLITS_HPP_
#define CAFFE_UTIL_INSERT_SPLITS_HPP_

#include <string>

#include "caffe/proto/caffe.pb.h"

namespace caffe {

/**
 * @brief Gives every consumer of a shared blob a copy of its own.
 *
 * A top that n > 1 bottoms read (the loss counts as one, if the top has a loss
 * weight) is followed by a Split layer named BLOB_LAYER_INDEX_split with tops
 * BLOB_LAYER_INDEX_split_0 to _n-1. Names are Caffe's.
 * @throws Error for a bottom that no earlier layer makes.
 */
void InsertSplits(const NetParameter& param, NetParameter* param_split);

std::string SplitLayerName(const std::string& layer_name, const std::string& blob_name,
                           int blob_index);
std::string SplitBlobName(const std::string& layer_name, const std::string& blob_name,
                          int blob_index, int split_index);

}  // namespace caffe

#endif  // CAFFE_UTIL_INSERT_SPLITS_HPP_
