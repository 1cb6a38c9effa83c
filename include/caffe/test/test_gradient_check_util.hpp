#ifndef CAFFE_TEST_TEST_GRADIENT_CHECK_UTIL_HPP_
#define CAFFE_TEST_TEST_GRADIENT_CHECK_UTIL_HPP_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief Compares a layer's Backward with central finite differences.
 *
 * The objective is a random linear form of the tops' values (the loss itself,
 * for tops that have a loss weight), so Backward sees random top gradients.
 * Before Backward the bottoms' gradients are NaN, since the contract is that
 * Backward overwrites them, and the parameters' gradients hold random numbers,
 * since the contract is that it adds to them. Methods and their arguments are
 * Caffe's, so tests written for Caffe compile.
 *
 * @param stepsize  the step h of (f(x + h) − f(x − h)) / 2h
 * @param threshold the allowed error, relative to the larger gradient when that is above 1
 * @param kink, kink_range  inputs with | |x| − kink | < kink_range are skipped:
 *                  there the layer has no derivative
 */
template <typename Dtype>
class GradientChecker {
 public:
  GradientChecker(const Dtype stepsize, const Dtype threshold, const unsigned int seed = 1701,
                  const Dtype kink = 0., const Dtype kink_range = -1)
      : stepsize_(stepsize),
        threshold_(threshold),
        seed_(seed),
        kink_(kink),
        kink_range_(kink_range) {}

  /** @brief All tops at once; check_bottom −1 checks every bottom, −2 parameters alone. */
  void CheckGradient(Layer<Dtype>* layer, const vector<Blob<Dtype>*>& bottom,
                     const vector<Blob<Dtype>*>& top, int check_bottom = -1) {
    layer->SetUp(bottom, top);
    CheckGradientSingle(layer, bottom, top, check_bottom, -1, -1);
  }

  /** @brief Each element of each top by itself. */
  void CheckGradientExhaustive(Layer<Dtype>* layer, const vector<Blob<Dtype>*>& bottom,
                               const vector<Blob<Dtype>*>& top, int check_bottom = -1) {
    layer->SetUp(bottom, top);
    ASSERT_GT(top.size(), 0u) << "a gradient check needs a top blob";
    for (int i = 0; i < static_cast<int>(top.size()); ++i) {
      for (int j = 0; j < top[i]->count(); ++j) {
        CheckGradientSingle(layer, bottom, top, check_bottom, i, j);
      }
    }
  }

  /** @brief As Exhaustive, for a layer whose top[i][j] depends on bottom[·][j] alone. */
  void CheckGradientEltwise(Layer<Dtype>* layer, const vector<Blob<Dtype>*>& bottom,
                            const vector<Blob<Dtype>*>& top) {
    layer->SetUp(bottom, top);
    ASSERT_EQ(layer->blobs().size(), 0u) << "an elementwise check takes no parameters";
    for (int i = 0; i < static_cast<int>(top.size()); ++i) {
      for (int j = 0; j < top[i]->count(); ++j) {
        CheckGradientSingle(layer, bottom, top, -1, i, j, true);
      }
    }
  }

  /** @brief The gradient of one top element (or, with top_id −1, of all) for the chosen inputs. */
  void CheckGradientSingle(Layer<Dtype>* layer, const vector<Blob<Dtype>*>& bottom,
                           const vector<Blob<Dtype>*>& top, int check_bottom, int top_id,
                           int top_data_id, bool element_wise = false) {
    ASSERT_LT(check_bottom, static_cast<int>(bottom.size())) << "the layer has no such bottom";
    vector<bool> propagate_down(bottom.size(), check_bottom == -1);
    vector<Blob<Dtype>*> inputs;
    if (check_bottom >= 0) propagate_down[check_bottom] = true;
    for (size_t i = 0; i < bottom.size(); ++i) {
      if (propagate_down[i]) inputs.push_back(bottom[i]);
    }
    vector<Blob<Dtype>*> params;
    for (size_t i = 0; i < layer->blobs().size(); ++i) {
      layer->set_param_propagate_down(static_cast<int>(i), true);
      params.push_back(layer->blobs()[i].get());
    }
    ChooseObjective(layer, top, top_id, top_data_id);
    Poison(bottom, params);
    vector<vector<Dtype>> computed = ComputeGradients(layer, bottom, top, propagate_down, params);
    const size_t num_bottoms = inputs.size();
    inputs.insert(inputs.end(), params.begin(), params.end());
    // The computed gradients come in the order: chosen bottoms, then parameters.
    for (size_t i = 0; i < inputs.size(); ++i) {
      const bool is_bottom = i < num_bottoms;
      for (int j = 0; j < inputs[i]->count(); ++j) {
        if (element_wise && j != top_data_id) {
          EXPECT_EQ(computed[i][j], Dtype(0)) << "top element " << top_data_id << " does not "
                                              << "depend on bottom element " << j;
          continue;
        }
        CheckElement(layer, bottom, top, inputs[i], j, computed[i][j],
                     (is_bottom ? "bottom " : "parameter ") +
                         std::to_string(is_bottom ? i : i - num_bottoms));
      }
    }
  }

 protected:
  /** The coefficients of the linear form, one for each top element. */
  void ChooseObjective(Layer<Dtype>* layer, const vector<Blob<Dtype>*>& top, int top_id,
                       int top_data_id) {
    std::mt19937 random(seed_ + 17);
    std::uniform_real_distribution<Dtype> coefficient(Dtype(0.5), Dtype(1.5));
    coefficients_.assign(top.size(), vector<Dtype>());
    for (int i = 0; i < static_cast<int>(top.size()); ++i) {
      for (int j = 0; j < top[i]->count(); ++j) {
        Dtype value = coefficient(random) * (random() % 2 == 0 ? 1 : -1);
        if (top_id >= 0) value = i == top_id && j == top_data_id ? Dtype(2) : Dtype(0);
        if (top_id < 0 && layer->loss(i) != Dtype(0)) value = layer->loss(i);
        coefficients_[i].push_back(value);
      }
    }
  }

  void Poison(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& params) {
    for (Blob<Dtype>* blob : bottom) {
      caffe_set(blob->count(), std::numeric_limits<Dtype>::quiet_NaN(), blob->mutable_cpu_diff());
    }
    std::mt19937 random(seed_ + 29);
    for (Blob<Dtype>* blob : params) {
      // Powers of two of moderate size: adding and subtracting them loses little.
      for (int i = 0; i < blob->count(); ++i) {
        blob->mutable_cpu_diff()[i] = random() % 2 == 0 ? Dtype(0.5) : Dtype(-0.25);
      }
    }
  }

  vector<vector<Dtype>> ComputeGradients(Layer<Dtype>* layer, const vector<Blob<Dtype>*>& bottom,
                                         const vector<Blob<Dtype>*>& top,
                                         const vector<bool>& propagate_down,
                                         const vector<Blob<Dtype>*>& params) {
    vector<vector<Dtype>> before;
    for (Blob<Dtype>* blob : params) {
      before.emplace_back(blob->cpu_diff(), blob->cpu_diff() + blob->count());
    }
    const vector<vector<Dtype>> values = CopyValues(bottom);
    Caffe::set_random_seed(seed_);
    layer->Forward(bottom, top);
    SetTopDiffs(top);
    layer->Backward(top, propagate_down, bottom);
    RestoreValues(values, bottom);
    vector<vector<Dtype>> gradients;
    for (size_t i = 0; i < bottom.size(); ++i) {
      if (!propagate_down[i]) continue;
      gradients.emplace_back(bottom[i]->cpu_diff(), bottom[i]->cpu_diff() + bottom[i]->count());
    }
    for (size_t i = 0; i < params.size(); ++i) {
      gradients.emplace_back(params[i]->cpu_diff(), params[i]->cpu_diff() + params[i]->count());
      for (size_t j = 0; j < before[i].size(); ++j) gradients.back()[j] -= before[i][j];
    }
    return gradients;
  }

  void SetTopDiffs(const vector<Blob<Dtype>*>& top) const {
    for (size_t i = 0; i < top.size(); ++i) {
      std::copy(coefficients_[i].begin(), coefficients_[i].end(), top[i]->mutable_cpu_diff());
    }
  }

  static vector<vector<Dtype>> CopyValues(const vector<Blob<Dtype>*>& blobs) {
    vector<vector<Dtype>> values;
    for (const Blob<Dtype>* blob : blobs) {
      values.emplace_back(blob->cpu_data(), blob->cpu_data() + blob->count());
    }
    return values;
  }

  static void RestoreValues(const vector<vector<Dtype>>& values,
                            const vector<Blob<Dtype>*>& blobs) {
    for (size_t i = 0; i < blobs.size(); ++i) {
      std::copy(values[i].begin(), values[i].end(), blobs[i]->mutable_cpu_data());
    }
  }

  /** The objective; a layer in place overwrites its bottom, so the bottoms' values are put back. */
  Dtype Objective(Layer<Dtype>* layer, const vector<Blob<Dtype>*>& bottom,
                  const vector<Blob<Dtype>*>& top) const {
    const vector<vector<Dtype>> values = CopyValues(bottom);
    Caffe::set_random_seed(seed_);
    layer->Forward(bottom, top);
    Dtype objective = 0;
    for (size_t i = 0; i < top.size(); ++i) {
      for (int j = 0; j < top[i]->count(); ++j) {
        objective += coefficients_[i][j] * top[i]->cpu_data()[j];
      }
    }
    RestoreValues(values, bottom);
    return objective;
  }

  void CheckElement(Layer<Dtype>* layer, const vector<Blob<Dtype>*>& bottom,
                    const vector<Blob<Dtype>*>& top, Blob<Dtype>* input, int index, Dtype computed,
                    const string& name) {
    const Dtype value = input->cpu_data()[index];
    if (kink_ - kink_range_ < std::fabs(value) && std::fabs(value) < kink_ + kink_range_) return;
    input->mutable_cpu_data()[index] = value + stepsize_;
    const Dtype above = Objective(layer, bottom, top);
    input->mutable_cpu_data()[index] = value - stepsize_;
    const Dtype below = Objective(layer, bottom, top);
    input->mutable_cpu_data()[index] = value;
    const Dtype estimated = (above - below) / (2 * stepsize_);
    const Dtype scale = std::max(std::max(std::fabs(computed), std::fabs(estimated)), Dtype(1));
    EXPECT_NEAR(computed, estimated, threshold_ * scale)
        << name << "[" << index << "] of " << layer->Who() << ", value " << value << ", objective "
        << above << " above and " << below << " below";
  }

  Dtype stepsize_;
  Dtype threshold_;
  unsigned int seed_;
  Dtype kink_;
  Dtype kink_range_;
  vector<vector<Dtype>> coefficients_;
};

}  // namespace caffe

#endif  // CAFFE_TEST_TEST_GRADIENT_CHECK_UTIL_HPP_
