// Overrides of several inputs in the layout of one of them: Eltwise, Concat.
#include "onednn_test_util.hpp"

namespace caffe {

namespace {

string Eltwise(const string& fields) { return "type: 'Eltwise' eltwise_param { " + fields + " }"; }

/** Alternating places: the host, another layout, the given one. */
void ScatterBottoms(BackendPair* pair, const TestLayout& layout, unsigned first) {
  pair->MoveBottoms(layout);
  for (size_t i = 0; i < pair->fast.bottom.size(); ++i) {
    Blob<float>* blob = pair->fast.bottom[i];
    const unsigned place = (first + static_cast<unsigned>(i)) % 3;
    if (place == 1) blob->mutable_cpu_data();
    if (place == 2) {
      MoveToBackend(blob->shape(), blob->data().get(),
                    TestLayout{dnnl::memory::format_tag::nChw8c});
    }
  }
}

}  // namespace

TEST(OnednnJoinTest, EltwiseOnTheHostAndInTheBackend) {
  for (const string& fields :
       vector<string>{"", "coeff: 1 coeff: -0.5 coeff: 2", "operation: PROD", "operation: MAX",
                      "operation: PROD stable_prod_grad: false"}) {
    const vector<vector<int>> shapes(3, {2, 21, 5, 7});
    BackendPair host(Eltwise(fields), shapes);
    host.SetUp().ExpectSame(fields);
    if (fields.find("false") != string::npos) continue;  // plain alone
    for (const TestLayout& layout : TestLayouts()) {
      BackendPair pair(Eltwise(fields), shapes);
      pair.SetUp();
      ExpectSameOnBackend(&pair, fields, layout);
    }
  }
}

TEST(OnednnJoinTest, EltwiseOfManyElementsIsTheSameForAnyThreads) {
  for (const string& fields : vector<string>{"", "operation: PROD", "operation: MAX"}) {
    BackendPair pair(Eltwise(fields), vector<vector<int>>(2, {2, 40, 30, 31}));
    pair.SetUp();
    ExpectSameOnBackend(&pair, fields);
  }
}

TEST(OnednnJoinTest, EltwiseOfBottomsInDifferentPlaces) {
  for (const string& fields : vector<string>{"", "operation: PROD", "operation: MAX"}) {
    for (const TestLayout& layout : TestLayouts()) {
      for (const unsigned first : {0U, 1U, 2U}) {
        BackendPair pair(Eltwise(fields), vector<vector<int>>(3, {2, 21, 5, 7}));
        pair.SetUp();
        ScatterBottoms(&pair, layout, first);
        pair.ExpectForward(fields);
        pair.ExpectBackward(fields, {true, false, true});
        pair.ExpectBackward(fields, {}, true);
      }
    }
  }
}

TEST(OnednnJoinTest, EltwiseGivesTheGradientOfEqualValuesAsThePlainOne) {
  BackendPair pair(Eltwise("operation: MAX"), vector<vector<int>>(3, {1, 16, 4, 4}));
  pair.SetUp();
  for (int i = 0; i < 3; ++i) {
    SetValues(vector<float>(256, 1), pair.fast.bottom[i]);
    SetValues(vector<double>(256, 1), pair.plain.bottom[i]);
  }
  ExpectSameOnBackend(&pair, "of equal values");
}

TEST(OnednnJoinTest, EltwiseShowsNaNs) {
  for (const string& fields : vector<string>{"", "operation: PROD"}) {
    LayerRun<float> run(Eltwise(fields), vector<vector<int>>(2, {1, 16, 2, 2}));
    run.SetUp();
    run.bottom[1]->mutable_cpu_data()[5] = std::numeric_limits<float>::quiet_NaN();
    for (Blob<float>* blob : run.bottom) MoveToBackend({1, 16, 2, 2}, blob->data().get());
    const vector<float> top = run.Forward();
    EXPECT_TRUE(std::isnan(top[5]));
    EXPECT_FALSE(std::isnan(top[4]));
  }
}

TEST(OnednnJoinTest, ConcatOfChannelsStaysInTheBackend) {
  // All but the last fill their blocks; the last need not.
  for (const vector<int>& channels : vector<vector<int>>{{16, 32}, {32, 21}, {16}, {48, 16, 5}}) {
    for (const int num : {1, 2}) {
      vector<vector<int>> shapes;
      for (const int c : channels) shapes.push_back({num, c, 5, 7});
      for (const TestLayout& layout : TestLayouts()) {
        BackendPair pair("type: 'Concat'", shapes);
        pair.SetUp();
        ExpectSameOnBackend(&pair, pair.fast.top[0]->shape_string(), layout);
      }
    }
  }
}

TEST(OnednnJoinTest, ConcatOfWhatFillsNoBlocksOrOfOtherAxes) {
  const vector<int> shape = {2, 20, 4, 6};
  for (const TestLayout& layout : TestLayouts()) {
    for (const int axis : {0, 1, 2, 3}) {
      BackendPair pair("type: 'Concat' concat_param { axis: " + std::to_string(axis) + " }",
                       {shape, shape, shape});
      pair.SetUp();
      pair.MoveBottoms(layout);
      const string what = "along axis " + std::to_string(axis);
      pair.ExpectForward(what);
      pair.ExpectBackward(what, {true, false, true});
      pair.ExpectBackward(what, {}, true);
    }
  }
}

TEST(OnednnJoinTest, ConcatOfBottomsInDifferentPlaces) {
  for (const TestLayout& layout : TestLayouts()) {
    for (const unsigned first : {0U, 1U, 2U}) {
      BackendPair pair("type: 'Concat'", {{2, 16, 5, 7}, {2, 32, 5, 7}, {2, 3, 5, 7}});
      pair.SetUp();
      ScatterBottoms(&pair, layout, first);
      pair.ExpectForward("in different places");
      pair.ExpectBackward("in different places", {true, false, true});
    }
  }
}

TEST(OnednnJoinTest, ConcatFollowsChangesOfShapeAndOfPlace) {
  BackendPair pair("type: 'Concat'", {{2, 16, 5, 7}, {2, 32, 5, 7}});
  pair.SetUp();
  unsigned seed = 1;
  for (const vector<int>& size :
       vector<vector<int>>{{2, 16, 5}, {1, 8, 9}, {0, 16, 5}, {2, 32, 5}}) {
    pair.FillBottoms(++seed, {{size[0], size[1], size[2], 7}, {size[0], 32, size[2], 7}});
    if (size[0] > 0) {
      pair.MoveBottoms(TestLayout());
      pair.ExpectSame("in the backend");
    }
    pair.FillBottoms(++seed, {{size[0], size[1], size[2], 7}, {size[0], 32, size[2], 7}});
    pair.ExpectForward("on the host");
  }
}

}  // namespace caffe
