#ifndef CAFFE_DETECTION_NMS_HPP_
#define CAFFE_DETECTION_NMS_HPP_

#include <vector>

#include "caffe/detection/box.hpp"

namespace caffe {

struct NmsOptions {
  double overlap_threshold;  ///< a box that overlaps a kept one by more is suppressed
  double eta;                ///< < 1: the threshold, while above 0.5, shrinks by it after each keep
  int top_k;                 ///< how many of the highest scores are looked at; -1: all
};

/**
 * @brief Indices of scores above `score_threshold`, highest first, at most
 * top_k (-1: all). Equal scores keep their order.
 */
template <typename T>
void TopScores(const T* scores, int count, double score_threshold, int top_k,
               std::vector<int>* indices);

/** @brief Memory of SuppressSorted, kept from call to call. */
struct NmsScratch {
  std::vector<unsigned char> suppressed;
};

/**
 * @brief Greedy non-maximum suppression of boxes in falling order of their scores: keeps each one
 * whose overlap with every kept one is at most the threshold. `kept` gets their indices.
 */
template <typename T>
void SuppressSorted(const BoxArray<T>& boxes, const NmsOptions& options, NmsScratch* scratch,
                    std::vector<int>* kept);

/**
 * @brief Greedy non-maximum suppression (in Caffe-SSD: ApplyNMSFast).
 *
 * Looks at the boxes of the highest scores above score_threshold, in falling
 * order, and keeps each one whose overlap with every kept one is at most the
 * threshold. `kept` gets their indices, in that order.
 */
template <typename T>
void SuppressNonMaxima(const BoxArray<T>& boxes, const T* scores, double score_threshold,
                       const NmsOptions& options, std::vector<int>* kept);

}  // namespace caffe

#endif  // CAFFE_DETECTION_NMS_HPP_
