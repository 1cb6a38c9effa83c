#include <random>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/util/io.hpp"

namespace caffe {
namespace {

/** The error that reading the text gives, or "" for none. */
string ErrorOf(const string& text, Message* message) {
  try {
    ReadProtoFromText(text, "net.prototxt", message);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

string NetError(const string& text) {
  NetParameter net;
  return ErrorOf(text, &net);
}

string SolverError(const string& text) {
  SolverParameter solver;
  return ErrorOf(text, &solver);
}

void ExpectStartsWith(const string& text, const string& start) {
  EXPECT_EQ(text.substr(0, start.size()), start);
}

void ExpectContains(const string& text, const string& part) {
  EXPECT_NE(text.find(part), string::npos) << text << "\nshould contain: " << part;
}

TEST(TextFormatTest, UnknownFieldIsNamedWithItsPlaceAndTheNearestNames) {
  EXPECT_EQ(NetError("layer {\n  name: \"conv1\"\n  convolution_param {\n\tkernal_size: 3\n  }\n}"),
            "net.prototxt:4:2: ConvolutionParameter has no field \"kernal_size\"; the nearest "
            "names are kernel_size, kernel_h, kernel_w (in layer \"conv1\")");
  // The place is the name's, though the parser stops at the next word.
  ExpectStartsWith(NetError("layer { foo # a comment\n\n  : 1 }"), "net.prototxt:1:9: ");
}

TEST(TextFormatTest, ColumnsCountCharacters) {
  ExpectStartsWith(NetError("name: \"é\" \t nane: 1"), "net.prototxt:1:13: ");
}

TEST(TextFormatTest, FieldsOfForksAreNamed) {
  ExpectContains(NetError("layer { roi_pooling_param { pooled_h: 7 } }"),
                 "LayerParameter has no field \"roi_pooling_param\"; it is a field of "
                 "py-faster-rcnn");
  ExpectContains(NetError("layer { convolution_param { hole: 2 } }"),
                 "it is a field of DeepLab; the name is dilation now");
  ExpectContains(NetError("default_forward_type: FLOAT16"), "it is a field of NVCaffe");
  ExpectContains(SolverError("rampup_lr: 0.1"), "warmup_start_lr is the name here");
}

TEST(TextFormatTest, FieldOfAnotherMessage) {
  ExpectContains(NetError("net: \"train.prototxt\" base_lr: 0.1"),
                 "NetParameter has no field \"net\"; is this the file of a solver?");
  ExpectContains(SolverError("layer { name: \"a\" }"), "is this the file of a net?");
  ExpectContains(NetError("item { name: \"a\" label: 1 }"), "is this the file of a label map?");
  ExpectContains(NetError("layer { num_output: 3 }"),
                 "it belongs inside center_loss_param, convolution_param, embed_param, …;");
  ExpectContains(NetError("layer {\n name: \"a\"\nlayer {\n name: \"b\" }"),
                 "net.prototxt:3:1: LayerParameter has no field \"layer\"; the NetParameter around "
                 "it has one: is a } missing before it?");
}

TEST(TextFormatTest, DuplicateOfASingularField) {
  EXPECT_EQ(NetError("layer {\n  name: \"a\"\n  name: \"b\"\n}"),
            "net.prototxt:3:3: \"name\" is given more than once, the first time in line 2 "
            "(in layer \"a\")");
}

TEST(TextFormatTest, WrongValues) {
  EXPECT_EQ(NetError("layer { pooling_param { pool: MEAN } }"),
            "net.prototxt:1:31: MEAN is not a value of pool; the values are MAX, AVE, STOCHASTIC");
  EXPECT_EQ(NetError("layer { pooling_param { pool: 9 } }"),
            "net.prototxt:1:31: 9 is not a value of pool; the values are MAX, AVE, STOCHASTIC");
  EXPECT_EQ(NetError("layer { pooling_param { global_pooling: yes } }"),
            "net.prototxt:1:41: yes is not a value of global_pooling; the values are true, false");
  ExpectContains(NetError("layer { pooling_param { kernel_size: big } }"),
                 "net.prototxt:1:38: kernel_size (uint32): expected integer");
  ExpectContains(NetError("layer { pooling_param { kernel_size: 99999999999 } }"),
                 "kernel_size (uint32): integer out of range");
  ExpectContains(NetError("layer { name: 5 }"), "net.prototxt:1:15: name (string): expected");
  ExpectContains(NetError("layer { clip_param { min: 1 } }"),
                 "layer[0].clip_param.max must be given");
}

TEST(TextFormatTest, TruncatedText) {
  EXPECT_EQ(NetError("name: \"net\"\nlayer {\n  name: \"a\"\n  param {\n lr_mult: 1\n"),
            "net.prototxt:6:1: the text ends before the } that closes param (opened in line 4) "
            "(in layer \"a\")");
  ExpectContains(NetError("layer { name: \"half of a na"), "the text ends before the }");
  ExpectContains(NetError("name:"), "the text ends after \"name\"");
  ExpectContains(NetError("name: \"a\"\n}"), "net.prototxt:2:1: this } closes nothing");
}

TEST(TextFormatTest, EditorsMarks) {
  NetParameter net;
  ReadProtoFromText("\xef\xbb\xbfname: \"a\"\r\nlayer { name: \"b\" }\r\n", "windows", &net);
  EXPECT_EQ(net.layer(0).name(), "b");
  EXPECT_CAFFE_ERROR(ReadProtoFromText(string("\xff\xfen\0a\0", 6), "wide", &net),
                     "wide: is UTF-16; save it as UTF-8");
}

TEST(TextFormatTest, FailureLeavesTheMessage) {
  NetParameter net;
  net.set_name("kept");
  EXPECT_NE(ErrorOf("name: \"other\" layer { nam: 1 }", &net), "");
  EXPECT_EQ(net.name(), "kept");
}

TEST(TextFormatTest, BothNamesOfMultiBoxLossNumber24) {
  NetParameter net;
  ReadProtoFromText(
      "layer { multibox_loss_param { objectness_score: 0.25 center_loss_weight: 0.5 } }", "net",
      &net);
  const MultiBoxLossParameter& param = net.layer(0).multibox_loss_param();
  EXPECT_EQ(param.objectness_score(), 0.25f);
  EXPECT_EQ(param.center_loss_weight(), 0.5f);
  EXPECT_EQ(MultiBoxLossParameter::kObjectnessScoreFieldNumber, 24);
}

TEST(TextFormatTest, LaterFieldsOfCaffe) {
  NetParameter net;
  ReadProtoFromText(
      "layer { type: \"Clip\" clip_param { min: -1 max: 1 } }"
      "layer { type: \"Swish\" swish_param { beta: 2 } }"
      "layer { type: \"Pooling\" pooling_param { round_mode: FLOOR } }",
      "net", &net);
  EXPECT_EQ(net.layer(1).swish_param().beta(), 2);
  EXPECT_EQ(net.layer(2).pooling_param().round_mode(), PoolingParameter::FLOOR);
  SolverParameter solver;
  ReadProtoFromText("weights: \"a.caffemodel\" weights: \"b.h5\" layer_wise_reduce: false",
                    "solver", &solver);
  EXPECT_EQ(solver.weights(1), "b.h5");
  EXPECT_FALSE(solver.layer_wise_reduce());
}

/** A text with most of what the format allows, for mutations. */
const char kText[] =
    "name: \"net\"  # comment with { and \"\n"
    "input: \"data\" input_shape < dim: [1, 3, -4] >\n"
    "layer {\n\tname: 'conv1' type: \"Convolution\" bottom: \"data\" top: \"a\" \"b\"\n"
    "  param { lr_mult: 1e-3 } param { lr_mult: .5f decay_mult: inf; }\n"
    "  convolution_param: { num_output: 0x10 kernel_size: [3, 3], bias_term: false\n"
    "    weight_filler { type: \"xavier\" variance_norm: AVERAGE } }\n"
    "  include { phase: TRAIN not_stage: \"\\\"\\n\\303\\251\" }\n}\n"
    "layers { type: RELU layer { name: \"v0\" } blobs { data: -1.5 } }\n";

/** Every outcome but a crash or a hang is right: parsed, or an Error that has a place. */
void ExpectSurvives(const string& text) {
  NetParameter net;
  const string error = ErrorOf(text, &net);
  if (!error.empty()) ExpectStartsWith(error, "net.prototxt:");
}

TEST(TextFormatTest, TruncationAtEveryByte) {
  const string text(kText);
  EXPECT_EQ(NetError(text), "");
  for (size_t size = 0; size < text.size(); ++size) ExpectSurvives(text.substr(0, size));
}

TEST(TextFormatTest, RandomMutations) {
  std::mt19937 random(20);
  const string bytes = string("{}<>[]:,;#\"'\\\n\t 0a-._\xff", 22) + string(1, '\0');
  for (int round = 0; round < 5000; ++round) {
    string text(kText);
    for (int change = 0; change <= round % 4; ++change) {
      const size_t at = random() % text.size();
      const char byte = bytes[random() % bytes.size()];
      switch (random() % 4) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.insert(at, 1, byte);
          break;
        case 2:
          text.erase(at, 1 + random() % 9);
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), random() % 40));
      }
      if (text.empty()) text = kText;
    }
    ExpectSurvives(text);
  }
}

}  // namespace
}  // namespace caffe
