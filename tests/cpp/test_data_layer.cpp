#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "caffe/data/records.hpp"
#include "caffe/layers/data_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "data_test_util.hpp"

namespace caffe {

namespace {

/** A Data layer with its tops. */
struct DataCase : LayerCase<float> {
  DataCase(const string& source, const string& data_param, const string& rest = "", int num_top = 2)
      : LayerCase<float>("name: 'data' type: 'Data' " + rest + " data_param { source: '" + source +
                             "' " + data_param + " }",
                         {}, num_top) {}
  /** The labels of the next batch, and its pixels where wanted. */
  vector<int> Labels() {
    Forward();
    const vector<float> labels = DataOf(*top[1]);
    return vector<int>(labels.begin(), labels.end());
  }
};

/** Labels and pixels of some batches. */
vector<float> Batches(DataCase* test, int batches) {
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

class DataLayerTest : public ::testing::Test {
 protected:
  DataLayerTest() { Caffe::set_random_seed(1701); }
  TempDir dir_;
};

const char* const kAugment = "phase: TRAIN transform_param { crop_size: 3 mirror: true }";

}  // namespace

TEST_F(DataLayerTest, GivesPixelsAndLabelsInTheOrderOfTheKeys) {
  WriteBytesDatabase(dir_ / "db", 5, 3, 4, 6);
  DataCase test(dir_ / "db", "batch_size: 2");
  test.SetUp();
  EXPECT_EQ(test.top[0]->shape(), vector<int>({2, 3, 4, 6}));
  EXPECT_EQ(test.top[1]->shape(), vector<int>({2}));
  EXPECT_EQ(test.Labels(), vector<int>({0, 1}));
  for (int i = 0; i < 2; ++i) {
    const string data = BytesDatum(3, 4, 6, i).data();
    for (int j = 0; j < 72; ++j) {
      ASSERT_EQ(test.top[0]->cpu_data()[i * 72 + j],
                static_cast<float>(static_cast<uchar>(data[j])));
    }
  }
  // The epoch ends within a batch.
  EXPECT_EQ(test.Labels(), vector<int>({2, 3}));
  EXPECT_EQ(test.Labels(), vector<int>({4, 0}));
  EXPECT_EQ(test.Labels(), vector<int>({1, 2}));
}

TEST_F(DataLayerTest, ABatchMayBeLargerThanTheDatabase) {
  WriteBytesDatabase(dir_ / "db", 3, 1, 2, 2);
  DataCase test(dir_ / "db", "batch_size: 7");
  test.SetUp();
  EXPECT_EQ(test.Labels(), vector<int>({0, 1, 2, 0, 1, 2, 0}));
  EXPECT_EQ(test.Labels(), vector<int>({1, 2, 0, 1, 2, 0, 1}));
}

TEST_F(DataLayerTest, OneTopHasNoLabels) {
  WriteBytesDatabase(dir_ / "db", 3, 1, 2, 2);
  DataCase test(dir_ / "db", "batch_size: 2", "", 1);
  test.SetUp();
  test.Forward();
  EXPECT_EQ(test.top[0]->shape(), vector<int>({2, 1, 2, 2}));
}

TEST_F(DataLayerTest, TheNumberOfWorkersChangesNothing) {
  WriteBytesDatabase(dir_ / "db", 11, 3, 6, 5);
  vector<vector<float>> results;
  for (const char* workers :
       {"num_workers: 1", "num_workers: 2", "num_workers: 5 prefetch: 1", ""}) {
    Caffe::set_random_seed(7);
    DataCase test(dir_ / "db", string("batch_size: 4 shuffle: true ") + workers, kAugment);
    test.SetUp();
    results.push_back(Batches(&test, 12));
  }
  for (size_t i = 1; i < results.size(); ++i) EXPECT_EQ(results[i], results[0]) << i;
  Caffe::set_random_seed(8);
  DataCase other(dir_ / "db", "batch_size: 4 shuffle: true", kAugment);
  other.SetUp();
  EXPECT_NE(Batches(&other, 12), results[0]);
}

TEST_F(DataLayerTest, ARecordIsAugmentedAnewInEachEpoch) {
  WriteBytesDatabase(dir_ / "db", 1, 1, 20, 20);
  DataCase test(dir_ / "db", "batch_size: 8", kAugment);
  test.SetUp();
  test.Forward();
  std::set<vector<float>> different;
  for (int i = 0; i < 8; ++i) {
    const float* row = test.top[0]->cpu_data() + 9 * i;
    different.insert(vector<float>(row, row + 9));
  }
  EXPECT_GT(different.size(), 4u);
}

TEST_F(DataLayerTest, ShufflingGivesEachRecordOnceAnEpoch) {
  WriteBytesDatabase(dir_ / "db", 10, 1, 1, 1);
  DataCase test(dir_ / "db", "batch_size: 10 shuffle: true");
  test.SetUp();
  std::set<vector<int>> orders;
  for (int epoch = 0; epoch < 3; ++epoch) {
    vector<int> labels = test.Labels();
    orders.insert(labels);
    std::sort(labels.begin(), labels.end());
    EXPECT_EQ(labels, vector<int>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  }
  EXPECT_EQ(orders.size(), 3u);
}

TEST_F(DataLayerTest, ARunGoesOnWithTheVeryNextRecord) {
  WriteBytesDatabase(dir_ / "db", 11, 3, 6, 5);
  for (const char* order : {"", " shuffle: true", " rand_skip: 5"}) {
    const string param = string("batch_size: 4 prefetch: 3") + order;
    Caffe::set_random_seed(7);
    DataCase whole(dir_ / "db", param, kAugment);
    whole.SetUp();
    Batches(&whole, 5);  // prefetched batches must not count
    LayerState state;
    whole.layer->SaveState(&state);
    EXPECT_EQ(state.records(), 20u);
    const vector<float> expected = Batches(&whole, 6);

    LayerState restored;
    ASSERT_TRUE(restored.ParseFromString(state.SerializeAsString()));
    Caffe::set_random_seed(99);
    DataCase resumed(dir_ / "db", param, kAugment);
    resumed.SetUp();
    Batches(&resumed, 2);
    resumed.layer->LoadState(restored);
    EXPECT_EQ(Batches(&resumed, 6), expected) << order;
  }
}

TEST_F(DataLayerTest, AStateOfSomethingElseIsRefused) {
  WriteBytesDatabase(dir_ / "db", 2, 1, 1, 1);
  DataCase test(dir_ / "db", "batch_size: 1");
  test.SetUp();
  LayerState state;
  state.set_data("nonsense");
  EXPECT_CAFFE_ERROR(test.layer->LoadState(state), "\"nonsense\"");
}

TEST_F(DataLayerTest, SolversShareTheRecordsInTrainingAndHaveAllInTesting) {
  WriteBytesDatabase(dir_ / "db", 7, 1, 1, 1);
  Caffe::set_solver_count(3);
  Caffe::set_solver_rank(1);
  DataCase train(dir_ / "db", "batch_size: 4", "phase: TRAIN");
  train.SetUp();
  const vector<int> first = train.Labels();
  const vector<int> second = train.Labels();
  DataCase test(dir_ / "db", "batch_size: 4", "phase: TEST");
  test.SetUp();
  const vector<int> tested = test.Labels();
  Caffe::set_solver_count(1);
  Caffe::set_solver_rank(0);
  EXPECT_EQ(first, vector<int>({1, 4, 0, 3}));  // records 1, 4, 7 and 10 of an endless walk
  EXPECT_EQ(second, vector<int>({6, 2, 5, 1}));
  EXPECT_EQ(tested, vector<int>({0, 1, 2, 3}));
}

TEST_F(DataLayerTest, RandSkipLeavesOutLessThanItSays) {
  WriteBytesDatabase(dir_ / "db", 10, 1, 1, 1);
  std::set<int> starts;
  for (int seed = 0; seed < 30; ++seed) {
    Caffe::set_random_seed(seed);
    DataCase test(dir_ / "db", "batch_size: 1 rand_skip: 3");
    test.SetUp();
    starts.insert(test.Labels()[0]);
  }
  EXPECT_EQ(starts, std::set<int>({0, 1, 2}));
}

TEST_F(DataLayerTest, EncodedImagesAndFloats) {
  Datum encoded;
  EncodeCVMatToDatum(RandomImage(3, 4, 5, 1), "png", &encoded);
  encoded.set_label(3);
  WriteDatabase(dir_ / "png", {encoded.SerializeAsString()});
  DataCase png(dir_ / "png", "batch_size: 1", "transform_param { force_gray: true }");
  png.SetUp();
  EXPECT_EQ(png.top[0]->shape(), vector<int>({1, 1, 4, 5}));
  EXPECT_EQ(png.Labels(), vector<int>({3}));

  Datum floats;
  floats.set_channels(2);
  floats.set_height(1);
  floats.set_width(1);
  floats.add_float_data(-1.5F);
  floats.add_float_data(2.5F);
  WriteDatabase(dir_ / "floats", {floats.SerializeAsString()});
  DataCase test(dir_ / "floats", "batch_size: 1", "transform_param { scale: 2 }");
  test.SetUp();
  test.Forward();
  EXPECT_EQ(DataOf(*test.top[0]), vector<float>({-3, 5}));
}

TEST_F(DataLayerTest, BatchesOfOneTakeTheShapeOfEachRecord) {
  WriteDatabase(dir_ / "db", {BytesDatum(1, 2, 3, 0).SerializeAsString(),
                              BytesDatum(1, 5, 4, 1).SerializeAsString()});
  DataCase test(dir_ / "db", "batch_size: 1");
  test.SetUp();
  for (int i = 0; i < 8; ++i) {
    test.Forward();
    const Datum datum = BytesDatum(1, i % 2 == 0 ? 2 : 5, i % 2 == 0 ? 3 : 4, i % 2);
    ASSERT_EQ(test.top[0]->shape(), vector<int>({1, 1, datum.height(), datum.width()}));
    ASSERT_EQ(test.top[0]->cpu_data()[test.top[0]->count() - 1],
              static_cast<float>(static_cast<uchar>(datum.data().back())));
  }
}

TEST_F(DataLayerTest, ABrokenRecordIsNamedWhenItsBatchIsDue) {
  vector<string> values;
  for (int i = 0; i < 6; ++i) values.push_back(BytesDatum(1, 2, 2, i).SerializeAsString());
  const auto error_of = [&](const string& broken) {
    static int count = 0;
    const string path = dir_ / ("db" + std::to_string(count++));
    vector<string> records = values;
    records[3] = broken;
    WriteDatabase(path, records);
    DataCase test(path, "batch_size: 2 num_workers: 3");
    test.SetUp();
    test.Forward();
    try {
      test.Forward();
    } catch (const Error& error) {
      const string who = "data (Data): record \"000003\" of the database " + path + ": ";
      EXPECT_EQ(string(error.what()).substr(0, who.size()), who);
      return string(error.what()).substr(who.size());
    }
    return string("no error");
  };
  EXPECT_EQ(error_of("\xff\xff\xff"), "cannot be parsed as a Datum (3 bytes)");
  Datum datum = BytesDatum(1, 2, 2, 3);
  datum.mutable_data()->resize(3);
  EXPECT_EQ(error_of(datum.SerializeAsString()),
            "the Datum has the shape 1 x 2 x 2, expected 4 bytes of data, got 3");
  EXPECT_EQ(error_of(BytesDatum(1, 3, 2, 3).SerializeAsString()),
            "all records of a batch must have the shape of the first, 1 x 2 x 2, got 1 x 3 x 2; "
            "crop or resize them, or use batch_size: 1");
  datum.set_encoded(true);
  EXPECT_EQ(error_of(datum.SerializeAsString()), "cannot be decoded as an image (3 bytes)");
  EXPECT_NE(error_of("").find("the Datum has the shape 0 x 0 x 0"), string::npos);
}

TEST_F(DataLayerTest, WhatIsWrongFromTheStartIsSaidInSetUp) {
  WriteBytesDatabase(dir_ / "db", 2, 3, 4, 4);
  const auto set_up = [this](const string& param, const string& rest = "") {
    DataCase(dir_ / "db", "backend: LMDB " + param, rest).SetUp();
  };
  EXPECT_CAFFE_ERROR(DataCase(dir_ / "none", "batch_size: 1").SetUp(),
                     "data (Data): database " + (dir_ / "none") + ": cannot open");
  EXPECT_CAFFE_ERROR(set_up(""), "batch_size must be at least 1, got 0");
  EXPECT_CAFFE_ERROR(set_up("batch_size: 1 num_workers: 0"), "num_workers must be at least 1");
  EXPECT_CAFFE_ERROR(set_up("batch_size: 1 prefetch: 0"), "prefetch must be at least 1");
  EXPECT_CAFFE_ERROR(set_up("batch_size: 1", "transform_param { crop_size: 5 }"),
                     "record \"000000\" of the database " + (dir_ / "db") +
                         ": the crop is larger than the image: crop 5 x 5, image 4 x 4");
  EXPECT_CAFFE_ERROR(set_up("batch_size: 1", "transform_param { mean_value: 1 mean_value: 2 }"),
                     "has 2 mean_value");
  WriteDatabase(dir_ / "empty", {});
  EXPECT_CAFFE_ERROR(DataCase(dir_ / "empty", "batch_size: 1").SetUp(), "is empty");
}

TEST_F(DataLayerTest, TheSchemasDefaultBackendReadsAnLmdb) {
  WriteBytesDatabase(dir_ / "db", 2, 1, 1, 1);
  DataCase test(dir_ / "db", "batch_size: 2");
  ASSERT_EQ(test.layer->layer_param().data_param().backend(), DataParameter_DB_LEVELDB);
  test.SetUp();
  EXPECT_EQ(test.Labels(), vector<int>({0, 1}));
  std::filesystem::create_directory(dir_ / "level");
  WriteText(dir_ / "level/CURRENT", "MANIFEST-000001");
  EXPECT_CAFFE_ERROR(DataCase(dir_ / "level", "batch_size: 2").SetUp(),
                     "data (Data): database " + (dir_ / "level") + ": this is a LevelDB");
}

TEST_F(DataLayerTest, ManyLayersReadOneDatabase) {
  WriteBytesDatabase(dir_ / "db", 6, 1, 2, 2);
  vector<std::unique_ptr<DataCase>> tests;
  for (int i = 0; i < 5; ++i) {
    tests.emplace_back(new DataCase(dir_ / "db", "batch_size: 4"));
    tests.back()->SetUp();
  }
  for (const auto& test : tests) EXPECT_EQ(test->Labels(), vector<int>({0, 1, 2, 3}));
  for (const auto& test : tests) EXPECT_EQ(test->Labels(), vector<int>({4, 5, 0, 1}));
}

namespace {

int NumThreads() {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    count += entry.is_directory() ? 1 : 0;
  }
  return count;
}

/** Once it stays the same for a while: the kernel lists a thread a moment longer than it lives. */
int SettledNumThreads() {
  int count = NumThreads();
  for (int unchanged = 0; unchanged < 10; ++unchanged) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const int now = NumThreads();
    if (now != count) unchanged = 0;
    count = now;
  }
  return count;
}

}  // namespace

TEST_F(DataLayerTest, ThreadsStartWithTheFirstForward) {
  WriteBytesDatabase(dir_ / "db", 6, 1, 2, 2);
  const int before = SettledNumThreads();
  DataCase test(dir_ / "db", "batch_size: 4 num_workers: 2");
  test.SetUp();
  EXPECT_EQ(NumThreads(), before);
  test.Forward();
  EXPECT_EQ(NumThreads(), before + 2);
  test.layer.reset();
  EXPECT_EQ(SettledNumThreads(), before);
}

TEST_F(DataLayerTest, ABatchIsStillThereWhenTheLayerIsGone) {
  WriteBytesDatabase(dir_ / "db", 3, 1, 2, 2);
  DataCase test(dir_ / "db", "batch_size: 3");
  test.SetUp();
  test.Forward();
  test.layer.reset();
  EXPECT_EQ(DataOf(*test.top[1]), vector<float>({0, 1, 2}));
}

TEST_F(DataLayerTest, AForkedChildReadsOnByItself) {
  WriteBytesDatabase(dir_ / "db", 9, 1, 2, 2);
  DataCase test(dir_ / "db", "batch_size: 4 num_workers: 2");
  test.SetUp();
  test.Forward();
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);  // so that a child that hangs fails the test, not the machine
    const bool right = test.Labels() == vector<int>({4, 5, 6, 7});
    test.layer.reset();
    _exit(right ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(test.Labels(), vector<int>({4, 5, 6, 7}));
}

TEST_F(DataLayerTest, StopsWhileItPrefetches) {
  WriteBytesDatabase(dir_ / "db", 50, 3, 60, 60);
  for (int i = 0; i < 10; ++i) {
    DataCase test(dir_ / "db", "batch_size: 20 num_workers: 4", kAugment);
    test.SetUp();
    test.Forward();
  }
}

}  // namespace caffe
