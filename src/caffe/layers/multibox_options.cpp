#include <cmath>
#include <vector>

#include "caffe/layers/multibox_loss_layer.hpp"

namespace caffe {

namespace {

MiningOptions ReadMiningOptions(const MultiBoxLossParameter& param) {
  MiningOptions mining;
  mining.type = static_cast<MiningType>(param.mining_type());
  mining.neg_pos_ratio = param.neg_pos_ratio();
  mining.neg_overlap = param.neg_overlap();
  mining.sample_size = param.sample_size();
  mining.nms_threshold = param.has_nms_param() ? param.nms_param().nms_threshold() : 0;
  mining.nms_top_k = param.has_nms_param() ? param.nms_param().top_k() : -1;
  mining.min_negatives = 0;
  CHECK(mining.neg_pos_ratio >= 0)
      << "neg_pos_ratio must not be negative, got " << mining.neg_pos_ratio;
  CHECK(mining.type != MINE_HARD_EXAMPLE || mining.sample_size > 0)
      << "HARD_EXAMPLE needs a positive sample_size, got " << mining.sample_size;
  if (param.has_do_neg_mining()) {
    CHECK(param.do_neg_mining() == (mining.type != MINE_NONE))
        << "the deprecated do_neg_mining contradicts mining_type; leave do_neg_mining out";
    LOG(WARNING) << "do_neg_mining is deprecated; mining_type says it all";
  }
  return mining;
}

}  // namespace

MultiBoxOptions ReadMultiBoxOptions(const LayerParameter& layer_param) {
  const MultiBoxLossParameter& param = layer_param.multibox_loss_param();
  MultiBoxOptions options;
  CHECK(param.has_num_classes()) << "multibox_loss_param needs num_classes (background included)";
  options.num_classes = static_cast<int>(param.num_classes());
  options.background_label = static_cast<int>(param.background_label_id());
  CHECK(options.num_classes >= 1) << "num_classes must be at least 1, got " << options.num_classes;
  CHECK(options.background_label >= 0) << "background_label_id is " << param.background_label_id()
                                       << ", expected less than 2147483648";
  options.share_location = param.share_location();
  options.map_object_to_agnostic = param.map_object_to_agnostic();
  if (options.map_object_to_agnostic) {
    CHECK(options.background_label + 1 < options.num_classes)
        << "map_object_to_agnostic gives objects the label " << options.background_label + 1
        << ", but num_classes is " << options.num_classes;
  }
  options.use_prior_for_matching = param.use_prior_for_matching();
  options.use_difficult = param.use_difficult_gt();
  options.bp_inside = param.bp_inside();
  options.conf_loss = static_cast<ConfLossType>(param.conf_loss_type());
  options.loc_loss = static_cast<LocLossType>(param.loc_loss_type());
  CHECK(options.conf_loss == CONF_LOGISTIC || options.background_label < options.num_classes)
      << "background_label_id " << options.background_label << " is no class of "
      << options.num_classes;
  options.loc_weight = param.loc_weight();
  options.coder.type = static_cast<BoxCodeType>(param.code_type());
  options.coder.variance_in_target = param.encode_variance_in_target();
  options.match.type = static_cast<MatchType>(param.match_type());
  options.match.overlap_threshold = param.overlap_threshold();
  options.match.ignore_cross_boundary_box = param.ignore_cross_boundary_bbox();
  options.mining = ReadMiningOptions(param);
  options.use_prior_for_nms = param.use_prior_for_nms();
  options.empty_image_negatives = 0;
#ifdef CAFFE_LAYER_HAS_UPDATE_HOOKS
  options.empty_image_negatives = static_cast<int>(param.empty_image_negatives());
#endif
  return options;
}

LossParameter_NormalizationMode MultiBoxNormalization(const LossParameter& param) {
  if (param.has_normalization() || !param.has_normalize()) return param.normalization();
  return param.normalize() ? LossParameter_NormalizationMode_VALID
                           : LossParameter_NormalizationMode_BATCH_SIZE;
}

namespace {

/** A number of a ground truth row that must be an integer in [0, end). */
template <typename Dtype>
int ReadIndex(Dtype value, int end, const char* name, int row) {
  CHECK(value == std::floor(value) && value >= 0 && value < end)
      << "bottom[3] row " << row << ": " << name << " " << value << " is no integer from 0 to "
      << end - 1;
  return static_cast<int>(value);
}

}  // namespace

template <typename Dtype>
void ReadGroundTruth(const Blob<Dtype>& rows, int num_images, const MultiBoxOptions& options,
                     vector<GroundTruth<Dtype>>* ground_truth) {
  const int kRowSize = 8;
  CHECK(rows.num_axes() == 4 && rows.shape(3) == kRowSize)
      << "bottom[3] has the shape " << rows.shape_string() << ", expected 1 1 objects 8";
  ground_truth->assign(num_images, GroundTruth<Dtype>());
  const Dtype* data = rows.cpu_data();
  const int num_rows = rows.count() / kRowSize;
  for (int i = 0; i < num_rows; ++i, data += kRowSize) {
    if (data[0] == Dtype(-1)) continue;
    const int image = ReadIndex(data[0], num_images, "item", i);
    const int num_labels = options.map_object_to_agnostic ? INT_MAX : options.num_classes;
    const int label = ReadIndex(data[1], num_labels, "label", i);
    CHECK(label != options.background_label)
        << "bottom[3] row " << i << ": an object has the background's label " << label;
    const Box<Dtype> box = {data[3], data[4], data[5], data[6]};
    CHECK(IsFinite(box)) << "bottom[3] row " << i << ": box (" << box.xmin << ", " << box.ymin
                         << ", " << box.xmax << ", " << box.ymax << ") is not finite";
    GroundTruth<Dtype>& objects = (*ground_truth)[image];
    objects.boxes.push_back(box);
    objects.labels.push_back(label);
    objects.difficult.push_back(data[7] != Dtype(0) ? 1 : 0);
  }
}

template <typename Dtype>
int NumPriors(const Blob<Dtype>& blob) {
  const int num_priors = blob.count() / 8;
  CHECK(blob.num_axes() == 3 && blob.shape(0) == 1 && blob.shape(1) == 2 && num_priors > 0 &&
        blob.shape(2) == 4 * num_priors)
      << "bottom[2] has the shape " << blob.shape_string() << ", expected 1 2 4 x priors";
  return num_priors;
}

template <typename Dtype>
void ReadPriors(const Blob<Dtype>& blob, BoxArray<Dtype>* priors, vector<Dtype>* variance) {
  const int num_priors = NumPriors(blob);
  const Dtype* data = blob.cpu_data();
  priors->Resize(num_priors);
  for (int i = 0; i < num_priors; ++i) {
    const Box<Dtype> box = {data[4 * i], data[4 * i + 1], data[4 * i + 2], data[4 * i + 3]};
    priors->Set(i, box);
  }
  variance->assign(data + 4 * num_priors, data + 8 * num_priors);
  for (int i = 0; i < 4 * num_priors; ++i) {
    CHECK((*variance)[i] > Dtype(0)) << "bottom[2]: prior " << i / 4 << " has the variance "
                                     << (*variance)[i] << ", expected a positive one";
  }
}

#define CAFFE_INSTANTIATE_MULTIBOX_INPUT(Dtype)                                  \
  template void ReadGroundTruth(const Blob<Dtype>&, int, const MultiBoxOptions&, \
                                vector<GroundTruth<Dtype>>*);                    \
  template int NumPriors(const Blob<Dtype>&);                                    \
  template void ReadPriors(const Blob<Dtype>&, BoxArray<Dtype>*, vector<Dtype>*)
CAFFE_INSTANTIATE_MULTIBOX_INPUT(float);
CAFFE_INSTANTIATE_MULTIBOX_INPUT(double);

}  // namespace caffe
