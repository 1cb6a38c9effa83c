#include <algorithm>

#include "caffe/util/io.hpp"
#include "caffe/util/upgrade_proto.hpp"

namespace caffe {
namespace {

/** Applies one upgrade, and says so. */
template <typename Upgrade>
void Apply(bool is_needed, const string& file, const char* what, const Upgrade& upgrade) {
  if (!is_needed) return;
  try {
    upgrade();
  } catch (const Error& error) {
    throw Error(string("cannot be upgraded: ") + error.what(), error.where(), file);
  }
  LOG(WARNING) << file << ": upgraded " << what;
}

bool HasWeights(const NetParameter& net) {
  return std::any_of(net.layer().begin(), net.layer().end(),
                     [](const LayerParameter& layer) { return layer.blobs_size() > 0; });
}

/** The shape of the i-th of the net's own inputs. */
void SetInputShape(const NetParameter& net, int i, BlobShape* shape) {
  if (net.input_shape_size() > 0) {
    *shape = net.input_shape(i);
    return;
  }
  for (int axis = 0; axis < 4; ++axis) shape->add_dim(net.input_dim(4 * i + axis));
}

void CheckInputShapes(const NetParameter& net) {
  const int inputs = net.input_size();
  CHECK(net.input_shape_size() == 0 || net.input_dim_size() == 0)
      << "the net gives both input_shape and input_dim; keep input_shape";
  CHECK(net.input_shape_size() == 0 || net.input_shape_size() == inputs)
      << "the net has " << inputs << " inputs but " << net.input_shape_size()
      << " input_shape; give one for each";
  CHECK(net.input_dim_size() == 0 || net.input_dim_size() == 4 * inputs)
      << "the net has " << inputs << " inputs but " << net.input_dim_size()
      << " input_dim; give four for each (num, channels, height, width)";
}

bool NeedsBatchNormUpgrade(const LayerParameter& layer) {
  if (layer.type() != "BatchNorm" || layer.param_size() != 3) return false;
  return std::any_of(layer.param().begin(), layer.param().end(),
                     [](const ParamSpec& spec) { return spec.lr_mult() != 0; });
}

/** Transformations left in a data layer's own parameters: V1 had them there, `layer` never did. */
void WarnOfOldTransformations(const string& file, const NetParameter& net) {
  for (const LayerParameter& layer : net.layer()) {
    const DataParameter& data = layer.data_param();
    const ImageDataParameter& image = layer.image_data_param();
    const WindowDataParameter& window = layer.window_data_param();
    const bool is_old = data.has_scale() || data.has_mean_file() || data.has_crop_size() ||
                        data.has_mirror() || image.has_scale() || image.has_mean_file() ||
                        image.has_crop_size() || image.has_mirror() || window.has_scale() ||
                        window.has_mean_file() || window.has_crop_size() || window.has_mirror();
    if (!is_old) continue;
    LOG(WARNING) << file << ": layer " << layer.name() << " has scale, mean_file, crop_size or "
                 << "mirror in its data parameters, where they are not read; put them into "
                 << "transform_param";
  }
}

void CheckHasLayers(const string& file, const NetParameter& net) {
  if (net.layer_size() == 0) throw Error("has no layers", "", file);
}

}  // namespace

void ReadNetParamsFromTextFileOrDie(const string& param_file, NetParameter* param) {
  NetParameter read;
  ReadProtoFromTextFileOrDie(param_file, &read);
  UpgradeNetAsNeeded(param_file, &read);
  CheckHasLayers(param_file, read);
  param->Swap(&read);
}

void ReadNetParamsFromBinaryFileOrDie(const string& param_file, NetParameter* param) {
  NetParameter read;
  ReadProtoFromBinaryFileOrDie(param_file, &read);
  UpgradeNetAsNeeded(param_file, &read);
  CheckHasLayers(param_file, read);
  param->Swap(&read);
}

bool NetNeedsUpgrade(const NetParameter& net_param) {
  return NetNeedsV0ToV1Upgrade(net_param) || NetNeedsDataUpgrade(net_param) ||
         NetNeedsV1ToV2Upgrade(net_param) || NetNeedsInputUpgrade(net_param) ||
         NetNeedsBatchNormUpgrade(net_param);
}

bool UpgradeNetAsNeeded(const string& param_file, NetParameter* param) {
  WarnOfOldTransformations(param_file, *param);
  Apply(NetNeedsV0ToV1Upgrade(*param), param_file, "the net from format V0",
        [&] { UpgradeV0Net(NetParameter(*param), param); });
  Apply(NetNeedsDataUpgrade(*param), param_file, "the data layers' old transformation fields",
        [&] { UpgradeNetDataTransformation(param); });
  Apply(NetNeedsV1ToV2Upgrade(*param), param_file, "the net from format V1 (\"layers\")",
        [&] { UpgradeV1Net(NetParameter(*param), param); });
  Apply(NetNeedsInputUpgrade(*param), param_file, "the net's input fields to an Input layer",
        [&] { UpgradeNetInput(param); });
  Apply(NetNeedsBatchNormUpgrade(*param), param_file, "learning rates of BatchNorm's statistics",
        [&] { UpgradeNetBatchNorm(param); });
  return true;
}

bool NetNeedsInputUpgrade(const NetParameter& net_param) { return net_param.input_size() > 0; }

void UpgradeNetInput(NetParameter* net_param) {
  CheckInputShapes(*net_param);
  const bool has_shapes = net_param->input_shape_size() + net_param->input_dim_size() > 0;
  CHECK(has_shapes || HasWeights(*net_param))
      << "the net's input \"" << net_param->input(0) << "\" has no shape; add an input_shape, or "
      << "an Input layer";
  if (has_shapes) {
    NetParameter result = *net_param;
    result.clear_layer();
    LayerParameter* layer = result.add_layer();
    layer->set_name("input");
    layer->set_type("Input");
    for (int i = 0; i < net_param->input_size(); ++i) {
      layer->add_top(net_param->input(i));
      SetInputShape(*net_param, i, layer->mutable_input_param()->add_shape());
    }
    result.mutable_layer()->MergeFrom(net_param->layer());
    net_param->Swap(&result);
  }
  net_param->clear_input();
  net_param->clear_input_shape();
  net_param->clear_input_dim();
}

bool NetNeedsBatchNormUpgrade(const NetParameter& net_param) {
  return std::any_of(net_param.layer().begin(), net_param.layer().end(), NeedsBatchNormUpgrade);
}

void UpgradeNetBatchNorm(NetParameter* net_param) {
  for (LayerParameter& layer : *net_param->mutable_layer()) {
    if (!NeedsBatchNormUpgrade(layer)) continue;
    for (ParamSpec& spec : *layer.mutable_param()) {
      spec.set_lr_mult(0);
      spec.set_decay_mult(0);
    }
  }
}

}  // namespace caffe
