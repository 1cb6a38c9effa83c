// Nets of 2014: `layers { type: CONVOLUTION blobs_lr: 1 … }`, brought to `layer`.

#include <algorithm>

#include "caffe/core/proto_fields.hpp"
#include "caffe/util/upgrade_proto.hpp"

namespace caffe {
namespace {

struct TypeRow {
  V1LayerParameter_LayerType v1;
  const char* type;
};

const TypeRow kTypes[] = {
    {V1LayerParameter::NONE, ""},
    {V1LayerParameter::ABSVAL, "AbsVal"},
    {V1LayerParameter::ACCURACY, "Accuracy"},
    {V1LayerParameter::ARGMAX, "ArgMax"},
    {V1LayerParameter::BNLL, "BNLL"},
    {V1LayerParameter::CONCAT, "Concat"},
    {V1LayerParameter::CONTRASTIVE_LOSS, "ContrastiveLoss"},
    {V1LayerParameter::CONVOLUTION, "Convolution"},
    {V1LayerParameter::DATA, "Data"},
    {V1LayerParameter::DECONVOLUTION, "Deconvolution"},
    {V1LayerParameter::DROPOUT, "Dropout"},
    {V1LayerParameter::DUMMY_DATA, "DummyData"},
    {V1LayerParameter::ELTWISE, "Eltwise"},
    {V1LayerParameter::EUCLIDEAN_LOSS, "EuclideanLoss"},
    {V1LayerParameter::EXP, "Exp"},
    {V1LayerParameter::FLATTEN, "Flatten"},
    {V1LayerParameter::HDF5_DATA, "HDF5Data"},
    {V1LayerParameter::HDF5_OUTPUT, "HDF5Output"},
    {V1LayerParameter::HINGE_LOSS, "HingeLoss"},
    {V1LayerParameter::IM2COL, "Im2col"},
    {V1LayerParameter::IMAGE_DATA, "ImageData"},
    {V1LayerParameter::INFOGAIN_LOSS, "InfogainLoss"},
    {V1LayerParameter::INNER_PRODUCT, "InnerProduct"},
    {V1LayerParameter::LRN, "LRN"},
    {V1LayerParameter::MEMORY_DATA, "MemoryData"},
    {V1LayerParameter::MULTINOMIAL_LOGISTIC_LOSS, "MultinomialLogisticLoss"},
    {V1LayerParameter::MVN, "MVN"},
    {V1LayerParameter::POOLING, "Pooling"},
    {V1LayerParameter::POWER, "Power"},
    {V1LayerParameter::RELU, "ReLU"},
    {V1LayerParameter::SIGMOID, "Sigmoid"},
    {V1LayerParameter::SIGMOID_CROSS_ENTROPY_LOSS, "SigmoidCrossEntropyLoss"},
    {V1LayerParameter::SILENCE, "Silence"},
    {V1LayerParameter::SLICE, "Slice"},
    {V1LayerParameter::SOFTMAX, "Softmax"},
    {V1LayerParameter::SOFTMAX_LOSS, "SoftmaxWithLoss"},
    {V1LayerParameter::SPLIT, "Split"},
    {V1LayerParameter::TANH, "TanH"},
    {V1LayerParameter::THRESHOLD, "Threshold"},
    {V1LayerParameter::WINDOW_DATA, "WindowData"},
};

/** The i-th parameter's specification, added if it is not there yet. */
ParamSpec* SpecAt(int i, LayerParameter* layer) {
  while (layer->param_size() <= i) layer->add_param();
  return layer->mutable_param(i);
}

/** V1 kept a parameter's name, sharing, rate and decay in four lists; they are one now. */
void UpgradeParamSpecs(const V1LayerParameter& v1, LayerParameter* layer) {
  for (int i = 0; i < v1.param_size(); ++i) SpecAt(i, layer)->set_name(v1.param(i));
  for (int i = 0; i < v1.blob_share_mode_size(); ++i) {
    const bool is_strict = v1.blob_share_mode(i) == V1LayerParameter::STRICT;
    SpecAt(i, layer)->set_share_mode(is_strict ? ParamSpec::STRICT : ParamSpec::PERMISSIVE);
  }
  for (int i = 0; i < v1.blobs_lr_size(); ++i) SpecAt(i, layer)->set_lr_mult(v1.blobs_lr(i));
  for (int i = 0; i < v1.weight_decay_size(); ++i) {
    SpecAt(i, layer)->set_decay_mult(v1.weight_decay(i));
  }
}

/** The message of a V1 data layer in which transformations once stood, or null. */
google::protobuf::Message* OldTransformation(V1LayerParameter* layer) {
  switch (layer->type()) {
    case V1LayerParameter::DATA:
      return layer->has_data_param() ? layer->mutable_data_param() : nullptr;
    case V1LayerParameter::IMAGE_DATA:
      return layer->has_image_data_param() ? layer->mutable_image_data_param() : nullptr;
    case V1LayerParameter::WINDOW_DATA:
      return layer->has_window_data_param() ? layer->mutable_window_data_param() : nullptr;
    default:
      return nullptr;
  }
}

bool IsTransformation(const google::protobuf::FieldDescriptor& field) {
  const string& name = field.name();
  return name == "scale" || name == "mean_file" || name == "crop_size" || name == "mirror";
}

}  // namespace

const char* UpgradeV1LayerType(const V1LayerParameter_LayerType type) {
  for (const TypeRow& row : kTypes) {
    if (row.v1 == type) return row.type;
  }
  throw Error("unknown V1 layer type " + std::to_string(static_cast<int>(type)));
}

bool NetNeedsV1ToV2Upgrade(const NetParameter& net_param) { return net_param.layers_size() > 0; }

bool UpgradeV1LayerParameter(const V1LayerParameter& v1_layer_param, LayerParameter* layer_param) {
  LayerParameter result;
  for (const google::protobuf::FieldDescriptor* field : SetFields(v1_layer_param)) {
    const string& name = field->name();
    CHECK(name != "layer") << v1_layer_param.layer().name()
                           << ": is in format V0, which is upgraded to V1 first";
    if (name == "type") {
      result.set_type(UpgradeV1LayerType(v1_layer_param.type()));
      continue;
    }
    const bool is_spec = name == "param" || name == "blob_share_mode" || name == "blobs_lr" ||
                         name == "weight_decay";
    if (!is_spec) CopyField(v1_layer_param, *field, name, &result);
  }
  UpgradeParamSpecs(v1_layer_param, &result);
  layer_param->Swap(&result);
  return true;
}

bool UpgradeV1Net(const NetParameter& v1_net_param, NetParameter* net_param) {
  CHECK(v1_net_param.layer_size() == 0)
      << "the net has both \"layer\" (" << v1_net_param.layer_size() << ") and \"layers\" ("
      << v1_net_param.layers_size() << ", the format of 2014); write all of them as \"layer\"";
  NetParameter result = v1_net_param;
  result.clear_layers();
  for (const V1LayerParameter& layer : v1_net_param.layers()) {
    UpgradeV1LayerParameter(layer, result.add_layer());
  }
  net_param->Swap(&result);
  return true;
}

bool NetNeedsDataUpgrade(const NetParameter& net_param) {
  for (V1LayerParameter layer : net_param.layers()) {
    const google::protobuf::Message* old = OldTransformation(&layer);
    if (old == nullptr) continue;
    const auto fields = SetFields(*old);
    if (std::any_of(fields.begin(), fields.end(),
                    [](const auto* field) { return IsTransformation(*field); })) {
      return true;
    }
  }
  return false;
}

void UpgradeNetDataTransformation(NetParameter* net_param) {
  for (V1LayerParameter& layer : *net_param->mutable_layers()) {
    google::protobuf::Message* old = OldTransformation(&layer);
    if (old == nullptr) continue;
    for (const google::protobuf::FieldDescriptor* field : SetFields(*old)) {
      if (!IsTransformation(*field)) continue;
      CopyField(*old, *field, field->name(), layer.mutable_transform_param());
      old->GetReflection()->ClearField(old, field);
    }
  }
}

}  // namespace caffe
