#include <gtest/gtest.h>

#include "annotated_test_util.hpp"
#include "caffe/data/annotated_image.hpp"
#include "caffe/layers/annotated_data_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"

namespace caffe {

namespace {

/** An AnnotatedData layer with its tops. */
struct AnnotatedCase : LayerCase<float> {
  AnnotatedCase(const string& source, const string& data_param, const string& rest = "",
                int num_top = 2)
      : LayerCase<float>("name: 'data' type: 'AnnotatedData' " + rest + " data_param { source: '" +
                             source + "' backend: LMDB " + data_param + " }",
                         {}, num_top) {}
  vector<float> Labels() {
    Forward();
    return DataOf(*top[1]);
  }
};

vector<float> Batches(AnnotatedCase* test, int batches) {
  vector<float> all;
  for (int i = 0; i < batches; ++i) {
    test->Forward();
    for (const Blob<float>* blob : test->top) {
      const vector<float> values = DataOf(*blob);
      all.insert(all.end(), values.begin(), values.end());
    }
  }
  return all;
}

const char* const kAugment =
    "phase: TRAIN transform_param { mirror: true mean_value: 104 mean_value: 117 mean_value: 123 "
    "  resize_param { resize_mode: WARP height: 12 width: 16 interp_mode: LINEAR interp_mode: AREA "
    "    interp_mode: NEAREST interp_mode: CUBIC interp_mode: LANCZOS4 } "
    "  emit_constraint { emit_type: CENTER } "
    "  distort_param { brightness_prob: 0.5 brightness_delta: 32 contrast_prob: 0.5 "
    "    contrast_lower: 0.5 contrast_upper: 1.5 hue_prob: 0.5 hue_delta: 18 saturation_prob: 0.5 "
    "    saturation_lower: 0.5 saturation_upper: 1.5 random_order_prob: 0.1 } "
    "  expand_param { prob: 0.5 max_expand_ratio: 4 } "
    "  noise_param { prob: 0.3 saltpepper: true saltpepper_param { fraction: 0.1 value: 255 } } } "
    "annotated_data_param { batch_sampler { max_sample: 1 max_trials: 1 } "
    "  batch_sampler { sampler { min_scale: 0.3 max_scale: 1 min_aspect_ratio: 0.5 "
    "    max_aspect_ratio: 2 } sample_constraint { min_jaccard_overlap: 0.3 } max_sample: 1 "
    "    max_trials: 50 } }";

class AnnotatedDataLayerTest : public ::testing::Test {
 protected:
  AnnotatedDataLayerTest() { Caffe::set_random_seed(1701); }
  /** `count` records of one size; record i has i boxes of the label i, one in three difficult. */
  string WriteRecords(const string& name, int count) {
    vector<AnnotatedDatum> data;
    for (int i = 0; i < count; ++i) {
      data.push_back(RandomAnnotated(9, 12, static_cast<unsigned>(i)));
      for (int j = 0; j < i; ++j) {
        const float low = 0.0625F * static_cast<float>(j);
        AddBox(i, {low, low, low + 0.5F, low + 0.25F}, &data.back(), j % 3 == 0);
      }
    }
    WriteAnnotated(dir_ / name, data);
    return dir_ / name;
  }
  TempDir dir_;
};

}  // namespace

TEST_F(AnnotatedDataLayerTest, GivesPixelsAndARowForEachBox) {
  const string path = WriteRecords("db", 3);
  AnnotatedCase test(path, "batch_size: 3");
  test.SetUp();
  EXPECT_EQ(test.top[0]->shape(), vector<int>({3, 3, 9, 12}));
  EXPECT_EQ(test.top[1]->shape(), vector<int>({1, 1, 1, 8}));
  const vector<float> expected = {1, 1, 1, 0,      0,      0.5,    0.25,   1,  //
                                  2, 2, 1, 0,      0,      0.5,    0.25,   1,  //
                                  2, 2, 2, 0.0625, 0.0625, 0.5625, 0.3125, 0};
  EXPECT_EQ(test.Labels(), expected);
  EXPECT_EQ(test.top[1]->shape(), vector<int>({1, 1, 3, 8}));
  const cv::Mat image = RandomImage(3, 9, 12, 1);
  for (int c = 0; c < 3; ++c) {
    for (int h = 0; h < 9; ++h) {
      for (int w = 0; w < 12; ++w) {
        ASSERT_EQ(test.top[0]->data_at(1, c, h, w), image.at<cv::Vec3b>(h, w)[c]);
      }
    }
  }
}

TEST_F(AnnotatedDataLayerTest, ABatchWithoutBoxesHasARowOfMinusOnes) {
  WriteAnnotated(dir_ / "db", {RandomAnnotated(2, 2, 1), RandomAnnotated(2, 2, 2)});
  AnnotatedCase test(dir_ / "db", "batch_size: 2", kAugment);
  test.SetUp();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(test.Labels(), vector<float>(8, -1));
  EXPECT_EQ(test.top[1]->shape(), vector<int>({1, 1, 1, 8}));
}

TEST_F(AnnotatedDataLayerTest, WithoutAnnotationsTheDatumsLabelIsGiven) {
  vector<AnnotatedDatum> data;
  for (int i = 0; i < 3; ++i) {
    data.push_back(RandomAnnotated(2, 2, 1));
    data.back().clear_type();
    data.back().mutable_datum()->set_label(i + 5);
  }
  WriteAnnotated(dir_ / "db", data);
  AnnotatedCase plain(dir_ / "db", "batch_size: 3");
  plain.SetUp();
  EXPECT_EQ(plain.top[1]->shape(), vector<int>({3}));
  EXPECT_EQ(plain.Labels(), vector<float>({5, 6, 7}));
  AnnotatedCase boxes(dir_ / "db", "batch_size: 3", "annotated_data_param { anno_type: BBOX }");
  boxes.SetUp();
  EXPECT_EQ(boxes.Labels(), vector<float>(8, -1));
}

TEST_F(AnnotatedDataLayerTest, OneTopHasNoLabels) {
  AnnotatedCase test(WriteRecords("db", 3), "batch_size: 2", "", 1);
  test.SetUp();
  test.Forward();
  EXPECT_EQ(test.top[0]->shape(), vector<int>({2, 3, 9, 12}));
}

TEST_F(AnnotatedDataLayerTest, TheNumberOfWorkersChangesNothing) {
  const string path = WriteRecords("db", 7);
  vector<vector<float>> results;
  for (const char* workers : {"num_workers: 1", "num_workers: 2", "num_workers: 5 prefetch: 1"}) {
    Caffe::set_random_seed(7);
    AnnotatedCase test(path, string("batch_size: 4 shuffle: true ") + workers, kAugment);
    test.SetUp();
    results.push_back(Batches(&test, 12));
  }
  EXPECT_EQ(results[1], results[0]);
  EXPECT_EQ(results[2], results[0]);
  Caffe::set_random_seed(8);
  AnnotatedCase other(path, "batch_size: 4 shuffle: true", kAugment);
  other.SetUp();
  EXPECT_NE(Batches(&other, 12), results[0]);
}

TEST_F(AnnotatedDataLayerTest, ARunGoesOnWithTheVeryNextRecord) {
  const string path = WriteRecords("db", 7);
  for (const char* order : {"", " shuffle: true", " rand_skip: 5"}) {
    const string param = string("batch_size: 4 prefetch: 3") + order;
    Caffe::set_random_seed(7);
    AnnotatedCase whole(path, param, kAugment);
    whole.SetUp();
    Batches(&whole, 5);
    LayerState state;
    whole.layer->SaveState(&state);
    const vector<float> expected = Batches(&whole, 6);
    Caffe::set_random_seed(99);
    AnnotatedCase resumed(path, param, kAugment);
    resumed.SetUp();
    Batches(&resumed, 2);
    resumed.layer->LoadState(state);
    EXPECT_EQ(Batches(&resumed, 6), expected) << order;
  }
}

TEST_F(AnnotatedDataLayerTest, SolversShareTheRecords) {
  const string path = WriteRecords("db", 7);
  Caffe::set_solver_count(3);
  Caffe::set_solver_rank(2);
  AnnotatedCase train(path, "batch_size: 1", "phase: TRAIN");
  train.SetUp();
  vector<size_t> boxes;
  for (int i = 0; i < 4; ++i) boxes.push_back(train.Labels().size() / 8);
  Caffe::set_solver_count(1);
  Caffe::set_solver_rank(0);
  EXPECT_EQ(boxes, vector<size_t>({2, 5, 1, 4}));  // records 2, 5, 8 and 11 of an endless walk
}

TEST_F(AnnotatedDataLayerTest, ABrokenRecordIsReplacedByTheNextGoodOne) {
  vector<AnnotatedDatum> data;
  vector<string> values;
  for (int i = 0; i < 6; ++i) {
    data.push_back(RandomAnnotated(9, 12, static_cast<unsigned>(i)));
    AddBox(i + 1, {0, 0, 1, 1}, &data.back());
    values.push_back(data.back().SerializeAsString());
  }
  values[1] = "\xff\xff\xff";
  data[2].mutable_datum()->set_data("this is no JPEG");
  values[2] = data[2].SerializeAsString();
  WriteDatabase(dir_ / "db", values);
  for (const char* workers : {"num_workers: 1", "num_workers: 3"}) {
    for (const char* order : {"", " shuffle: true"}) {
      AnnotatedCase test(dir_ / "db", string("batch_size: 6 ") + workers + order);
      ::testing::internal::CaptureStderr();
      test.SetUp();
      vector<float> labels = test.Labels();
      Batches(&test, 3);
      const string log = ::testing::internal::GetCapturedStderr();
      ASSERT_EQ(labels.size(), 48u);
      vector<int> seen;
      for (int i = 0; i < 6; ++i) seen.push_back(static_cast<int>(labels[8 * i + 1]));
      if (*order == 0) {
        EXPECT_EQ(seen, vector<int>({1, 4, 4, 4, 5, 6}));
      }
      EXPECT_EQ(std::count(seen.begin(), seen.end(), 2) + std::count(seen.begin(), seen.end(), 3),
                0);
      const string name = "data (AnnotatedData): record \"00000";
      EXPECT_NE(log.find(name + "1\" of the database " + (dir_ / "db") +
                         ": cannot be parsed as an AnnotatedDatum (3 bytes)"),
                string::npos)
          << log;
      const size_t second =
          log.find(name + "2\" of the database " + (dir_ / "db") + ": cannot be decoded");
      ASSERT_NE(second, string::npos) << log;
      EXPECT_EQ(log.find(name + "2\"", second + 1), string::npos) << "reported twice: " << log;
    }
  }
}

TEST_F(AnnotatedDataLayerTest, AJpegThatIsCutOffIsBroken) {
  AnnotatedDatum datum = AnnotatedImageOf(RandomImage(3, 64, 64, 1), "jpg");
  const string jpeg = datum.datum().data();
  const auto decode = [&datum](const string& bytes) {
    datum.mutable_datum()->set_data(bytes);
    return DecodeAnnotated(datum, ImageColor::kColor).rows;
  };
  EXPECT_EQ(decode(jpeg), 64);
  EXPECT_EQ(decode(jpeg + "something behind it"), 64);
  // A thumbnail in a comment has an end of its own.
  const string comment("\xff\xfe\x00\x06\xff\xd9\xff\xd9", 8);
  const string with_comment = jpeg.substr(0, 2) + comment + jpeg.substr(2);
  EXPECT_EQ(decode(with_comment), 64);
  for (const size_t size : {jpeg.size() - 1, jpeg.size() / 2, size_t{4}, size_t{2}}) {
    EXPECT_CAFFE_ERROR(decode(jpeg.substr(0, size)), "the JPEG is cut off");
    EXPECT_CAFFE_ERROR(decode(with_comment.substr(0, size + 8)), "the JPEG is cut off");
  }
}

TEST_F(AnnotatedDataLayerTest, AReplacementIsAugmentedByItself) {
  const string good = RandomAnnotated(20, 20, 1).SerializeAsString();
  WriteDatabase(dir_ / "db", {good, "\xff", good});
  AnnotatedCase test(dir_ / "db", "batch_size: 3", "phase: TRAIN transform_param { crop_size: 5 }",
                     1);
  test.SetUp();
  const vector<float> pixels = Batches(&test, 1);
  EXPECT_FALSE(std::equal(pixels.begin() + 75, pixels.begin() + 150, pixels.begin() + 150));
}

TEST_F(AnnotatedDataLayerTest, TooManyBrokenRecordsAreAnError) {
  WriteDatabase(dir_ / "all", vector<string>(3, "\xff\xff"));
  EXPECT_CAFFE_ERROR(AnnotatedCase(dir_ / "all", "batch_size: 1").SetUp(),
                     "more than half of the 3 records are broken; one: record \"000001\"");
  vector<string> run(60, RandomAnnotated(2, 2, 1).SerializeAsString());
  std::fill_n(run.begin() + 1, 20, "\xff");
  WriteDatabase(dir_ / "run", run);
  AnnotatedCase in_a_row(dir_ / "run", "batch_size: 1");
  in_a_row.SetUp();
  in_a_row.Forward();
  EXPECT_CAFFE_ERROR(in_a_row.Forward(),
                     "20 records in a row are broken; the last: record \"000020\"");
  vector<string> values;
  for (int i = 0; i < 9; ++i) {
    values.push_back(i % 3 == 0 ? RandomAnnotated(2, 2, 1).SerializeAsString() : "\xff");
  }
  WriteDatabase(dir_ / "many", values);
  AnnotatedCase many(dir_ / "many", "batch_size: 3");
  many.SetUp();
  EXPECT_CAFFE_ERROR(Batches(&many, 4), "more than half of the 9 records are broken");
  // A database of another kind.
  WriteBytesDatabase(dir_ / "datum", 2, 3, 4, 4);
  EXPECT_CAFFE_ERROR(AnnotatedCase(dir_ / "datum", "batch_size: 1").SetUp(),
                     "cannot be parsed as an AnnotatedDatum");
}

TEST_F(AnnotatedDataLayerTest, DamagedRecordsNeverDoMoreThanFail) {
  std::mt19937 random(1);
  const cv::Mat picture = RandomImage(3, 20, 30, 1);
  int ended = 0;
  for (int round = 0; round < 40; ++round) {
    vector<string> values;
    for (int i = 0; i < 6; ++i) {
      AnnotatedDatum datum = AnnotatedImageOf(picture, round % 3 == 0 ? "png" : "jpg");
      AddBox(1, {0.25, 0.25, 0.75, 0.75}, &datum);
      string value = datum.SerializeAsString();
      if (i % 3 == 2) value.resize(random() % value.size());  // cut off
      for (int j = 0; j < 4 && i % 3 == 1; ++j) {
        value[random() % value.size()] = static_cast<char>(random());
      }
      values.push_back(value);
    }
    const string path = dir_ / ("db" + std::to_string(round));
    WriteDatabase(path, values);
    AnnotatedCase test(path, "batch_size: 4 num_workers: 2", kAugment);
    try {
      test.SetUp();
      for (int i = 0; i < 3; ++i) test.Forward();
      ++ended;
    } catch (const Error& error) {
      EXPECT_NE(string(error.what()).find("record \"00000"), string::npos) << error.what();
    }
  }
  EXPECT_GT(ended, 10);
}

TEST_F(AnnotatedDataLayerTest, GrayImagesBecomeColorUnlessAllAre) {
  const AnnotatedDatum gray = AnnotatedImageOf(RandomImage(1, 3, 4, 1));
  const AnnotatedDatum planes = AnnotatedImageOf(RandomImage(1, 3, 4, 2), "");
  WriteAnnotated(dir_ / "mixed", {gray, planes, RandomAnnotated(3, 4, 3)});
  AnnotatedCase mixed(dir_ / "mixed", "batch_size: 3", "transform_param { mean_value: 1 }");
  mixed.SetUp();
  mixed.Forward();
  EXPECT_EQ(mixed.top[0]->shape(), vector<int>({3, 3, 3, 4}));
  for (int item = 0; item < 2; ++item) {
    for (int c = 0; c < 3; ++c) {
      EXPECT_EQ(mixed.top[0]->data_at(item, c, 2, 3),
                static_cast<float>(RandomImage(1, 3, 4, 1 + item).at<uchar>(2, 3)) - 1);
    }
  }
  AnnotatedCase forced(dir_ / "mixed", "batch_size: 3", "transform_param { force_gray: true }");
  forced.SetUp();
  EXPECT_EQ(forced.top[0]->shape(), vector<int>({3, 1, 3, 4}));
  WriteAnnotated(dir_ / "gray", {gray, planes});
  AnnotatedCase all(dir_ / "gray", "batch_size: 2", "");
  all.SetUp();
  EXPECT_EQ(all.top[0]->shape(), vector<int>({2, 1, 3, 4}));
  AnnotatedCase color(dir_ / "gray", "batch_size: 2 force_encoded_color: true");
  color.SetUp();
  EXPECT_EQ(color.top[0]->shape(), vector<int>({2, 3, 3, 4}));
  color.Forward();
}

TEST_F(AnnotatedDataLayerTest, BoxesThatCanBeNoTargetAreLeftOut) {
  AnnotatedDatum datum = RandomAnnotated(4, 4, 1);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  AddBox(1, {nan, 0, 1, 1}, &datum);
  AddBox(2, {0.5, 0.5, 0.25, 1}, &datum);
  AddBox(3, {0.5, 0.5, 0.5, 1}, &datum);
  AddBox(4, {1.5, 0, 2, 1}, &datum);
  AddBox(5, {-1, 0.5, 0.5, std::numeric_limits<float>::infinity()}, &datum);
  AddBox(6, {-1, 0.5, 0.5, 7}, &datum);
  WriteAnnotated(dir_ / "db", {datum});
  AnnotatedCase test(dir_ / "db", "batch_size: 1");
  ::testing::internal::CaptureStderr();
  test.SetUp();
  EXPECT_EQ(test.Labels(), vector<float>({0, 6, 6, 0, 0.5, 0.5, 1, 0}));
  const string log = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("data (AnnotatedData): record \"000000\": 5 box(es) left out; the first, "
                     "(nan, 0, 1, 1) is not finite"),
            string::npos)
      << log;
}

TEST_F(AnnotatedDataLayerTest, LabelsAreCheckedWithTheLabelMap) {
  const string path = WriteRecords("db", 4);
  const auto set_up = [&](const string& map, int batches = 1) {
    WriteText(dir_ / "map", map);
    AnnotatedCase test(path, "batch_size: 4",
                       "annotated_data_param { label_map_file: '" + (dir_ / "map") + "' }");
    test.SetUp();
    Batches(&test, batches);
  };
  const auto item = [](int label) {
    return "item { name: 'c" + std::to_string(label) + "' label: " + std::to_string(label) + " } ";
  };
  set_up(item(0) + item(1) + item(2) + item(3), 2);
  EXPECT_CAFFE_ERROR(set_up(item(0) + item(1) + item(2)),
                     "data (AnnotatedData): record \"000003\" of the database " + path +
                         ": has the label 3, which is not in the label map " + (dir_ / "map") +
                         "; its largest label is 2");
  EXPECT_CAFFE_ERROR(set_up(item(0) + item(0)), "label 0 is both \"c0\" and \"c0\"");
  EXPECT_CAFFE_ERROR(set_up("item { name: 'x' }"), "needs a name and a label");
  EXPECT_CAFFE_ERROR(set_up(""), "map");
  EXPECT_CAFFE_ERROR(set_up("itom { }"), "itom");
}

TEST_F(AnnotatedDataLayerTest, ALabelBelowZeroIsAnError) {
  AnnotatedDatum datum = RandomAnnotated(2, 2, 1);
  AddBox(-1, {0, 0, 1, 1}, &datum);
  WriteAnnotated(dir_ / "db", {datum});
  EXPECT_CAFFE_ERROR(AnnotatedCase(dir_ / "db", "batch_size: 1").SetUp(),
                     "record \"000000\" of the database " + (dir_ / "db") +
                         ": has the label -1, expected 0 to 16777216");
}

TEST_F(AnnotatedDataLayerTest, WhatIsWrongFromTheStartIsSaidInSetUp) {
  const string path = WriteRecords("db", 2);
  const auto set_up = [&](const string& transform, const string& sampler = "") {
    AnnotatedCase(path, "batch_size: 1",
                  "transform_param { " + transform + " } annotated_data_param { " + sampler + " }")
        .SetUp();
  };
  EXPECT_CAFFE_ERROR(set_up("crop_size: 10"), "crop 10 x 10, image 9 x 12");
  EXPECT_CAFFE_ERROR(set_up("mean_value: 1 mean_value: 2"), "has 2 mean_value");
  EXPECT_CAFFE_ERROR(set_up("resize_param { width: 3 }"),
                     "expected height and width from 1 to 100000, got 0 and 3");
  EXPECT_CAFFE_ERROR(set_up("resize_param { height: 3 width: 3 height_scale: 3 }"),
                     "both of height_scale and width_scale");
  EXPECT_CAFFE_ERROR(set_up("resize_param { resize_mode: FIT_LARGE_SIZE_AND_PAD height: 3 width: 3 "
                            "pad_value: 1 pad_value: 2 }"),
                     "has 2 pad_value for an image of 3 channel(s)");
  EXPECT_CAFFE_ERROR(set_up("distort_param { brightness_delta: -1 }"), "brightness_delta");
  EXPECT_CAFFE_ERROR(set_up("distort_param { hue_delta: nan }"), "hue_delta");
  EXPECT_CAFFE_ERROR(
      set_up("distort_param { contrast_prob: 1 contrast_lower: 2 contrast_upper: 1 }"),
      "contrast_lower must be at least 0 and at most contrast_upper, got 2 and 1");
  EXPECT_CAFFE_ERROR(set_up("expand_param { max_expand_ratio: 0.5 }"), "from 1 to 100, got 0.5");
  EXPECT_CAFFE_ERROR(set_up("noise_param { jpeg: 101 }"), "quality up to 100, got 101");
  EXPECT_CAFFE_ERROR(set_up("",
                            "batch_sampler { } batch_sampler { sampler { min_scale: 0.5 "
                            "max_scale: 0.25 } }"),
                     "batch_sampler 1: min_scale 0.5 is above max_scale 0.25");
  EXPECT_CAFFE_ERROR(set_up("", "batch_sampler { sampler { min_scale: 0 } }"),
                     "scales must be above 0 and at most 1, got 0 to 1");
  EXPECT_CAFFE_ERROR(set_up("", "batch_sampler { sampler { max_scale: 1.5 } }"), "got 1 to 1.5");
  EXPECT_CAFFE_ERROR(set_up("", "batch_sampler { sampler { min_aspect_ratio: 0 } }"),
                     "aspect ratios must be above 0 and finite, got 0 to 1");
  EXPECT_CAFFE_ERROR(set_up("", "batch_sampler { sampler { max_aspect_ratio: inf } }"), "finite");
  EXPECT_CAFFE_ERROR(set_up("",
                            "batch_sampler { sample_constraint { min_jaccard_overlap: 0.5 "
                            "max_jaccard_overlap: 0.25 } }"),
                     "batch_sampler 0: min_jaccard_overlap 0.5 is above max_jaccard_overlap 0.25");
  EXPECT_CAFFE_ERROR(AnnotatedCase(dir_ / "none", "batch_size: 1").SetUp(), "cannot open");
  WriteDatabase(dir_ / "empty", {});
  EXPECT_CAFFE_ERROR(AnnotatedCase(dir_ / "empty", "batch_size: 1").SetUp(),
                     "database " + (dir_ / "empty") + ": is empty");
}

TEST_F(AnnotatedDataLayerTest, ImagesOfOneBatchMustAgreeInSize) {
  WriteAnnotated(dir_ / "db", {RandomAnnotated(4, 4, 1), RandomAnnotated(4, 5, 1)});
  AnnotatedCase test(dir_ / "db", "batch_size: 2");
  test.SetUp();
  EXPECT_CAFFE_ERROR(test.Forward(), "all records of a batch must have the shape of the first");
  AnnotatedCase one(dir_ / "db", "batch_size: 1",
                    "transform_param { resize_param { resize_mode: FIT_SMALL_SIZE height: 8 "
                    "width: 8 } }");
  one.SetUp();
  one.Forward();
  EXPECT_EQ(one.top[0]->shape(), vector<int>({1, 3, 8, 8}));
  one.Forward();
  EXPECT_EQ(one.top[0]->shape(), vector<int>({1, 3, 8, 10}));
}

TEST_F(AnnotatedDataLayerTest, TinyImagesGoThroughTheWholeAugmentation) {
  vector<AnnotatedDatum> data;
  for (const auto& size : {cv::Size(1, 1), cv::Size(1, 40), cv::Size(40, 1), cv::Size(2, 3)}) {
    data.push_back(RandomAnnotated(size.height, size.width, 5));
    AddBox(1, {0.25, 0.25, 0.75, 0.75}, &data.back());
  }
  WriteAnnotated(dir_ / "db", data);
  for (const char* mode : {"WARP", "FIT_LARGE_SIZE_AND_PAD"}) {
    string augment = kAugment;
    augment.replace(augment.find("WARP"), 4, mode);
    AnnotatedCase test(dir_ / "db", "batch_size: 8", augment);
    test.SetUp();
    for (int i = 0; i < 20; ++i) {
      const vector<float> labels = test.Labels();
      for (size_t j = 0; j < labels.size(); j += 8) {
        if (labels[j] < 0) continue;
        EXPECT_LT(labels[j + 3], labels[j + 5]);
        EXPECT_LT(labels[j + 4], labels[j + 6]);
        for (int k = 3; k < 7; ++k) EXPECT_TRUE(labels[j + k] >= 0 && labels[j + k] <= 1);
      }
    }
  }
}

}  // namespace caffe
