#ifndef CAFFE_DETECTION_CONF_LOSS_HPP_
#define CAFFE_DETECTION_CONF_LOSS_HPP_

namespace caffe {

/** @brief The values are the schema's. */
enum ConfLossType { CONF_SOFTMAX = 0, CONF_LOGISTIC = 1 };

/**
 * @brief The confidence loss of one prior: −ln softmax(scores)[label], or, for
 * LOGISTIC, the sum of the binary cross entropies of all classes (targets 1
 * for `label`, 0 for the others; label −1: all 0).
 */
template <typename T>
T ConfLoss(ConfLossType type, const T* scores, int num_classes, int label);

/** @brief gradient[c] += weight · d ConfLoss / d scores[c]. */
template <typename T>
void AddConfLossGradient(ConfLossType type, const T* scores, int num_classes, int label, T weight,
                         T* gradient);

/**
 * @brief losses[i] = ConfLoss of row i of scores (num_rows × num_classes), all
 * with the same label.
 *
 * Made for mining, which looks at every prior: in float the exponentials of a
 * softmax are polynomials that vectorize, right to 3e-7 of the sum that they
 * make. A row with a NaN or +∞ gives a NaN or an infinity.
 */
template <typename T>
void ConfLosses(ConfLossType type, const T* scores, int num_rows, int num_classes, int label,
                T* losses);

}  // namespace caffe

#endif  // CAFFE_DETECTION_CONF_LOSS_HPP_
