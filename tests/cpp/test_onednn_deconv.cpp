// Deconvolution by the passes of a convolution.
#include "onednn_test_util.hpp"

namespace caffe {

namespace {

string Deconv(const string& fields) {
  return "type: 'Deconvolution' convolution_param { weight_filler { type: 'xavier' } " + fields +
         " }";
}

struct Case {
  string fields;
  vector<int> shape;
};

vector<Case> Cases() {
  return {
      {"num_output: 21 kernel_size: 4 stride: 2 pad: 1", {2, 18, 6, 7}},
      {"num_output: 16 kernel_size: 3 pad: 1 bias_term: false", {1, 32, 20, 21}},
      {"num_output: 5 kernel_size: 3 dilation: 2", {2, 3, 5, 4}},
      {"num_output: 12 kernel_size: 2 stride: 2 group: 3", {2, 6, 5, 5}},
      {"num_output: 16 kernel_size: 4 stride: 2 pad: 1 group: 16 bias_term: false", {2, 16, 5, 5}},
      {"num_output: 7 kernel_h: 3 kernel_w: 1 stride_h: 2 stride_w: 1", {2, 9, 4, 6}},
      {"num_output: 8 kernel_size: 1", {3, 16, 1, 1}}};
}

}  // namespace

TEST(OnednnDeconvTest, OnTheHostAndInTheBackend) {
  for (const Case& one : Cases()) {
    for (const TestLayout& layout : TestLayouts()) {
      BackendPair pair(Deconv(one.fields), {one.shape});
      pair.SetUp();
      pair.ExpectSame(one.fields);
      pair.MoveBottoms(layout);
      pair.tolerance = kFloats;  // what is read is rounded on both sides, and computed in floats
      pair.ExpectForward(one.fields);
      pair.ExpectBackward(one.fields);
      pair.ExpectBackward(one.fields, {false});
      pair.tolerance = layout.narrow() ? 2 * kBFloats : kFloats;
      pair.ExpectBackward(one.fields, {}, true);
    }
  }
}

TEST(OnednnDeconvTest, OfBf16) {
  if (!onednn::HasBf16()) GTEST_SKIP() << "the processor has no bf16";
  for (const Case& one : Cases()) {
    BackendPair pair(Deconv(one.fields) + " precision: BF16", {one.shape});
    pair.SetUp();
    pair.tolerance = 2 * kBFloats;  // the bias is added to what is rounded already
    pair.ExpectSame(one.fields);
  }
}

TEST(OnednnDeconvTest, FollowsChangesOfShapeAndOfWeights) {
  BackendPair pair(Deconv("num_output: 16 kernel_size: 4 stride: 2 pad: 1"), {{2, 16, 6, 7}});
  pair.SetUp();
  unsigned seed = 1;
  for (const vector<int>& shape : vector<vector<int>>{
           {2, 16, 6, 7}, {1, 16, 6, 7}, {2, 16, 9, 3}, {2, 16, 6, 7}, {0, 16, 6, 7}}) {
    pair.FillBottoms(++seed, {shape});
    pair.FillParameters();
    pair.ExpectForward("another shape");
    if (shape[0] > 0) pair.ExpectBackward("another shape");
  }
}

TEST(OnednnDeconvTest, FrozenParametersKeepTheirGradients) {
  BackendPair pair(Deconv("num_output: 16 kernel_size: 3"), {{2, 16, 6, 7}});
  pair.SetUp();
  for (const int frozen : {0, 1}) {
    for (int i = 0; i < 2; ++i) {
      pair.plain.layer->set_param_propagate_down(i, i != frozen);
      pair.fast.layer->set_param_propagate_down(i, i != frozen);
    }
    pair.ExpectSame("frozen");
  }
}

}  // namespace caffe
