#ifndef CAFFE_DETECTION_MINER_HPP_
#define CAFFE_DETECTION_MINER_HPP_

#include <vector>

#include "caffe/detection/box.hpp"
#include "caffe/detection/matcher.hpp"
#include "caffe/detection/nms.hpp"

namespace caffe {

/** @brief The values are the schema's. */
enum MiningType { MINE_NONE = 0, MINE_MAX_NEGATIVE = 1, MINE_HARD_EXAMPLE = 2 };

struct MiningOptions {
  MiningType type;
  double neg_pos_ratio;  ///< MAX_NEGATIVE: at most so many negatives a positive
  double neg_overlap;    ///< MAX_NEGATIVE: a negative overlaps every ground truth by less
  int sample_size;       ///< HARD_EXAMPLE: so many examples an image
  double nms_threshold;  ///< > 0: near duplicates among the candidates are left out first
  int nms_top_k;         ///< how many of the largest losses are looked at; -1: all
  int min_negatives;     ///< MAX_NEGATIVE: at least so many, also without a positive
};

/**
 * @brief Chooses which priors of one image the confidence loss sees (SSD,
 * Liu et al. 2016, section 2.2, "Hard negative mining"; HARD_EXAMPLE:
 * Shrivastava et al. 2016).
 *
 * MAX_NEGATIVE takes the unmatched priors of largest loss. HARD_EXAMPLE takes
 * the priors of largest loss, matched or not, and unmatches every other.
 * Ignored priors are never taken. Equal losses: the lower index first.
 *
 * @param losses    for each prior
 * @param nms_boxes for each prior, when options.nms_threshold > 0; else unused
 * @param matches   HARD_EXAMPLE: matches that are not taken are removed
 * @param negatives the chosen unmatched priors, in rising order
 */
template <typename T>
void MineExamples(const MiningOptions& options, const std::vector<T>& losses,
                  const BoxArray<T>& nms_boxes, Matches<T>* matches, std::vector<int>* negatives);

}  // namespace caffe

#endif  // CAFFE_DETECTION_MINER_HPP_
