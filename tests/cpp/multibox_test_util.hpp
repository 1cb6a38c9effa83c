#ifndef CAFFE_TESTS_MULTIBOX_TEST_UTIL_HPP_
#define CAFFE_TESTS_MULTIBOX_TEST_UTIL_HPP_

#include <string>
#include <vector>

#include "detection_test_util.hpp"
#include "test_util.hpp"

namespace caffe {

const int kImages = 3;
const int kPriors = 14;
const int kClasses = 4;
const int kFeatures = 5;

/** Three images with two, none and three objects (one of them difficult), and two rows of padding.
 */
inline void FillGroundTruth(Blob<double>* label) {
  SetData<double>(
      {
          0,  1,  0,  0.10, 0.10, 0.45, 0.50, 0,   //
          0,  3,  1,  0.50, 0.40, 0.90, 0.95, 0,   //
          2,  2,  0,  0.05, 0.30, 0.40, 0.90, 0,   //
          -1, -1, -1, -1,   -1,   -1,   -1,   -1,  //
          2,  1,  1,  0.55, 0.05, 0.95, 0.45, 1,   //
          2,  3,  2,  0.30, 0.30, 0.70, 0.60, 0,   //
          -1, -1, -1, -1,   -1,   -1,   -1,   -1,  //
      },
      label);
}

/** A layer of MultiBoxLoss's kind on that batch; the fifth bottom only where it takes one. */
struct MultiBoxCase : LayerCase<double> {
  MultiBoxCase(const string& type, const string& multibox, const string& extra = "",
               int num_top = 1)
      : LayerCase<double>("name: 'mbox_loss' type: '" + type +
                              "' multibox_loss_param { num_classes: 4 " + multibox + " } " + extra +
                              " propagate_down: true propagate_down: true propagate_down: false" +
                              " propagate_down: false " +
                              (type == "MultiBoxCenterLoss" ? "propagate_down: true" : ""),
                          Shapes(type, multibox), num_top) {
    std::mt19937 random(5);
    double* priors = bottom[2]->mutable_cpu_data();
    for (int i = 0; i < kPriors; ++i) {
      const Box<double> box = RandomBox<double>(&random);
      const double values[] = {box.xmin, box.ymin, box.xmax, box.ymax};
      std::copy(values, values + 4, priors + 4 * i);
      const double variance[] = {0.1, 0.1, 0.2, 0.2};
      std::copy(variance, variance + 4, priors + 4 * (kPriors + i));
    }
    FillGroundTruth(bottom[3]);
  }

  static vector<vector<int>> Shapes(const string& type, const string& multibox) {
    const bool shared = multibox.find("share_location: false") == string::npos;
    vector<vector<int>> shapes = {{kImages, kPriors * (shared ? 1 : kClasses) * 4},
                                  {kImages, kPriors * kClasses},
                                  {1, 2, kPriors * 4},
                                  {1, 1, 7, 8}};
    if (type == "MultiBoxCenterLoss") shapes.push_back({kImages, kPriors * kFeatures, 1, 1});
    return shapes;
  }

  /** Backward to location, confidence and, where there are, features, all poisoned before. */
  void BackwardAll() {
    vector<bool> propagate_down = {true, true, false, false};
    if (bottom.size() > 4) propagate_down.push_back(true);
    for (Blob<double>* blob : bottom) {
      caffe_set(blob->count(), std::nan(""), blob->mutable_cpu_diff());
    }
    layer->Backward(top, propagate_down, bottom);
  }

  /**
   * Central differences of top[0] against the gradient of a bottom. Elements of 1 to 10 over a
   * step of 1e-6: truncation and rounding stay below 1e-8 of the values. The mined set does not
   * change within such a step, except where losses tie: the values are random.
   */
  void CheckBottom(int index) {
    SetUp();
    top[0]->mutable_cpu_diff()[0] = 1.7;
    Forward();
    top[0]->mutable_cpu_diff()[0] = 1.7;
    BackwardAll();
    const vector<double> gradient = DiffOf(*bottom[index]);
    bool any = false;
    for (int i = 0; i < bottom[index]->count(); ++i) {
      double* value = bottom[index]->mutable_cpu_data() + i;
      const double old = *value;
      const double step = 1e-6;
      *value = old + step;
      Forward();
      const double above = top[0]->cpu_data()[0];
      *value = old - step;
      Forward();
      const double below = top[0]->cpu_data()[0];
      *value = old;
      EXPECT_NEAR(gradient[i], 1.7 * (above - below) / (2 * step), 1e-6)
          << "bottom " << index << " at " << i;
      any = any || gradient[i] != 0;
    }
    EXPECT_TRUE(any) << "a gradient of nothing but zeros tests nothing";
  }
};

/** Options that every loss of this kind must learn with. */
inline vector<string> MultiBoxVariants() {
  return {
      "mining_type: MAX_NEGATIVE overlap_threshold: 0.3 neg_overlap: 0.3",
      "mining_type: NONE overlap_threshold: 0.3",
      "mining_type: HARD_EXAMPLE sample_size: 6 overlap_threshold: 0.3",
      "mining_type: MAX_NEGATIVE conf_loss_type: LOGISTIC overlap_threshold: 0.3",
      "mining_type: NONE conf_loss_type: LOGISTIC overlap_threshold: 0.3",
      "mining_type: NONE share_location: false overlap_threshold: 0.3",
      "mining_type: MAX_NEGATIVE share_location: false overlap_threshold: 0.3",
      "mining_type: MAX_NEGATIVE loc_loss_type: L2 loc_weight: 0.7 overlap_threshold: 0.3",
      "mining_type: MAX_NEGATIVE code_type: CORNER_SIZE encode_variance_in_target: true",
      "mining_type: MAX_NEGATIVE code_type: CENTER_SIZE match_type: BIPARTITE",
      "mining_type: MAX_NEGATIVE use_difficult_gt: false empty_image_negatives: 3",
  };
}

}  // namespace caffe

#endif  // CAFFE_TESTS_MULTIBOX_TEST_UTIL_HPP_
