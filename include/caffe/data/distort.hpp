#ifndef CAFFE_DATA_DISTORT_HPP_
#define CAFFE_DATA_DISTORT_HPP_

#include <array>
#include <cstdint>
#include <opencv2/core.hpp>
#include <random>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/** @brief What each of 256 levels becomes. */
typedef std::array<uint8_t, 256> LevelTable;

/**
 * @brief What was drawn for one image: three steps of tables, and an order of the channels.
 *
 * Brightness and contrast are one table, saturation and hue two in one visit
 * to the HSV space (Caffe-SSD goes there and back for each, which differs by
 * rounding). All steps treat each pixel by itself, so an image may be cut
 * before or after.
 */
struct Distortion {
  bool has_first = false;
  LevelTable first{};  ///< of all channels
  bool has_hsv = false;
  LevelTable hue{};
  LevelTable saturation{};
  bool has_last = false;
  LevelTable last{};  ///< of all channels
  bool reorders = false;
  std::array<int, 3> order{{0, 1, 2}};  ///< the new channel i is the old order[i]
};

/** @throws Error for a lower limit below 0 or above the upper one, and a delta below 0. */
void CheckDistortion(const DistortionParameter& param);

/**
 * @brief Draws each step with its probability (Howard 2013).
 *
 * The order is brightness, then contrast, saturation, hue, or, by even chance,
 * saturation, hue, contrast; the order of the channels comes last. Results are
 * rounded and clamped to 0…255 after each step. So is hue, in units of two
 * degrees, as in Caffe-SSD: above 180 it goes round, but below 0 it stays red.
 */
Distortion DrawDistortion(const DistortionParameter& param, std::mt19937* random);

/**
 * @brief Distorts an image of 8 bits in place; what is about colour is left out where it has
 * one channel.
 * @throws Error unless it has one or three channels.
 */
void Distort(const Distortion& distortion, cv::Mat* image);

}  // namespace caffe

#endif  // CAFFE_DATA_DISTORT_HPP_
