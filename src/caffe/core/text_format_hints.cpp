// Help with a field that the schema does not have.

#include "caffe/core/text_format_context.hpp"
#include "caffe/layer_factory.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {
namespace {

namespace pb = ::google::protobuf;

/** A field that only some other branch of Caffe has. */
struct ForkRow {
  const char* message;
  const char* field;
  const char* fork;
};

const ForkRow kForks[] = {
    {"LayerParameter", "roi_pooling_param", "py-faster-rcnn"},
    {"LayerParameter", "smooth_l1_loss_param", "py-faster-rcnn"},
    {"LayerParameter", "psroi_pooling_param", "R-FCN"},
    {"LayerParameter", "box_annotator_ohem_param", "R-FCN"},
    {"LayerParameter", "proposal_param", "the C++ ports of Faster R-CNN"},
    {"LayerParameter", "triplet_loss_param", "the triplet-loss branches"},
    {"LayerParameter", "margin_inner_product_param", "SphereFace"},
    {"LayerParameter", "label_specific_add_param", "the additive-margin branches (AM-Softmax)"},
    {"LayerParameter", "interp_param", "DeepLab and PSPNet"},
    {"LayerParameter", "bn_param", "PSPNet, SegNet and TSN (there for layer type BN)"},
    {"LayerParameter", "seg_accuracy_param", "DeepLab"},
    {"LayerParameter", "upsample_param", "SegNet"},
    {"LayerParameter", "dense_image_data_param", "SegNet"},
    {"LayerParameter", "shuffle_channel_param", "the ShuffleNet branches"},
    {"LayerParameter", "correlation_param", "FlowNet"},
    {"LayerParameter", "augmentation_param", "FlowNet"},
    {"LayerParameter", "quantization_param", "Ristretto and NVCaffe"},
    {"LayerParameter", "region_loss_param", "the YOLO branches"},
    {"LayerParameter", "reorg_param", "the YOLO branches"},
    {"LayerParameter", "st_param", "the spatial-transformer branches"},
    {"LayerParameter", "ctc_loss_param", "the CTC branches"},
    {"LayerParameter", "lstm_param", "caffe-lstm; RecurrentParameter's field is recurrent_param"},
    {"LayerParameter", "engine", "Intel Caffe"},
    {"LayerParameter", "forward_type", "NVCaffe"},
    {"LayerParameter", "backward_type", "NVCaffe"},
    {"LayerParameter", "forward_math", "NVCaffe"},
    {"LayerParameter", "backward_math", "NVCaffe"},
    {"LayerParameter", "detectnet_groundtruth_param", "NVCaffe"},
    {"LayerParameter", "detectnet_augmentation_param", "NVCaffe"},
    {"NetParameter", "default_forward_type", "NVCaffe"},
    {"NetParameter", "default_backward_type", "NVCaffe"},
    {"NetParameter", "default_forward_math", "NVCaffe"},
    {"NetParameter", "default_backward_math", "NVCaffe"},
    {"NetParameter", "global_grad_scale", "NVCaffe"},
    {"NetParameter", "engine", "Intel Caffe"},
    {"DataParameter", "threads", "NVCaffe; num_workers is the number of decoding threads here"},
    {"DataParameter", "parser_threads", "NVCaffe"},
    {"DataParameter", "cache", "NVCaffe"},
    {"BatchNormParameter", "scale_bias", "NVCaffe; a Scale layer with bias_term does it"},
    {"BatchNormParameter", "engine", "NVCaffe and Intel Caffe"},
    {"SolverParameter", "rampup_interval", "NVCaffe; warmup_iter is the name here"},
    {"SolverParameter", "rampup_lr", "NVCaffe; warmup_start_lr is the name here"},
    {"SolverParameter", "min_lr", "NVCaffe"},
    {"ConvolutionParameter", "hole", "DeepLab; the name is dilation now"},
    {"PriorBoxParameter", "fixed_size", "the FaceBoxes branches of SSD"},
    {"PriorBoxParameter", "fixed_ratio", "the FaceBoxes branches of SSD"},
    {"PriorBoxParameter", "density", "the FaceBoxes branches of SSD"},
    {"TransformationParameter", "multi_scale", "TSN"},
    {"TransformationParameter", "scale_ratios", "TSN"},
    {"TransformationParameter", "fix_crop", "TSN"},
};

/** The kinds of file that are text: a field of one may stand in a file taken for another. */
string OtherFile(const pb::Descriptor& message, const string& field) {
  const std::pair<const pb::Descriptor*, const char*> roots[] = {
      {SolverParameter::descriptor(), "a solver"},
      {NetParameter::descriptor(), "a net"},
      {LabelMap::descriptor(), "a label map"}};
  const char* found = nullptr;
  for (const auto& root : roots) {
    if (root.first == &message) {
      for (const auto& other : roots) {
        const bool has = other.first != &message && other.first->FindFieldByName(field) != nullptr;
        if (has && found == nullptr) found = other.second;
      }
    }
  }
  return found == nullptr ? "" : string("; is this the file of ") + found + "?";
}

/** A message around this one that has the field: a brace was not closed. */
string MessageAround(const TextContext& context, const string& field) {
  for (size_t i = context.frames.size() - 1; i-- > 0;) {
    const TextFrame& frame = context.frames[i];
    if (frame.message == nullptr || frame.message->FindFieldByName(field) == nullptr) continue;
    return "; the " + frame.message->name() + " around it has one: is a } missing before it?";
  }
  return "";
}

/** Messages inside this one that have the field: it stands outside their braces. */
string MessagesInside(const pb::Descriptor& message, const string& field) {
  vector<string> inside;
  for (int i = 0; i < message.field_count(); ++i) {
    const pb::Descriptor* child = message.field(i)->message_type();
    if (child == nullptr || child->FindFieldByName(field) == nullptr) continue;
    if (inside.size() == 3) {
      inside.push_back("…");
      break;
    }
    inside.push_back(message.field(i)->name());
  }
  string names;
  for (const string& name : inside) names += (names.empty() ? "" : ", ") + name;
  return names.empty() ? "" : "; it belongs inside " + names;
}

string Fork(const pb::Descriptor& message, const string& field) {
  for (const ForkRow& row : kForks) {
    if (message.name() == row.message && field == row.field) {
      return string("; it is a field of ") + row.fork;
    }
  }
  return "";
}

}  // namespace

string DescribeUnknownField(const TextContext& context, const string& field) {
  const pb::Descriptor* message = context.innermost().message;
  if (message == nullptr) return "unknown field \"" + field + "\"";
  string hint = Fork(*message, field);
  if (hint.empty()) hint = MessageAround(context, field);
  if (hint.empty()) hint = OtherFile(*message, field);
  if (hint.empty()) hint = MessagesInside(*message, field);
  vector<string> known;
  for (int i = 0; i < message->field_count(); ++i) known.push_back(message->field(i)->name());
  string nearest;
  for (const string& name : NearestNames(field, known)) {
    nearest += (nearest.empty() ? "" : ", ") + name;
  }
  return message->name() + " has no field \"" + field + "\"" + hint + "; the nearest names are " +
         nearest;
}

}  // namespace caffe
