#include "caffe/detection/average_precision.hpp"

#include <algorithm>
#include <cstddef>

namespace caffe {

PrecisionRecall ComputePrecisionRecall(std::vector<ScoredDetection> detections, int num_positives) {
  PrecisionRecall curve;
  if (num_positives <= 0) return curve;
  std::stable_sort(
      detections.begin(), detections.end(),
      [](const ScoredDetection& a, const ScoredDetection& b) { return a.score > b.score; });
  int true_positives = 0;
  for (std::size_t i = 0; i < detections.size(); ++i) {
    true_positives += detections[i].is_true_positive ? 1 : 0;
    curve.precision.push_back(true_positives / static_cast<double>(i + 1));
    curve.recall.push_back(true_positives / static_cast<double>(num_positives));
    curve.score.push_back(detections[i].score);
  }
  return curve;
}

namespace {

/** envelope[i] = the largest precision at recall[i] or beyond. */
std::vector<double> Envelope(const PrecisionRecall& curve) {
  std::vector<double> envelope(curve.precision);
  for (std::size_t i = envelope.size(); i-- > 1;) {
    envelope[i - 1] = std::max(envelope[i - 1], envelope[i]);
  }
  return envelope;
}

double ElevenPoint(const PrecisionRecall& curve) {
  const std::vector<double> envelope = Envelope(curve);
  double sum = 0;
  for (int point = 0; point <= 10; ++point) {
    // Recall 7/10 reaches the point 0.7 whatever the rounding of either.
    const double least = point / 10.0 - 1e-9;
    const std::size_t first = static_cast<std::size_t>(
        std::lower_bound(curve.recall.begin(), curve.recall.end(), least) - curve.recall.begin());
    if (first < envelope.size()) sum += envelope[first];
  }
  return sum / 11;
}

double AreaUnder(const std::vector<double>& precision, const std::vector<double>& recall) {
  double area = 0;
  double previous = 0;
  for (std::size_t i = 0; i < precision.size(); ++i) {
    area += precision[i] * (recall[i] - previous);
    previous = recall[i];
  }
  return area;
}

}  // namespace

double AveragePrecision(const PrecisionRecall& curve, ApVersion version) {
  if (version == AP_11POINT) return ElevenPoint(curve);
  if (version == AP_INTEGRAL) return AreaUnder(curve.precision, curve.recall);
  return AreaUnder(Envelope(curve), curve.recall);
}

}  // namespace caffe
