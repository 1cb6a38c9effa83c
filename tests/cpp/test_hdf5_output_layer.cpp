#include <gtest/gtest.h>

#include "caffe/layers/hdf5_output_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/util/hdf5.hpp"
#include "data_test_util.hpp"

namespace caffe {

namespace {

LayerCase<double> MakeOutput(const string& path, const vector<vector<int>>& shapes) {
  return LayerCase<double>(
      "name: 'out' type: 'HDF5Output' hdf5_output_param { file_name: '" + path + "' }", shapes, 0);
}

Blob<double>* Load(const string& path, const char* name, Blob<double>* blob) {
  const Hdf5Handle file = hdf5_open_file(path);
  hdf5_load_nd_dataset(file.get(), name, 1, kMaxBlobAxes, blob, true);
  return blob;
}

}  // namespace

TEST(HDF5OutputLayerTest, EachForwardAddsRowsToAFileThatCanBeRead) {
  const TempDir dir;
  WriteText(dir / "out.h5", "what was there before is replaced");
  LayerCase<double> test = MakeOutput(dir / "out.h5", {{2, 3, 4}, {2}});
  test.SetUp();
  vector<double> data, labels;
  Blob<double> read;
  for (int i = 0; i < 3; ++i) {
    SetData(RandomValues(24, 10U + i), test.bottom[0]);
    SetData(RandomValues(2, 20U + i), test.bottom[1]);
    for (const double value : DataOf(*test.bottom[0])) data.push_back(value);
    for (const double value : DataOf(*test.bottom[1])) labels.push_back(value);
    test.Forward();
    EXPECT_EQ(DataOf(*Load(dir / "out.h5", "data", &read)), data);
    EXPECT_EQ(read.shape(), vector<int>({2 * i + 2, 3, 4}));
    EXPECT_EQ(DataOf(*Load(dir / "out.h5", "label", &read)), labels);
  }
}

TEST(HDF5OutputLayerTest, BatchesMayHaveDifferentNumbersOfRows) {
  const TempDir dir;
  LayerCase<double> test = MakeOutput(dir / "out.h5", {{2, 3}, {2, 1}});
  test.SetUp();
  test.Forward();
  test.bottom[0]->Reshape({5, 3});
  test.bottom[1]->Reshape({5, 1});
  test.Forward();
  Blob<double> read;
  EXPECT_EQ(Load(dir / "out.h5", "data", &read)->shape(), vector<int>({7, 3}));
}

TEST(HDF5OutputLayerTest, ErrorsLeaveTheRowsAsTheyWere) {
  const TempDir dir;
  LayerCase<double> test = MakeOutput(dir / "out.h5", {{2, 3}, {2}});
  test.SetUp();
  test.Forward();
  test.bottom[1]->Reshape({3});
  EXPECT_CAFFE_ERROR(test.Forward(), "expected as many labels as rows of data, got 3 and 2");
  test.bottom[1]->Reshape({2, 2});
  EXPECT_CAFFE_ERROR(test.Forward(), "the rows of \"label\" had the shape before");
  test.bottom[1]->Reshape({2});
  test.bottom[0]->Reshape({2, 4});
  EXPECT_CAFFE_ERROR(
      test.Forward(),
      "the rows of \"data\" had the shape 3 before, now the bottom has the shape 2 4");
  Blob<double> read;
  EXPECT_EQ(Load(dir / "out.h5", "data", &read)->shape(), vector<int>({2, 3}));
  EXPECT_CAFFE_ERROR(MakeOutput(dir / "none/out.h5", {{2, 3}, {2}}).SetUp(),
                     "out (HDF5Output): " + (dir / "none/out.h5") + ": cannot be written");
  EXPECT_CAFFE_ERROR(MakeOutput("", {{2, 3}, {2}}).SetUp(), "has no file_name");
}

TEST(HDF5OutputLayerTest, GradientsAreZero) {
  const TempDir dir;
  LayerCase<double> test = MakeOutput(dir / "out.h5", {{2, 3}, {2}});
  test.SetUp();
  for (Blob<double>* blob : test.bottom) caffe_set(blob->count(), 5.0, blob->mutable_cpu_diff());
  test.Backward(1);
  EXPECT_EQ(DiffOf(*test.bottom[0]), vector<double>(6, 0));
  EXPECT_EQ(DiffOf(*test.bottom[1]), vector<double>(2, 5));
}

}  // namespace caffe
