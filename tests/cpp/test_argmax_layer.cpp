#include "test_util.hpp"

namespace caffe {

namespace {

const vector<double> kRows = {3, 9, 1, 7, 2, 2, 8, -1};

/** The layer on the two rows of kRows, shaped 2 × 4 × 1 × 1 × 1 or as given. */
struct ArgMax {
  explicit ArgMax(const string& param, const vector<int>& shape = {2, 4})
      : run("type: 'ArgMax' argmax_param { " + param + " }", {shape}) {
    SetValues(kRows, run.bottom[0]);
    values = run.SetUp().Forward();
  }
  DoubleRun run;
  vector<double> values;
};

}  // namespace

TEST(ArgMaxLayerTest, IndicesOfEachImage) {
  ArgMax test("");
  EXPECT_EQ(test.run.top[0]->shape(), vector<int>({2, 1, 1}));
  EXPECT_EQ(test.values, vector<double>({1, 2}));
  ArgMax deep("top_k: 3", {2, 2, 1, 2, 1});
  EXPECT_EQ(deep.run.top[0]->shape(), vector<int>({2, 1, 3, 1, 1}));
  EXPECT_EQ(deep.values, vector<double>({1, 3, 0, 2, 1, 0}));  // of 2 and 2, the later first
}

TEST(ArgMaxLayerTest, IndicesAndValues) {
  ArgMax test("out_max_val: true top_k: 2");
  EXPECT_EQ(test.run.top[0]->shape(), vector<int>({2, 2, 2}));
  EXPECT_EQ(test.values, vector<double>({1, 3, 9, 7, 2, 1, 8, 2}));
}

TEST(ArgMaxLayerTest, AlongAnAxis) {
  ArgMax first("axis: 0");
  EXPECT_EQ(first.run.top[0]->shape(), vector<int>({1, 4}));
  EXPECT_EQ(first.values, vector<double>({0, 0, 1, 0}));
  ArgMax values("axis: 0 out_max_val: true");
  EXPECT_EQ(values.values, vector<double>({3, 9, 8, 7}));
  ArgMax middle("axis: -2 top_k: 2", {2, 2, 2});
  EXPECT_EQ(middle.run.top[0]->shape(), vector<int>({2, 2, 2}));
  EXPECT_EQ(middle.values, vector<double>({0, 0, 1, 1, 1, 0, 0, 1}));
}

TEST(ArgMaxLayerTest, NaNComesLast) {
  DoubleRun run("type: 'ArgMax' argmax_param { top_k: 4 }", {{1, 4}});
  SetValues<double>({std::nan(""), 1, std::nan(""), 5}, run.bottom[0]);
  EXPECT_EQ(run.SetUp().Forward(), vector<double>({3, 1, 2, 0}));
}

TEST(ArgMaxLayerTest, HasNoGradient) {
  ArgMax test("");
  EXPECT_CAFFE_ERROR(test.run.Backward({1, 1}), "indices have no gradient");
  SetGradients(kRows, test.run.bottom[0]);
  EXPECT_EQ(test.run.Backward({1, 1}, {false}), kRows);
}

TEST(ArgMaxLayerTest, Errors) {
  EXPECT_CAFFE_ERROR(ArgMax("top_k: 0"), "top_k is 0, expected 1 to 4 for a bottom of shape 2 4");
  EXPECT_CAFFE_ERROR(ArgMax("top_k: 5"), "top_k is 5, expected 1 to 4");
  EXPECT_CAFFE_ERROR(ArgMax("top_k: 3 axis: 0"), "top_k is 3, expected 1 to 2");
  EXPECT_CAFFE_ERROR(ArgMax("top_k: 4294967295"), "top_k is 4294967295");
  EXPECT_CAFFE_ERROR(ArgMax("axis: 2"), "axis 2 out of range");
  DoubleRun in_place("type: 'ArgMax'", {{2, 3}});
  EXPECT_CAFFE_ERROR(in_place.InPlace().SetUp(), "cannot work in place");
}

}  // namespace caffe
