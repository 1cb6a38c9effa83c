// Permute from the backend's layouts straight into the plain one.
#include "onednn_test_util.hpp"

namespace caffe {

namespace {

string Permute(const vector<int>& order) {
  string fields;
  for (const int axis : order) fields += " order: " + std::to_string(axis);
  return "type: 'Permute' permute_param {" + fields + " }";
}

}  // namespace

TEST(OnednnPermuteTest, FromEveryLayoutIntoThePlainOneAndBack) {
  for (const vector<int>& order :
       vector<vector<int>>{{0, 2, 3, 1}, {0, 1, 2, 3}, {3, 2, 1, 0}, {1}, {2, 0}}) {
    for (const vector<int>& shape :
         vector<vector<int>>{{2, 84, 5, 7}, {1, 16, 3, 3}, {3, 21, 1, 1}, {2, 32, 4, 6}}) {
      for (const TestLayout& layout : TestLayouts()) {
        BackendPair pair(Permute(order), {shape});
        pair.SetUp();
        pair.MoveBottoms(layout);
        const string what = Permute(order) + " of " + pair.fast.bottom[0]->shape_string();
        pair.ExpectForward(what);
        EXPECT_EQ(pair.fast.top[0]->data()->head(), SyncedMemory::HEAD_AT_CPU) << what;
        pair.ExpectBackward(what, {false});
        pair.ExpectBackward(what);
        if (layout.tag == dnnl::memory::format_tag::nChw16c) {
          pair.fast.layer->Backward(pair.fast.top, {true}, pair.fast.bottom);
          EXPECT_TRUE(OnlyOnBackend(*pair.fast.bottom[0]->diff())) << what;
        }
      }
    }
  }
}

TEST(OnednnPermuteTest, MovesEveryBitOfAFloat) {
  for (const TestLayout& layout : {TestLayout(), TestLayout{dnnl::memory::format_tag::nhwc}}) {
    LayerRun<float> plain(Permute({0, 2, 3, 1}) + " ", {{2, 126, 5, 5}});
    LayerRun<float> fast(Permute({0, 2, 3, 1}), {{2, 126, 5, 5}});
    plain.SetUp();
    fast.SetUp();
    plain.bottom[0]->mutable_cpu_data()[77] = std::numeric_limits<float>::infinity();
    fast.bottom[0]->mutable_cpu_data()[77] = std::numeric_limits<float>::infinity();
    MoveToBackend({2, 126, 5, 5}, fast.bottom[0]->data().get(), layout);
    EXPECT_EQ(plain.Forward(), fast.Forward());
    const vector<float> top_diff = RandomValues<float>(plain.top[0]->count(), 8);
    EXPECT_EQ(plain.Backward(top_diff), fast.Backward(top_diff));
  }
}

TEST(OnednnPermuteTest, FollowsChangesOfShapeAndOfPlace) {
  BackendPair pair(Permute({0, 2, 3, 1}), {{2, 24, 8, 8}});
  pair.SetUp();
  unsigned seed = 1;
  for (const vector<int>& shape : vector<vector<int>>{
           {2, 24, 8, 8}, {1, 24, 8, 8}, {2, 40, 7, 11}, {2, 24, 8, 8}, {0, 24, 8, 8}}) {
    pair.FillBottoms(++seed, {shape});
    if (shape[0] > 0) {
      pair.MoveBottoms(TestLayout());
      pair.ExpectSame("in the backend");
    }
    pair.FillBottoms(++seed, {shape});
    pair.ExpectForward("on the host again");
    if (shape[0] > 0) pair.ExpectBackward("on the host again");
  }
}

}  // namespace caffe
