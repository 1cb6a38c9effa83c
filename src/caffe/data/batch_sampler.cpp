#include "caffe/data/batch_sampler.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "caffe/data/uniform.hpp"

namespace caffe {

namespace {

/** min ≤ max where both are given; neither NaN. */
void CheckLimits(const char* what, float low, float high, int index) {
  CHECK(low <= high) << "batch_sampler " << index << ": min_" << what << " " << low
                     << " is above max_" << what << " " << high;
}

void CheckConstraint(const SampleConstraint& limits, int index) {
  constexpr float kNone = std::numeric_limits<float>::infinity();
  const auto check = [index](const char* what, bool has_low, float low, bool has_high, float high) {
    CheckLimits(what, has_low ? low : -kNone, has_high ? high : kNone, index);
  };
  check("jaccard_overlap", limits.has_min_jaccard_overlap(), limits.min_jaccard_overlap(),
        limits.has_max_jaccard_overlap(), limits.max_jaccard_overlap());
  check("sample_coverage", limits.has_min_sample_coverage(), limits.min_sample_coverage(),
        limits.has_max_sample_coverage(), limits.max_sample_coverage());
  check("object_coverage", limits.has_min_object_coverage(), limits.min_object_coverage(),
        limits.has_max_object_coverage(), limits.max_object_coverage());
}

bool HasLimits(const SampleConstraint& limits) {
  return limits.has_min_jaccard_overlap() || limits.has_max_jaccard_overlap() ||
         limits.has_min_sample_coverage() || limits.has_max_sample_coverage() ||
         limits.has_min_object_coverage() || limits.has_max_object_coverage();
}

bool Meets(const SampleConstraint& limits, const Box<float>& crop, const Box<float>& object) {
  const float overlap = JaccardOverlap(crop, object);
  if (limits.has_min_jaccard_overlap() && overlap < limits.min_jaccard_overlap()) return false;
  if (limits.has_max_jaccard_overlap() && overlap > limits.max_jaccard_overlap()) return false;
  const float of_crop = Coverage(crop, object);
  if (limits.has_min_sample_coverage() && of_crop < limits.min_sample_coverage()) return false;
  if (limits.has_max_sample_coverage() && of_crop > limits.max_sample_coverage()) return false;
  const float of_object = Coverage(object, crop);
  if (limits.has_min_object_coverage() && of_object < limits.min_object_coverage()) return false;
  if (limits.has_max_object_coverage() && of_object > limits.max_object_coverage()) return false;
  return true;
}

}  // namespace

void CheckBatchSampler(const BatchSampler& sampler, int index) {
  const Sampler& limits = sampler.sampler();
  CheckLimits("scale", limits.min_scale(), limits.max_scale(), index);
  CheckLimits("aspect_ratio", limits.min_aspect_ratio(), limits.max_aspect_ratio(), index);
  CHECK(limits.min_scale() > 0 && limits.max_scale() <= 1)
      << "batch_sampler " << index << ": scales must be above 0 and at most 1, got "
      << limits.min_scale() << " to " << limits.max_scale();
  CHECK(limits.min_aspect_ratio() > 0 && std::isfinite(limits.max_aspect_ratio()))
      << "batch_sampler " << index << ": aspect ratios must be above 0 and finite, got "
      << limits.min_aspect_ratio() << " to " << limits.max_aspect_ratio();
  CheckConstraint(sampler.sample_constraint(), index);
}

Box<float> DrawCrop(const Sampler& sampler, std::mt19937* random) {
  const float scale = DrawUniform(sampler.min_scale(), sampler.max_scale(), random);
  float ratio = DrawUniform(sampler.min_aspect_ratio(), sampler.max_aspect_ratio(), random);
  ratio = std::min(std::max(ratio, scale * scale), 1 / (scale * scale));
  const float width = scale * std::sqrt(ratio);
  const float height = scale / std::sqrt(ratio);
  // Rounding may lift a side that should be 1 above it; then it begins at 0, and is clamped.
  const float left = DrawUniform(0, 1 - width, random);
  const float top = DrawUniform(0, 1 - height, random);
  return {left, top, std::min(left + width, 1.0F), std::min(top + height, 1.0F)};
}

bool MeetsConstraint(const SampleConstraint& constraint, const Box<float>& crop,
                     const vector<Box<float>>& objects) {
  if (!HasLimits(constraint)) return true;
  return std::any_of(objects.begin(), objects.end(),
                     [&](const Box<float>& object) { return Meets(constraint, crop, object); });
}

vector<Box<float>> SampleCrops(const vector<BatchSampler>& samplers,
                               const vector<Box<float>>& objects, std::mt19937* random) {
  vector<Box<float>> crops;
  for (const BatchSampler& sampler : samplers) {
    if (!sampler.use_original_image()) continue;
    const bool has_limits = HasLimits(sampler.sample_constraint());
    if (has_limits && objects.empty()) continue;
    unsigned found = 0;
    for (unsigned trial = 0; trial < sampler.max_trials(); ++trial) {
      if (sampler.has_max_sample() && found >= sampler.max_sample()) break;
      const Box<float> crop = DrawCrop(sampler.sampler(), random);
      if (has_limits && !MeetsConstraint(sampler.sample_constraint(), crop, objects)) continue;
      crops.push_back(crop);
      ++found;
    }
  }
  return crops;
}

}  // namespace caffe
