#include "caffe/detection/multibox_targets.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace caffe {

namespace {

/** The work on one image: what AssignTargets repeats for each, with its buffers. */
template <typename T>
class ImageAssigner {
 public:
  ImageAssigner(const MultiBoxBatch<T>& batch, const MultiBoxOptions& options)
      : batch_(batch), options_(options), matcher_(options.match) {}

  void Assign(int image, MultiBoxTargets* targets);

 private:
  int Label(int image, int ground_truth) const {
    if (options_.map_object_to_agnostic) return options_.background_label + 1;
    return (*batch_.ground_truth)[image].labels[ground_truth];
  }
  const T* Loc(int image, int prior, int loc_class) const {
    const int index = (image * batch_.num_priors + prior) * options_.num_loc_classes() + loc_class;
    return batch_.loc + static_cast<std::size_t>(index) * 4;
  }
  std::vector<int> Considered(int image) const;
  void DecodePredictions(int image, int loc_class, BoxArray<T>* boxes) const;
  void MatchImage(int image, const std::vector<int>& considered);
  void KeepLabel(int image, int label, Matches<T>* matches) const;
  void ComputeLosses(int image);
  T LossOfMatch(int image, int prior, int loc_class, int ground_truth) const;
  void Emit(int image, MultiBoxTargets* targets);

  const MultiBoxBatch<T>& batch_;
  const MultiBoxOptions& options_;
  Matcher<T> matcher_;
  std::vector<int> loc_classes_;     // those that take part in this image
  std::vector<Matches<T>> matches_;  // one for each of them
  Matches<T> matches_of_priors_;
  std::vector<T> losses_;
  BoxArray<T> boxes_;
};

template <typename T>
std::vector<int> ImageAssigner<T>::Considered(int image) const {
  const GroundTruth<T>& truth = (*batch_.ground_truth)[image];
  std::vector<int> considered;
  for (std::size_t i = 0; i < truth.boxes.size(); ++i) {
    if (options_.use_difficult || truth.difficult[i] == 0) {
      considered.push_back(static_cast<int>(i));
    }
  }
  return considered;
}

template <typename T>
void ImageAssigner<T>::DecodePredictions(int image, int loc_class, BoxArray<T>* boxes) const {
  boxes->Resize(batch_.num_priors);
  for (int prior = 0; prior < batch_.num_priors; ++prior) {
    boxes->Set(prior, options_.coder.Decode((*batch_.priors)[prior], batch_.variance + prior * 4,
                                            Loc(image, prior, loc_class)));
  }
}

/** Unmatches the candidates whose object has another label; overlaps stay. */
template <typename T>
void ImageAssigner<T>::KeepLabel(int image, int label, Matches<T>* matches) const {
  for (int& index : matches->ground_truth) {
    if (index >= 0 && (*batch_.ground_truth)[image].labels[index] != label) index = -1;
  }
}

template <typename T>
void ImageAssigner<T>::MatchImage(int image, const std::vector<int>& considered) {
  const GroundTruth<T>& truth = (*batch_.ground_truth)[image];
  loc_classes_.clear();
  for (int c = 0; c < options_.num_loc_classes(); ++c) {
    if (options_.share_location || c != options_.background_label) loc_classes_.push_back(c);
  }
  matches_.resize(loc_classes_.size());
  if (options_.use_prior_for_matching) {
    Matches<T>& of_priors = matches_of_priors_;
    matcher_.Match(*batch_.priors, truth.boxes, considered, &of_priors);
    if (options_.share_location) {
      std::swap(matches_[0], of_priors);
      return;
    }
    for (std::size_t i = 0; i < loc_classes_.size(); ++i) {
      matches_[i] = of_priors;
      KeepLabel(image, loc_classes_[i], &matches_[i]);
    }
    return;
  }
  for (std::size_t i = 0; i < loc_classes_.size(); ++i) {
    std::vector<int> of_class;
    for (const int index : considered) {
      if (options_.share_location || truth.labels[index] == loc_classes_[i]) {
        of_class.push_back(index);
      }
    }
    DecodePredictions(image, loc_classes_[i], &boxes_);
    matcher_.Match(boxes_, truth.boxes, of_class, &matches_[i]);
  }
}

template <typename T>
void ImageAssigner<T>::ComputeLosses(int image) {
  const int num_priors = batch_.num_priors;
  const std::size_t first = static_cast<std::size_t>(image) * num_priors;
  losses_.resize(num_priors);
  // As background: a matched prior is no candidate of MAX_NEGATIVE, so its loss is not looked at.
  ConfLosses(options_.conf_loss, batch_.conf + first * options_.num_classes, num_priors,
             options_.num_classes, options_.background_label, losses_.data());
  if (options_.mining.type == MINE_HARD_EXAMPLE) {
    for (std::size_t i = 0; i < loc_classes_.size(); ++i) {
      for (int prior = 0; prior < num_priors; ++prior) {
        const int index = matches_[i].ground_truth[prior];
        if (index >= 0) losses_[prior] = LossOfMatch(image, prior, loc_classes_[i], index);
      }
    }
  }
  for (T& loss : losses_) {
    if (std::isnan(loss)) loss = std::numeric_limits<T>::infinity();
  }
}

template <typename T>
T ImageAssigner<T>::LossOfMatch(int image, int prior, int loc_class, int ground_truth) const {
  const int label = Label(image, ground_truth);
  const Positive positive = {image, prior, loc_class, label, ground_truth};
  T differences[4];
  LocDifferences(batch_, options_, positive, differences);
  const std::size_t row = static_cast<std::size_t>(image) * batch_.num_priors + prior;
  T loss = ConfLoss(options_.conf_loss, batch_.conf + row * options_.num_classes,
                    options_.num_classes, label);
  for (int k = 0; k < 4; ++k) loss += LocLoss(options_.loc_loss, differences[k]);
  return loss;
}

template <typename T>
void ImageAssigner<T>::Emit(int image, MultiBoxTargets* targets) {
  std::vector<int> negatives;
  for (std::size_t i = 0; i < loc_classes_.size(); ++i) {
    const bool nms_on_predictions =
        options_.mining.nms_threshold > 0 && !options_.use_prior_for_nms;
    if (nms_on_predictions) DecodePredictions(image, loc_classes_[i], &boxes_);
    MineExamples(options_.mining, losses_, nms_on_predictions ? boxes_ : *batch_.priors,
                 &matches_[i], &negatives);
    for (const int prior : negatives) {
      const Negative negative = {image, prior};
      targets->negatives.push_back(negative);
    }
    for (int prior = 0; prior < batch_.num_priors; ++prior) {
      const int index = matches_[i].ground_truth[prior];
      if (index < 0) continue;
      const Positive positive = {image, prior, loc_classes_[i], Label(image, index), index};
      targets->positives.push_back(positive);
    }
  }
}

template <typename T>
void ImageAssigner<T>::Assign(int image, MultiBoxTargets* targets) {
  const std::vector<int> considered = Considered(image);
  if (!considered.empty()) {
    MatchImage(image, considered);
    if (options_.mining.type != MINE_NONE) ComputeLosses(image);
    Emit(image, targets);
    return;
  }
  if (options_.mining.type == MINE_NONE || options_.empty_image_negatives <= 0) return;
  loc_classes_.clear();
  ComputeLosses(image);
  Matches<T> no_matches;
  no_matches.Reset(batch_.num_priors);
  MiningOptions mining = options_.mining;
  mining.type = MINE_MAX_NEGATIVE;
  mining.nms_threshold = 0;
  mining.neg_overlap = 1;
  mining.min_negatives = options_.empty_image_negatives;
  std::vector<int> negatives;
  MineExamples(mining, losses_, *batch_.priors, &no_matches, &negatives);
  for (const int prior : negatives) {
    const Negative negative = {image, prior};
    targets->negatives.push_back(negative);
  }
}

}  // namespace

template <typename T>
void AssignTargets(const MultiBoxBatch<T>& batch, const MultiBoxOptions& options,
                   MultiBoxTargets* targets) {
  std::vector<MultiBoxTargets> of_image(batch.num_images);
#pragma omp parallel
  {
    ImageAssigner<T> assigner(batch, options);
#pragma omp for schedule(dynamic)
    for (int image = 0; image < batch.num_images; ++image) {
      assigner.Assign(image, &of_image[image]);
    }
  }
  targets->positives.clear();
  targets->negatives.clear();
  for (const MultiBoxTargets& part : of_image) {
    targets->positives.insert(targets->positives.end(), part.positives.begin(),
                              part.positives.end());
    targets->negatives.insert(targets->negatives.end(), part.negatives.begin(),
                              part.negatives.end());
  }
}

template <typename T>
void LocDifferences(const MultiBoxBatch<T>& batch, const MultiBoxOptions& options,
                    const Positive& positive, T* differences) {
  const int loc_classes = options.num_loc_classes();
  const std::size_t row =
      (static_cast<std::size_t>(positive.image) * batch.num_priors + positive.prior) * loc_classes +
      positive.loc_class;
  const T* code = batch.loc + row * 4;
  const Box<T> prior = (*batch.priors)[positive.prior];
  const T* variance = batch.variance + positive.prior * 4;
  const Box<T>& truth = (*batch.ground_truth)[positive.image].boxes[positive.ground_truth];
  T target[4];
  options.coder.Encode(prior, variance, truth, target);
  for (int k = 0; k < 4; ++k) {
    differences[k] = code[k] - target[k];
    if (options.coder.variance_in_target) differences[k] /= variance[k];
  }
  if (!options.bp_inside) return;
  const Box<T> match =
      options.use_prior_for_matching ? prior : options.coder.Decode(prior, variance, code);
  const T corners[4] = {match.xmin, match.ymin, match.xmax, match.ymax};
  for (int k = 0; k < 4; ++k) {
    if (corners[k] < T(0) || corners[k] > T(1)) differences[k] = T(0);
  }
}

template <typename T>
T LocLoss(LocLossType type, T difference) {
  const T magnitude = std::fabs(difference);
  if (type == LOC_SMOOTH_L1 && magnitude >= T(1)) return magnitude - T(0.5);
  return difference * difference / 2;
}

template <typename T>
T LocLossGradient(LocLossType type, T difference) {
  if (type == LOC_SMOOTH_L1 && std::fabs(difference) >= T(1)) return difference > 0 ? T(1) : T(-1);
  return difference;
}

namespace {

/** Zeros; with `past_caches` they go straight to memory, without its lines being read first. */
void Clear(bool past_caches, std::size_t num_bytes, char* bytes) {
  std::size_t done = 0;
#ifdef __SSE2__
  const std::size_t kStep = sizeof(__m128i);
  if (past_caches && reinterpret_cast<std::size_t>(bytes) % kStep == 0) {
    const __m128i zero = _mm_setzero_si128();
    for (; done + kStep <= num_bytes; done += kStep) {
      _mm_stream_si128(reinterpret_cast<__m128i*>(bytes + done), zero);
    }
    _mm_sfence();
  }
#else
  (void)past_caches;
#endif
  std::memset(bytes + done, 0, num_bytes - done);
}

}  // namespace

template <typename T>
void ClearGradient(std::size_t n, T* gradient) {
  const std::size_t kChunk = 1 << 17;
  const std::size_t kLarge = 16 << 20;  // bytes: more than a core's caches hold
  const bool past_caches = n * sizeof(T) > kLarge;
  const long num_chunks = static_cast<long>((n + kChunk - 1) / kChunk);
#pragma omp parallel for schedule(static) if (num_chunks > 4)
  for (long i = 0; i < num_chunks; ++i) {
    const std::size_t first = static_cast<std::size_t>(i) * kChunk;
    Clear(past_caches, std::min(kChunk, n - first) * sizeof(T),
          reinterpret_cast<char*>(gradient + first));
  }
}

#define CAFFE_INSTANTIATE_MULTIBOX(T)                                                             \
  template void AssignTargets(const MultiBoxBatch<T>&, const MultiBoxOptions&, MultiBoxTargets*); \
  template void LocDifferences(const MultiBoxBatch<T>&, const MultiBoxOptions&, const Positive&,  \
                               T*);                                                               \
  template T LocLoss(LocLossType, T);                                                             \
  template T LocLossGradient(LocLossType, T);                                                     \
  template void ClearGradient(std::size_t, T*)
CAFFE_INSTANTIATE_MULTIBOX(float);
CAFFE_INSTANTIATE_MULTIBOX(double);

}  // namespace caffe
