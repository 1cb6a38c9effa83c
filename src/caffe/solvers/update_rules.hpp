// The arithmetic of the solvers: one functor a rule, one loop for all of them. It vectorizes,
// square roots included, since these files are compiled without math errno (CMakeLists.txt).
#ifndef CAFFE_SOLVERS_UPDATE_RULES_HPP_
#define CAFFE_SOLVERS_UPDATE_RULES_HPP_

#include <cmath>

namespace caffe {

/** @brief One parameter's arrays and factors in an update. */
template <typename Dtype>
struct ParamUpdate {
  /** @brief The update of elements [first, end) alone. */
  ParamUpdate Part(int first, int end) const {
    ParamUpdate part = *this;
    part.count = end - first;
    part.data += first;
    part.diff += first;
    part.history += first;
    if (history2 != nullptr) part.history2 += first;
    return part;
  }

  int count = 0;
  Dtype* data = nullptr;
  Dtype* diff = nullptr;  ///< the gradient; the step afterwards
  Dtype* history = nullptr;
  Dtype* history2 = nullptr;  ///< null unless the rule keeps two
  Dtype rate = 0;             ///< learning rate · lr_mult
  Dtype gradient_scale = 1;   ///< clipping and 1 / iter_size
  Dtype l2 = 0, l1 = 0;       ///< weight decay, added to the gradient
  Dtype decoupled = 0;        ///< weight decay beside the rule, as a share of data (AdamW)
  bool apply = true;          ///< false: only diff and history change
};

/** h ← momentum · h + r · g; the step is h. */
template <typename Dtype>
struct SgdRule {
  Dtype momentum;
  Dtype operator()(Dtype gradient, Dtype rate, Dtype* h) const {
    *h = momentum * *h + rate * gradient;
    return *h;
  }
};

template <typename Dtype>
struct NesterovRule {
  Dtype momentum;
  Dtype operator()(Dtype gradient, Dtype rate, Dtype* h) const {
    const Dtype before = *h;
    *h = momentum * before + rate * gradient;
    return (1 + momentum) * *h - momentum * before;
  }
};

template <typename Dtype>
struct AdaGradRule {
  Dtype delta;
  Dtype operator()(Dtype gradient, Dtype rate, Dtype* h) const {
    *h += gradient * gradient;
    return rate * gradient / (std::sqrt(*h) + delta);
  }
};

template <typename Dtype>
struct RmsPropRule {
  Dtype decay, delta;
  Dtype operator()(Dtype gradient, Dtype rate, Dtype* h) const {
    *h = decay * *h + (1 - decay) * gradient * gradient;
    return rate * gradient / (std::sqrt(*h) + delta);
  }
};

template <typename Dtype>
struct AdaDeltaRule {
  Dtype momentum, delta;
  Dtype operator()(Dtype gradient, Dtype rate, Dtype* h, Dtype* k) const {
    *h = momentum * *h + (1 - momentum) * gradient * gradient;
    const Dtype step = gradient * std::sqrt((delta + *k) / (delta + *h));
    *k = momentum * *k + (1 - momentum) * step * step;
    return rate * step;
  }
};

/** The step is r · m_scale · m / (√v · v_scale + delta): Adam and AdamW differ in the scales. */
template <typename Dtype>
struct AdamRule {
  Dtype beta1, beta2, delta, m_scale, v_scale;
  Dtype operator()(Dtype gradient, Dtype rate, Dtype* m, Dtype* v) const {
    *m = beta1 * *m + (1 - beta1) * gradient;
    *v = beta2 * *v + (1 - beta2) * gradient * gradient;
    return rate * m_scale * *m / (std::sqrt(*v) * v_scale + delta);
  }
};

namespace update_rules {

template <typename Dtype>
inline Dtype Gradient(const ParamUpdate<Dtype>& u, int i) {
  const Dtype w = u.data[i];
  return u.gradient_scale * u.diff[i] + u.l2 * w +
         u.l1 * static_cast<Dtype>((Dtype(0) < w) - (w < Dtype(0)));
}

/** Each array is read and written once; step(i) returns what is subtracted. */
template <typename Dtype, typename Step>
inline void ForEachElement(const ParamUpdate<Dtype>& update, const Step& step) {
  const ParamUpdate<Dtype> u = update;  // a local copy is known not to alias the arrays
#pragma omp simd
  for (int i = 0; i < u.count; ++i) {
    const Dtype w = u.data[i];
    const Dtype subtracted = step(i) + u.decoupled * w;
    u.diff[i] = subtracted;
    if (u.apply) u.data[i] = w - subtracted;
  }
}

}  // namespace update_rules

/** @brief Runs a rule with one history over a parameter, or a part of one, on this thread. */
template <typename Dtype, typename Rule>
void RunWithOneHistory(const ParamUpdate<Dtype>& update, const Rule& rule) {
  const ParamUpdate<Dtype> u = update;
  const Rule r = rule;
  update_rules::ForEachElement(
      u, [=](int i) { return r(update_rules::Gradient(u, i), u.rate, u.history + i); });
}

/** @brief The same for a rule with two. */
template <typename Dtype, typename Rule>
void RunWithTwoHistories(const ParamUpdate<Dtype>& update, const Rule& rule) {
  const ParamUpdate<Dtype> u = update;
  const Rule r = rule;
  update_rules::ForEachElement(u, [=](int i) {
    return r(update_rules::Gradient(u, i), u.rate, u.history + i, u.history2 + i);
  });
}

}  // namespace caffe

#endif  // CAFFE_SOLVERS_UPDATE_RULES_HPP_
