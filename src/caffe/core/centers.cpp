#include "caffe/util/centers.hpp"

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

namespace caffe {

template <typename Dtype>
void Centers<Dtype>::SetUp(const CenterOptions& options, LayerParameter* param,
                           vector<shared_ptr<Blob<Dtype>>>* blobs) {
  options_ = options;
  CHECK(options.center_lr >= 0) << "center_lr must not be negative, got " << options.center_lr;
  vector<int> shape(2);
  shape[0] = options.classes;
  shape[1] = options.dim;
  if (blobs->empty()) {
    blobs->resize(1);
    (*blobs)[0].reset(new Blob<Dtype>(shape));
    shared_ptr<Filler<Dtype>> filler(GetFiller<Dtype>(options.filler));
    filler->Fill((*blobs)[0].get());
  }
  CHECK(blobs->size() == 1 && (*blobs)[0]->shape() == shape)
      << "the stored centers have the shape " << (*blobs)[0]->shape_string() << ", expected "
      << options.classes << " classes x " << options.dim << " features";
  blob_ = (*blobs)[0].get();
  sums_.Resize(options.classes, options.dim);
  if (!options.has_center_lr) return;
  // The net reads these after LayerSetUp, so the solver leaves the centers alone.
  if (param->param_size() == 0) param->add_param();
  param->mutable_param(0)->set_lr_mult(0);
  param->mutable_param(0)->set_decay_mult(0);
}

template <typename Dtype>
void Centers<Dtype>::OnForward(const CenterDistances& distances, size_t num_samples) {
#ifndef CAFFE_LAYER_HAS_UPDATE_HOOKS
  MeasureMovement();
  Remember();
#endif
  tally_.distance += distances.distance;
  tally_.samples += static_cast<int64_t>(num_samples);
}

template <typename Dtype>
void Centers<Dtype>::OnBackward(const CenterBatch<Dtype>& batch, bool learns) {
#ifndef CAFFE_LAYER_HAS_UPDATE_HOOKS
  sums_.Clear();
#endif
  if (options_.has_center_lr) {
    AddToCenterSums(batch, &sums_);
#ifndef CAFFE_LAYER_HAS_UPDATE_HOOKS
    ApplyStep();
#endif
  } else if (learns) {
    AddCenterStepOfBatch(batch, &sums_, blob_->mutable_cpu_diff());
  }
}

/** The exact step of center_lr; the iteration's sums are used up. */
template <typename Dtype>
void Centers<Dtype>::ApplyStep() {
  AddCenterStep(sums_, static_cast<Dtype>(-options_.center_lr), blob_->mutable_cpu_data());
  sums_.Clear();
}

template <typename Dtype>
void Centers<Dtype>::Remember() {
  const Dtype* centers = blob_->cpu_data();
  previous_.assign(centers, centers + blob_->count());
}

template <typename Dtype>
void Centers<Dtype>::MeasureMovement() {
  if (previous_.empty()) return;
  const Dtype* centers = blob_->cpu_data();
  moved_ = 0;
  for (int j = 0; j < options_.classes; ++j) {
    const size_t row = static_cast<size_t>(j) * options_.dim;
    moved_ += std::sqrt(SquaredDistance(options_.dim, centers + row, previous_.data() + row)) /
              options_.classes;
  }
  still_iterations_ = moved_ == 0 ? still_iterations_ + 1 : 0;
  tally_.movement += moved_;
  ++tally_.iterations;
}

template <typename Dtype>
void Centers<Dtype>::OnClearParamDiffs() {
  sums_.Clear();
  Remember();
}

template <typename Dtype>
void Centers<Dtype>::OnUpdate() {
  if (options_.has_center_lr) ApplyStep();
  MeasureMovement();
}

template <typename Dtype>
std::string Centers<Dtype>::Report(bool loss_has_weight, bool learns) const {
  if (tally_.samples == 0 && tally_.iterations == 0) return "";
  std::ostringstream out;
  out << "mean distance to the centers "
      << (tally_.samples == 0 ? 0 : tally_.distance / static_cast<double>(tally_.samples)) << " ("
      << tally_.samples << " samples), mean movement of the centers "
      << (tally_.iterations == 0 ? 0 : tally_.movement / tally_.iterations) << " an iteration ("
      << tally_.iterations << " iterations)";
  tally_ = Tally();
  const int kManyIterations = 10;
  if (still_iterations_ < kManyIterations || !loss_has_weight) return out.str();
  out << "; WARNING: no center has moved during the last " << still_iterations_
      << " iterations, although the loss has weight: ";
  if (options_.has_center_lr && options_.center_lr == 0) {
    out << "center_lr is 0";
  } else if (!options_.has_center_lr && !learns) {
    out << "lr_mult of the centers is 0 and center_lr is not given";
  } else {
    out << "check that the layer's Backward runs, that labels count, and the learning rate";
  }
  return out.str();
}

INSTANTIATE_CLASS(Centers);

}  // namespace caffe
