#include <gtest/gtest.h>

#include "caffe/layers/hdf5_data_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/util/hdf5.hpp"
#include "data_test_util.hpp"

namespace caffe {

namespace {

/** Writes rows first … first + rows − 1: row i of "data" is {i, i + 0.5} and its label −i. */
void WriteRows(const string& path, int first, int rows, int label_rows = -1) {
  Blob<float> data(vector<int>{rows, 1, 2}), label(vector<int>{label_rows < 0 ? rows : label_rows});
  for (int i = 0; i < rows; ++i) {
    data.mutable_cpu_data()[2 * i] = static_cast<float>(first + i);
    data.mutable_cpu_data()[2 * i + 1] = static_cast<float>(first + i) + 0.5F;
  }
  for (int i = 0; i < label.count(); ++i) {
    label.mutable_cpu_data()[i] = static_cast<float>(-(first + i));
  }
  Hdf5Writer file(path);
  hdf5_save_nd_dataset(file.id(), "data", data);
  hdf5_save_nd_dataset(file.id(), "label", label);
  file.Commit();
}

class HDF5DataLayerTest : public ::testing::Test {
 protected:
  HDF5DataLayerTest() {
    Caffe::set_random_seed(1701);
    WriteRows(dir_ / "a.h5", 0, 4);
    WriteRows(dir_ / "b.h5", 4, 3);
    WriteText(dir_ / "list.txt", (dir_ / "a.h5") + "\n" + (dir_ / "b.h5") + "\n");
  }
  std::unique_ptr<LayerCase<double>> Make(const string& param, const string& rest = "") {
    std::unique_ptr<LayerCase<double>> test(new LayerCase<double>(
        "name: 'rows' type: 'HDF5Data' top: 'data' top: 'label' " + rest +
            " hdf5_data_param { source: '" + (dir_ / "list.txt") + "' " + param + " }",
        {}, 2));
    test->SetUp();
    return test;
  }
  /** The rows' numbers, after a check that all values are those of these rows. */
  static vector<int> Rows(LayerCase<double>* test) {
    test->Forward();
    vector<int> rows;
    for (int i = 0; i < test->top[0]->shape(0); ++i) {
      const double row = test->top[0]->cpu_data()[2 * i];
      EXPECT_EQ(test->top[0]->cpu_data()[2 * i + 1], row + 0.5);
      EXPECT_EQ(test->top[1]->cpu_data()[i], -row);
      rows.push_back(static_cast<int>(row));
    }
    return rows;
  }
  TempDir dir_;
};

}  // namespace

TEST_F(HDF5DataLayerTest, GivesTheRowsOfAllFilesInTurn) {
  const auto test = Make("batch_size: 5");
  EXPECT_EQ(test->top[0]->shape(), vector<int>({5, 1, 2}));
  EXPECT_EQ(test->top[1]->shape(), vector<int>({5}));
  EXPECT_EQ(Rows(test.get()), vector<int>({0, 1, 2, 3, 4}));
  EXPECT_EQ(Rows(test.get()), vector<int>({5, 6, 0, 1, 2}));
}

TEST_F(HDF5DataLayerTest, ABatchMayBeLargerThanAllFiles) {
  const auto test = Make("batch_size: 9");
  EXPECT_EQ(Rows(test.get()), vector<int>({0, 1, 2, 3, 4, 5, 6, 0, 1}));
}

TEST_F(HDF5DataLayerTest, ShuffledEpochsHoldAllRowsInOrdersOfTheirOwn) {
  const auto test = Make("batch_size: 7 shuffle: true");
  std::set<vector<int>> orders;
  bool b_came_first = false, a_came_first = false;
  for (int epoch = 0; epoch < 12; ++epoch) {
    vector<int> rows = Rows(test.get());
    orders.insert(rows);
    (rows[0] < 4 ? a_came_first : b_came_first) = true;
    // The rows of a file stay together.
    EXPECT_EQ(rows[1] < 4, rows[0] < 4);
    std::sort(rows.begin(), rows.end());
    EXPECT_EQ(rows, vector<int>({0, 1, 2, 3, 4, 5, 6}));
  }
  EXPECT_GT(orders.size(), 6u);
  EXPECT_TRUE(a_came_first && b_came_first);
}

TEST_F(HDF5DataLayerTest, ARunGoesOnWithTheVeryNextRow) {
  for (const char* param : {"batch_size: 3", "batch_size: 3 shuffle: true"}) {
    const auto whole = Make(param);
    for (int i = 0; i < 4; ++i) Rows(whole.get());
    LayerState state;
    whole->layer->SaveState(&state);
    EXPECT_EQ(state.records(), 12u);
    const auto resumed = Make(param);
    Rows(resumed.get());
    resumed->layer->LoadState(state);
    for (int i = 0; i < 6; ++i) EXPECT_EQ(Rows(resumed.get()), Rows(whole.get()));
  }
}

TEST_F(HDF5DataLayerTest, SolversShareTheRowsInTraining) {
  Caffe::set_solver_count(2);
  Caffe::set_solver_rank(1);
  const auto train = Make("batch_size: 4", "phase: TRAIN");
  const auto test = Make("batch_size: 4", "phase: TEST");
  const vector<int> trained = Rows(train.get()), tested = Rows(test.get());
  Caffe::set_solver_count(1);
  Caffe::set_solver_rank(0);
  EXPECT_EQ(trained, vector<int>({1, 3, 5, 0}));
  EXPECT_EQ(tested, vector<int>({0, 1, 2, 3}));
}

TEST_F(HDF5DataLayerTest, ErrorsNameTheFileAndTheDataset) {
  EXPECT_CAFFE_ERROR(Make(""), "rows (HDF5Data): hdf5_data_param batch_size must be at least 1");
  EXPECT_CAFFE_ERROR(Make("batch_size: 1", "transform_param { scale: 2 }"),
                     "transform_param does not apply");
  WriteRows(dir_ / "b.h5", 4, 3, 2);
  EXPECT_CAFFE_ERROR(Make("batch_size: 1"),
                     (dir_ / "b.h5") + ": the dataset label has 2 rows, data has 3");
  Blob<float> other(vector<int>{3, 1, 4}), label(vector<int>{3});
  {
    Hdf5Writer file(dir_ / "b.h5");
    hdf5_save_nd_dataset(file.id(), "data", other);
    file.Commit();
  }
  EXPECT_CAFFE_ERROR(Make("batch_size: 1"),
                     "rows (HDF5Data): " + (dir_ / "b.h5") + ": dataset /label");
  {
    Hdf5Writer file(dir_ / "b.h5");
    hdf5_save_nd_dataset(file.id(), "data", other);
    hdf5_save_nd_dataset(file.id(), "label", label);
    file.Commit();
  }
  EXPECT_CAFFE_ERROR(Make("batch_size: 1"),
                     (dir_ / "b.h5") + ": the rows of the dataset data have the shape 1 x 4, in " +
                         (dir_ / "a.h5") + " 1 x 2");
  WriteText(dir_ / "b.h5", "no HDF5");
  EXPECT_CAFFE_ERROR(Make("batch_size: 1"), "rows (HDF5Data): " + (dir_ / "b.h5"));
  WriteText(dir_ / "list.txt", "\n");
  EXPECT_CAFFE_ERROR(Make("batch_size: 1"), "list.txt: names no file");
  std::filesystem::remove(dir_ / "list.txt");
  EXPECT_CAFFE_ERROR(Make("batch_size: 1"), "list.txt: cannot be read: No such file");
}

TEST_F(HDF5DataLayerTest, AFileThatChangedIsNoticed) {
  const auto test = Make("batch_size: 4");
  Rows(test.get());
  WriteRows(dir_ / "b.h5", 4, 2);
  EXPECT_CAFFE_ERROR(test->Forward(), "b.h5: was changed: it had 3 rows, now 2");
}

}  // namespace caffe
