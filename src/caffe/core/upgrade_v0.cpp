// Nets of 2013: `layers { layer { type: "conv" … } bottom: … }`, brought to V1.
// A V0 layer has the fields of all types side by side; where each goes is a table.

#include <google/protobuf/descriptor.h>

#include <map>

#include "caffe/core/proto_fields.hpp"
#include "caffe/util/upgrade_proto.hpp"

namespace caffe {
namespace {

struct TypeRow {
  const char* v0;
  V1LayerParameter_LayerType v1;
};

const TypeRow kTypes[] = {
    {"accuracy", V1LayerParameter::ACCURACY},
    {"bnll", V1LayerParameter::BNLL},
    {"concat", V1LayerParameter::CONCAT},
    {"conv", V1LayerParameter::CONVOLUTION},
    {"data", V1LayerParameter::DATA},
    {"dropout", V1LayerParameter::DROPOUT},
    {"euclidean_loss", V1LayerParameter::EUCLIDEAN_LOSS},
    {"flatten", V1LayerParameter::FLATTEN},
    {"hdf5_data", V1LayerParameter::HDF5_DATA},
    {"hdf5_output", V1LayerParameter::HDF5_OUTPUT},
    {"im2col", V1LayerParameter::IM2COL},
    {"images", V1LayerParameter::IMAGE_DATA},
    {"infogain_loss", V1LayerParameter::INFOGAIN_LOSS},
    {"innerproduct", V1LayerParameter::INNER_PRODUCT},
    {"lrn", V1LayerParameter::LRN},
    {"multinomial_logistic_loss", V1LayerParameter::MULTINOMIAL_LOGISTIC_LOSS},
    {"pool", V1LayerParameter::POOLING},
    {"relu", V1LayerParameter::RELU},
    {"sigmoid", V1LayerParameter::SIGMOID},
    {"softmax", V1LayerParameter::SOFTMAX},
    {"softmax_loss", V1LayerParameter::SOFTMAX_LOSS},
    {"split", V1LayerParameter::SPLIT},
    {"tanh", V1LayerParameter::TANH},
    {"window_data", V1LayerParameter::WINDOW_DATA},
};

/** A V0 field, the types that had it ("" for every type), and its place in V1. */
struct FieldRow {
  const char* field;
  const char* type;
  const char* target;
};

const FieldRow kFields[] = {
    {"name", "", "name"},
    {"blobs", "", "blobs"},
    {"blobs_lr", "", "blobs_lr"},
    {"weight_decay", "", "weight_decay"},
    {"num_output", "conv", "convolution_param.num_output"},
    {"num_output", "innerproduct", "inner_product_param.num_output"},
    {"biasterm", "conv", "convolution_param.bias_term"},
    {"biasterm", "innerproduct", "inner_product_param.bias_term"},
    {"weight_filler", "conv", "convolution_param.weight_filler"},
    {"weight_filler", "innerproduct", "inner_product_param.weight_filler"},
    {"bias_filler", "conv", "convolution_param.bias_filler"},
    {"bias_filler", "innerproduct", "inner_product_param.bias_filler"},
    {"pad", "conv", "convolution_param.pad"},
    {"pad", "pool", "pooling_param.pad"},
    {"kernelsize", "conv", "convolution_param.kernel_size"},
    {"kernelsize", "pool", "pooling_param.kernel_size"},
    {"group", "conv", "convolution_param.group"},
    {"stride", "conv", "convolution_param.stride"},
    {"stride", "pool", "pooling_param.stride"},
    {"pool", "pool", "pooling_param.pool"},
    {"dropout_ratio", "dropout", "dropout_param.dropout_ratio"},
    {"local_size", "lrn", "lrn_param.local_size"},
    {"alpha", "lrn", "lrn_param.alpha"},
    {"beta", "lrn", "lrn_param.beta"},
    {"k", "lrn", "lrn_param.k"},
    {"source", "data", "data_param.source"},
    {"source", "hdf5_data", "hdf5_data_param.source"},
    {"source", "images", "image_data_param.source"},
    {"source", "window_data", "window_data_param.source"},
    {"source", "infogain_loss", "infogain_loss_param.source"},
    {"scale", "", "transform_param.scale"},
    {"meanfile", "", "transform_param.mean_file"},
    {"cropsize", "", "transform_param.crop_size"},
    {"mirror", "", "transform_param.mirror"},
    {"batchsize", "data", "data_param.batch_size"},
    {"batchsize", "hdf5_data", "hdf5_data_param.batch_size"},
    {"batchsize", "images", "image_data_param.batch_size"},
    {"batchsize", "window_data", "window_data_param.batch_size"},
    {"rand_skip", "data", "data_param.rand_skip"},
    {"rand_skip", "images", "image_data_param.rand_skip"},
    {"shuffle_images", "images", "image_data_param.shuffle"},
    {"new_height", "images", "image_data_param.new_height"},
    {"new_width", "images", "image_data_param.new_width"},
    {"concat_dim", "concat", "concat_param.concat_dim"},
    {"det_fg_threshold", "window_data", "window_data_param.fg_threshold"},
    {"det_bg_threshold", "window_data", "window_data_param.bg_threshold"},
    {"det_fg_fraction", "window_data", "window_data_param.fg_fraction"},
    {"det_context_pad", "window_data", "window_data_param.context_pad"},
    {"det_crop_mode", "window_data", "window_data_param.crop_mode"},
    {"hdf5_output_param", "hdf5_output", "hdf5_output_param"},
};

const char* TargetOf(const string& field, const string& type) {
  for (const FieldRow& row : kFields) {
    if (field == row.field && (*row.type == '\0' || type == row.type)) return row.target;
  }
  return nullptr;
}

bool IsPadding(const V1LayerParameter& layer) {
  return layer.has_layer() && layer.layer().type() == "padding";
}

/** Gives a conv or pool layer the padding of the layer that it reads. */
void TakePadding(const V1LayerParameter& padding, V1LayerParameter* reader) {
  const string who = reader->layer().name();
  const string& type = reader->layer().type();
  if (type != "conv" && type != "pool") {
    throw Error("a V0 padding layer (" + padding.layer().name() +
                    ") can feed only conv and pool "
                    "layers, not " +
                    type + "; give the padding to the layer that needs it",
                "", who);
  }
  CHECK(reader->bottom_size() == 1 && padding.bottom_size() == 1)
      << who << ": conv, pool and padding layers take one bottom in V0, got "
      << reader->bottom_size() << " and " << padding.bottom_size();
  reader->mutable_layer()->set_pad(padding.layer().pad());
  reader->set_bottom(0, padding.bottom(0));
}

}  // namespace

bool NetNeedsV0ToV1Upgrade(const NetParameter& net_param) {
  for (const V1LayerParameter& layer : net_param.layers()) {
    if (layer.has_layer()) return true;
  }
  return false;
}

V1LayerParameter_LayerType UpgradeV0LayerType(const string& type) {
  for (const TypeRow& row : kTypes) {
    if (type == row.v0) return row.v1;
  }
  string known;
  for (const TypeRow& row : kTypes) known += string(" ") + row.v0;
  throw Error("unknown V0 layer type \"" + type + "\"; the types of that format are" + known);
}

void UpgradeV0PaddingLayers(const NetParameter& param, NetParameter* param_upgraded_pad) {
  NetParameter result = param;
  result.clear_layers();
  // Which layer made a blob; −1 for the net's inputs.
  std::map<string, int> producers;
  for (const string& input : param.input()) producers[input] = -1;
  for (int i = 0; i < param.layers_size(); ++i) {
    const V1LayerParameter& layer = param.layers(i);
    V1LayerParameter upgraded = layer;
    for (const string& bottom : layer.bottom()) {
      const auto producer = producers.find(bottom);
      if (producer == producers.end()) {
        throw Error("unknown bottom blob \"" + bottom + "\"", "", layer.layer().name());
      }
      if (producer->second < 0 || !IsPadding(param.layers(producer->second))) continue;
      if (!IsPadding(layer)) TakePadding(param.layers(producer->second), &upgraded);
    }
    for (const string& top : layer.top()) producers[top] = i;
    if (!IsPadding(layer)) *result.add_layers() = upgraded;
  }
  param_upgraded_pad->Swap(&result);
}

bool UpgradeV0LayerParameter(const V1LayerParameter& v0_layer_connection,
                             V1LayerParameter* layer_param) {
  V1LayerParameter result = v0_layer_connection;
  result.clear_layer();
  const V0LayerParameter& v0 = v0_layer_connection.layer();
  for (const google::protobuf::FieldDescriptor* field : SetFields(v0)) {
    if (field->name() == "type") {
      result.set_type(UpgradeV0LayerType(v0.type()));
      continue;
    }
    const char* target = TargetOf(field->name(), v0.type());
    if (target == nullptr) {
      throw Error("a V0 layer of type \"" + v0.type() + "\" has no field " + field->name() +
                  "; remove it");
    }
    CopyField(v0, *field, target, &result);
  }
  layer_param->Swap(&result);
  return true;
}

bool UpgradeV0Net(const NetParameter& v0_net_param, NetParameter* net_param) {
  NetParameter padded;
  UpgradeV0PaddingLayers(v0_net_param, &padded);
  for (V1LayerParameter& layer : *padded.mutable_layers()) {
    if (!layer.has_layer()) continue;
    const string name = layer.layer().name();
    try {
      UpgradeV0LayerParameter(V1LayerParameter(layer), &layer);
    } catch (const Error& error) {
      throw error.By(name);
    }
  }
  net_param->Swap(&padded);
  return true;
}

}  // namespace caffe
