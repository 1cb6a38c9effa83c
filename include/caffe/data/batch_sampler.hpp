#ifndef CAFFE_DATA_BATCH_SAMPLER_HPP_
#define CAFFE_DATA_BATCH_SAMPLER_HPP_

#include <random>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/detection/box.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/**
 * @brief Checks a sampler's limits.
 * @throws Error for scales outside (0, 1], aspect ratios that are not above 0, and minima above
 * their maxima; `index` says which sampler it is.
 */
void CheckBatchSampler(const BatchSampler& sampler, int index);

/**
 * @brief A crop in the unit square, of scale s and aspect ratio a: s·√a by s/√a.
 *
 * Both are uniform between their limits (Liu et al. 2016, section 2.2), the
 * ratio then held in [s², 1/s²], so that the crop fits; so is its place.
 */
Box<float> DrawCrop(const Sampler& sampler, std::mt19937* random);

/**
 * @brief Whether one of the objects meets all limits that are given; true if none is.
 *
 * (In Caffe-SSD, which looks at overlap, sample coverage and object coverage
 * one after the other, an object counts once it met the first kind given.)
 */
bool MeetsConstraint(const SampleConstraint& constraint, const Box<float>& crop,
                     const vector<Box<float>>& objects);

/**
 * @brief The crops that the samplers find, in their order: each tries max_trials times at
 * most, and stops after max_sample finds. There may be none.
 */
vector<Box<float>> SampleCrops(const vector<BatchSampler>& samplers,
                               const vector<Box<float>>& objects, std::mt19937* random);

}  // namespace caffe

#endif  // CAFFE_DATA_BATCH_SAMPLER_HPP_
