#include <google/protobuf/util/message_differencer.h>
#include <sys/stat.h>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/util/atomic_file.hpp"
#include "caffe/util/io.hpp"
#include "caffe/util/upgrade_proto.hpp"

namespace caffe {
namespace {

template <typename Proto = NetParameter>
Proto Parse(const string& text) {
  Proto message;
  ReadProtoFromText(text, "test", &message);
  return message;
}

void ExpectSame(const Message& got, const Message& expected) {
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(got, expected))
      << "got:\n"
      << got.DebugString() << "expected:\n"
      << expected.DebugString();
}

/** Upgrades the text's net, and compares; a second upgrade must change nothing. */
void ExpectUpgrade(const string& text, const string& expected) {
  NetParameter net = Parse(text);
  EXPECT_TRUE(NetNeedsUpgrade(net));
  EXPECT_TRUE(UpgradeNetAsNeeded("test", &net));
  ExpectSame(net, Parse(expected));
  EXPECT_FALSE(NetNeedsUpgrade(net));
  UpgradeNetAsNeeded("test", &net);
  ExpectSame(net, Parse(expected));
}

string UpgradeError(const string& text) {
  NetParameter net = Parse(text);
  try {
    UpgradeNetAsNeeded("old.prototxt", &net);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.who(), "old.prototxt");
    return error.what();
  }
}

void ExpectContains(const string& text, const string& part) {
  EXPECT_NE(text.find(part), string::npos) << "\"" << text << "\" should contain: " << part;
}

TEST(UpgradeNetTest, TodaysNetStaysAsItIs) {
  const NetParameter net = Parse("name: 'n' layer { name: 'a' type: 'ReLU' bottom: 'x' top: 'x' }");
  NetParameter upgraded = net;
  EXPECT_FALSE(NetNeedsUpgrade(net));
  EXPECT_TRUE(UpgradeNetAsNeeded("test", &upgraded));
  ExpectSame(upgraded, net);
}

TEST(UpgradeNetTest, V0) {
  ExpectUpgrade(
      "name: 'v0'"
      "layers { layer { name: 'digits' type: 'data' source: 'db' batchsize: 8 rand_skip: 3"
      "         scale: 0.5 meanfile: 'mean' cropsize: 20 mirror: true }"
      "         top: 'data' top: 'label' }"
      "layers { layer { name: 'pad1' type: 'padding' pad: 2 } bottom: 'data' top: 'padded' }"
      "layers { layer { name: 'conv1' type: 'conv' num_output: 4 kernelsize: 5 stride: 2 group: 2"
      "         biasterm: false weight_filler { type: 'xavier' } bias_filler { value: 1 }"
      "         blobs_lr: 1 blobs_lr: 2 weight_decay: 1 weight_decay: 0 blobs { data: 0.5 } }"
      "         bottom: 'padded' top: 'conv1' }"
      "layers { layer { name: 'pool1' type: 'pool' pool: AVE kernelsize: 3 stride: 2 pad: 1 }"
      "         bottom: 'conv1' top: 'pool1' }"
      "layers { layer { name: 'norm1' type: 'lrn' local_size: 3 alpha: 0.1 beta: 0.5 k: 2 }"
      "         bottom: 'pool1' top: 'norm1' }"
      "layers { layer { name: 'drop' type: 'dropout' dropout_ratio: 0.3 }"
      "         bottom: 'norm1' top: 'norm1' }"
      "layers { layer { name: 'ip' type: 'innerproduct' num_output: 10 biasterm: true }"
      "         bottom: 'norm1' top: 'ip' }"
      "layers { layer { name: 'loss' type: 'softmax_loss' } bottom: 'ip' bottom: 'label' }",
      "name: 'v0'"
      "layer { name: 'digits' type: 'Data' top: 'data' top: 'label'"
      "        data_param { source: 'db' batch_size: 8 rand_skip: 3 }"
      "        transform_param { scale: 0.5 mean_file: 'mean' crop_size: 20 mirror: true } }"
      "layer { name: 'conv1' type: 'Convolution' bottom: 'data' top: 'conv1'"
      "        param { lr_mult: 1 decay_mult: 1 } param { lr_mult: 2 decay_mult: 0 }"
      "        blobs { data: 0.5 }"
      "        convolution_param { num_output: 4 kernel_size: 5 stride: 2 group: 2 pad: 2"
      "          bias_term: false weight_filler { type: 'xavier' } bias_filler { value: 1 } } }"
      "layer { name: 'pool1' type: 'Pooling' bottom: 'conv1' top: 'pool1'"
      "        pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 } }"
      "layer { name: 'norm1' type: 'LRN' bottom: 'pool1' top: 'norm1'"
      "        lrn_param { local_size: 3 alpha: 0.1 beta: 0.5 k: 2 } }"
      "layer { name: 'drop' type: 'Dropout' bottom: 'norm1' top: 'norm1'"
      "        dropout_param { dropout_ratio: 0.3 } }"
      "layer { name: 'ip' type: 'InnerProduct' bottom: 'norm1' top: 'ip'"
      "        inner_product_param { num_output: 10 bias_term: true } }"
      "layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'ip' bottom: 'label' }");
}

TEST(UpgradeNetTest, V0DataLayers) {
  ExpectUpgrade(
      "layers { layer { name: 'a' type: 'images' source: 'list' batchsize: 2 rand_skip: 1"
      "         shuffle_images: true new_height: 30 new_width: 40 } top: 'a' }"
      "layers { layer { name: 'b' type: 'window_data' source: 'list' batchsize: 2 cropsize: 7"
      "         det_fg_threshold: 0.6 det_bg_threshold: 0.4 det_fg_fraction: 0.3"
      "         det_context_pad: 16 det_crop_mode: 'square' } top: 'b' }"
      "layers { layer { name: 'c' type: 'hdf5_data' source: 'list' batchsize: 2 } top: 'c' }"
      "layers { layer { name: 'd' type: 'infogain_loss' source: 'gains' } bottom: 'a' }"
      "layers { layer { name: 'e' type: 'concat' concat_dim: 0 } bottom: 'a' bottom: 'b' top: 'e' }"
      "layers { layer { name: 'f' type: 'hdf5_output' hdf5_output_param { file_name: 'out' } }"
      "         bottom: 'e' }",
      "layer { name: 'a' type: 'ImageData' top: 'a' image_data_param { source: 'list'"
      "        batch_size: 2 rand_skip: 1 shuffle: true new_height: 30 new_width: 40 } }"
      "layer { name: 'b' type: 'WindowData' top: 'b' transform_param { crop_size: 7 }"
      "        window_data_param { source: 'list' batch_size: 2 fg_threshold: 0.6"
      "          bg_threshold: 0.4 fg_fraction: 0.3 context_pad: 16 crop_mode: 'square' } }"
      "layer { name: 'c' type: 'HDF5Data' top: 'c' hdf5_data_param { source: 'list'"
      "        batch_size: 2 } }"
      "layer { name: 'd' type: 'InfogainLoss' bottom: 'a' infogain_loss_param {"
      "        source: 'gains' } }"
      "layer { name: 'e' type: 'Concat' bottom: 'a' bottom: 'b' top: 'e'"
      "        concat_param { concat_dim: 0 } }"
      "layer { name: 'f' type: 'HDF5Output' bottom: 'e' hdf5_output_param { file_name: 'out' } }");
}

TEST(UpgradeNetTest, V0PaddingFeedsEachReader) {
  const NetParameter net = Parse(
      "input: 'data' input_dim: [1, 1, 8, 8]"
      "layers { layer { name: 'pad' type: 'padding' pad: 3 } bottom: 'data' top: 'data' }"
      "layers { layer { name: 'a' type: 'conv' } bottom: 'data' top: 'a' }"
      "layers { layer { name: 'b' type: 'pool' } bottom: 'data' top: 'b' }");
  NetParameter upgraded;
  UpgradeV0PaddingLayers(net, &upgraded);
  ASSERT_EQ(upgraded.layers_size(), 2);
  EXPECT_EQ(upgraded.layers(0).layer().pad(), 3u);
  EXPECT_EQ(upgraded.layers(1).layer().pad(), 3u);
  EXPECT_EQ(upgraded.layers(1).bottom(0), "data");
}

TEST(UpgradeNetTest, V0ThatCannotBeUpgraded) {
  const string error = UpgradeError("layers { layer { name: 'a' type: 'reshape' new_num: 1 } }");
  ExpectContains(error, "old.prototxt: cannot be upgraded: a: unknown V0 layer type \"reshape\"");
  ExpectContains(error, "innerproduct");
  ExpectContains(UpgradeError("layers { layer { name: 'a' type: 'images' new_width: -1 } }"),
                 "a: new_width is -1, expected 0 or more");
  ExpectContains(UpgradeError("layers { layer { name: 'a' type: 'relu' kernelsize: 3 } }"),
                 "a: a V0 layer of type \"relu\" has no field kernelsize; remove it");
  ExpectContains(UpgradeError("input: 'x' input_dim: [1, 1, 1, 1]"
                              "layers { layer { name: 'p' type: 'padding' pad: 1 }"
                              "         bottom: 'x' top: 'y' }"
                              "layers { layer { name: 'r' type: 'relu' } bottom: 'y' }"),
                 "r: a V0 padding layer (p) can feed only conv and pool layers, not relu");
  ExpectContains(UpgradeError("layers { layer { name: 'r' type: 'relu' } bottom: 'y' }"),
                 "r: unknown bottom blob \"y\"");
}

TEST(UpgradeNetTest, V1) {
  ExpectUpgrade(
      "name: 'v1' force_backward: true "
      "layers { name: 'conv' type: CONVOLUTION bottom: 'data' top: 'conv'"
      "         param: 'w' param: '' blob_share_mode: PERMISSIVE"
      "         blobs_lr: 1 blobs_lr: 2 weight_decay: 3"
      "         convolution_param { num_output: 2 kernel_size: 3 } blobs { data: 0.5 }"
      "         include { phase: TRAIN } exclude { stage: 'x' } loss_weight: 0.5 }"
      "layers { name: 'loss' type: SOFTMAX_LOSS bottom: 'conv' bottom: 'label'"
      "         loss_param { ignore_label: 3 } softmax_param { axis: 0 } }",
      "name: 'v1' force_backward: true "
      "layer { name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv'"
      "        param { name: 'w' share_mode: PERMISSIVE lr_mult: 1 decay_mult: 3 }"
      "        param { name: '' lr_mult: 2 }"
      "        convolution_param { num_output: 2 kernel_size: 3 } blobs { data: 0.5 }"
      "        include { phase: TRAIN } exclude { stage: 'x' } loss_weight: 0.5 }"
      "layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'conv' bottom: 'label'"
      "        loss_param { ignore_label: 3 } softmax_param { axis: 0 } }");
}

TEST(UpgradeNetTest, EveryV1TypeHasAName) {
  const auto& types = *V1LayerParameter::LayerType_descriptor();
  std::set<string> names;
  for (int i = 0; i < types.value_count(); ++i) {
    const auto type = static_cast<V1LayerParameter::LayerType>(types.value(i)->number());
    const string name = UpgradeV1LayerType(type);
    EXPECT_EQ(name.empty(), type == V1LayerParameter::NONE) << types.value(i)->name();
    names.insert(name);
  }
  EXPECT_EQ(static_cast<int>(names.size()), types.value_count()) << "two types have one name";
  EXPECT_STREQ(UpgradeV1LayerType(V1LayerParameter::SOFTMAX_LOSS), "SoftmaxWithLoss");
  EXPECT_CAFFE_ERROR(UpgradeV1LayerType(static_cast<V1LayerParameter::LayerType>(1000)),
                     "unknown V1 layer type 1000");
  EXPECT_EQ(UpgradeV0LayerType("innerproduct"), V1LayerParameter::INNER_PRODUCT);
}

TEST(UpgradeNetTest, EveryV1FieldIsCarriedOver) {
  // Each field by itself, with some value in it, must reach the upgraded layer.
  const auto& fields = *V1LayerParameter::descriptor();
  for (int i = 0; i < fields.field_count(); ++i) {
    const auto& field = *fields.field(i);
    const bool is_message = field.message_type() != nullptr;
    if (!is_message || field.name() == "layer") continue;
    V1LayerParameter v1;
    const auto* reflection = v1.GetReflection();
    if (field.is_repeated()) {
      reflection->AddMessage(&v1, &field);
    } else {
      reflection->MutableMessage(&v1, &field);
    }
    LayerParameter layer;
    UpgradeV1LayerParameter(v1, &layer);
    EXPECT_GT(layer.ByteSizeLong(), 0u) << field.name();
  }
}

TEST(UpgradeNetTest, MixedFormatsAreRefused) {
  ExpectContains(UpgradeError("layer { name: 'a' type: 'ReLU' } layers { name: 'b' type: RELU }"),
                 "both \"layer\" (1) and \"layers\" (1, the format of 2014); write all of them "
                 "as \"layer\"");
}

TEST(UpgradeNetTest, DataTransformations) {
  ExpectUpgrade(
      "layers { name: 'a' type: DATA top: 'a' data_param { source: 'db' batch_size: 2"
      "         scale: 0.5 mean_file: 'm' crop_size: 3 mirror: true } }"
      "layers { name: 'b' type: IMAGE_DATA top: 'b' image_data_param { source: 'l' scale: 2 }"
      "         transform_param { mirror: true } }"
      "layers { name: 'c' type: WINDOW_DATA top: 'c' window_data_param { mean_file: 'm' } }",
      "layer { name: 'a' type: 'Data' top: 'a' data_param { source: 'db' batch_size: 2 }"
      "        transform_param { scale: 0.5 mean_file: 'm' crop_size: 3 mirror: true } }"
      "layer { name: 'b' type: 'ImageData' top: 'b' image_data_param { source: 'l' }"
      "        transform_param { scale: 2 mirror: true } }"
      "layer { name: 'c' type: 'WindowData' top: 'c' window_data_param { }"
      "        transform_param { mean_file: 'm' } }");
}

TEST(UpgradeNetTest, InputFields) {
  const char* layer = "layer { name: 'r' type: 'ReLU' bottom: 'a' top: 'r' }";
  ExpectUpgrade(string("input: 'a' input: 'b' input_dim: [1, 2, 3, 4, 5, 6, 7, 8]") + layer,
                string("layer { name: 'input' type: 'Input' top: 'a' top: 'b' input_param {"
                       "  shape { dim: [1, 2, 3, 4] } shape { dim: [5, 6, 7, 8] } } }") +
                    layer);
  ExpectUpgrade(string("input: 'a' input_shape { dim: [2, 3] }") + layer,
                string("layer { name: 'input' type: 'Input' top: 'a' input_param {"
                       "  shape { dim: [2, 3] } } }") +
                    layer);
  ExpectUpgrade(
      "input: 'a' input_dim: [1, 1, 1, 1] layers { name: 'r' type: RELU bottom: 'a' top: 'r' }",
      string("layer { name: 'input' type: 'Input' top: 'a' input_param {"
             "  shape { dim: [1, 1, 1, 1] } } }") +
          layer);
}

TEST(UpgradeNetTest, InputFieldsThatCannotBeUpgraded) {
  ExpectContains(UpgradeError("input: 'a' input_dim: [1, 2, 3]"),
                 "the net has 1 inputs but 3 input_dim; give four for each");
  ExpectContains(UpgradeError("input: 'a' input: 'b' input_shape { dim: 1 }"),
                 "the net has 2 inputs but 1 input_shape; give one for each");
  ExpectContains(UpgradeError("input: 'a' input_shape { dim: 1 } input_dim: [1, 1, 1, 1]"),
                 "both input_shape and input_dim; keep input_shape");
  ExpectContains(UpgradeError("input: 'a' layer { name: 'r' }"),
                 "the net's input \"a\" has no shape; add an input_shape, or an Input layer");
}

TEST(UpgradeNetTest, WeightsKeepNoInputs) {
  NetParameter net = Parse("input: 'a' layer { name: 'ip' blobs { data: 1 } }");
  UpgradeNetAsNeeded("test", &net);
  ExpectSame(net, Parse("layer { name: 'ip' blobs { data: 1 } }"));
}

TEST(UpgradeNetTest, BatchNorm) {
  ExpectUpgrade(
      "layer { name: 'bn' type: 'BatchNorm' param { name: 'mean' lr_mult: 1 }"
      "        param { lr_mult: 0 } param { } }",
      "layer { name: 'bn' type: 'BatchNorm' param { name: 'mean' lr_mult: 0"
      "        decay_mult: 0 } param { lr_mult: 0 decay_mult: 0 }"
      "        param { lr_mult: 0 decay_mult: 0 } }");
  EXPECT_FALSE(
      NetNeedsUpgrade(Parse("layer { type: 'BatchNorm' param { lr_mult: 0 } param { lr_mult: 0 }"
                            "        param { lr_mult: 0 } }")));
  EXPECT_FALSE(NetNeedsUpgrade(Parse("layer { type: 'Scale' param { } param { } param { } }")));
}

TEST(UpgradeNetTest, ReadingAFileUpgrades) {
  string path;
  MakeTempFilename(&path);
  WriteFileAtomically(path, "layers { name: 'r' type: RELU bottom: 'a' top: 'r' }");
  NetParameter net;
  ReadNetParamsFromTextFileOrDie(path, &net);
  EXPECT_EQ(net.layer(0).type(), "ReLU");
  WriteProtoToBinaryFile(Parse("layers { layer { name: 'r' type: 'relu' } }"), path);
  ReadNetParamsFromBinaryFileOrDie(path, &net);
  EXPECT_EQ(net.layer(0).type(), "ReLU");
}

TEST(UpgradeNetTest, TheLogSaysWhatWasUpgraded) {
  string log;
  MakeTempFilename(&log);
  logging::SetLogFile(log);
  NetParameter net = Parse(
      "layers { name: 'r' type: RELU bottom: 'a' top: 'r' }"
      "layers { name: 'd' type: DATA top: 'd' data_param { scale: 2 } }");
  UpgradeNetAsNeeded("old.prototxt", &net);
  NetParameter today = Parse("layer { name: 'd' type: 'Data' data_param { crop_size: 3 } }");
  UpgradeNetAsNeeded("today.prototxt", &today);
  EXPECT_EQ(today.layer(0).data_param().crop_size(), 3u);
  logging::SetLogFile("");
  std::ifstream file(log);
  const string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_EQ(text[0], 'W');
  ExpectContains(text, "old.prototxt: upgraded the net from format V1");
  ExpectContains(text, "old.prototxt: upgraded the data layers' old transformation fields");
  ExpectContains(text,
                 "today.prototxt: layer d has scale, mean_file, crop_size or mirror in its "
                 "data parameters, where they are not read");
}

TEST(UpgradeSolverTest, SolverType) {
  const std::pair<const char*, const char*> types[] = {
      {"SGD", "SGD"},         {"NESTEROV", "Nesterov"}, {"ADAGRAD", "AdaGrad"},
      {"RMSPROP", "RMSProp"}, {"ADADELTA", "AdaDelta"}, {"ADAM", "Adam"}};
  for (const auto& type : types) {
    auto solver = Parse<SolverParameter>(string("net: 'n' solver_type: ") + type.first);
    EXPECT_TRUE(SolverNeedsTypeUpgrade(solver));
    EXPECT_TRUE(UpgradeSolverAsNeeded("solver", &solver));
    ExpectSame(solver, Parse<SolverParameter>(string("net: 'n' type: '") + type.second + "'"));
    EXPECT_FALSE(SolverNeedsTypeUpgrade(solver));
  }
  auto both = Parse<SolverParameter>("type: 'SGD' solver_type: ADAM");
  EXPECT_CAFFE_ERROR(UpgradeSolverAsNeeded("old.prototxt", &both),
                     "old.prototxt: the solver gives both type (\"SGD\") and the old solver_type "
                     "(ADAM); keep type");
}

TEST(UpgradeSolverTest, NetsInside) {
  auto solver = Parse<SolverParameter>(
      "net_param { layers { type: RELU } } train_net_param { layers { type: TANH } }"
      "test_net_param { layers { type: BNLL } }");
  UpgradeSolverAsNeeded("solver", &solver);
  EXPECT_EQ(solver.net_param().layer(0).type(), "ReLU");
  EXPECT_EQ(solver.train_net_param().layer(0).type(), "TanH");
  EXPECT_EQ(solver.test_net_param(0).layer(0).type(), "BNLL");
}

TEST(UpgradeSolverTest, SnapshotPrefix) {
  string folder;
  MakeTempDir(&folder);
  const string file = folder + "/my.solver.prototxt";
  const auto prefix_for = [&](const string& given) {
    WriteFileAtomically(file, "base_lr: 1 solver_type: ADAM " + given);
    SolverParameter solver;
    ReadSolverParamsFromTextFileOrDie(file, &solver);
    EXPECT_EQ(solver.type(), "Adam");
    return solver.snapshot_prefix();
  };
  EXPECT_EQ(prefix_for(""), folder + "/my.solver");
  EXPECT_EQ(prefix_for("snapshot_prefix: 'runs/a'"), "runs/a");
  EXPECT_EQ(prefix_for("snapshot_prefix: '" + folder + "'"), folder + "/my.solver");
  SolverParameter solver;
  UpgradeSnapshotPrefixProperty("solver", &solver);
  EXPECT_EQ(solver.snapshot_prefix(), "solver");
  solver.clear_snapshot_prefix();
  UpgradeSnapshotPrefixProperty("a.folder/.hidden", &solver);
  EXPECT_EQ(solver.snapshot_prefix(), "a.folder/.hidden");
}

}  // namespace
}  // namespace caffe
