// Layers that absorb others: what Net fuses, and that nobody sees a difference.
#include "caffe/net.hpp"
#include "test_util.hpp"

namespace caffe {

namespace {

/** y = 2 x, and of the layers after it y + 1; counts how it ran. */
class DoublingLayer : public Layer<float> {
 public:
  explicit DoublingLayer(const LayerParameter& param) : Layer<float>(param) {}
  const char* type() const override { return "TestDoubling"; }
  void Reshape(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override {
    for (Blob<float>* blob : top) blob->ReshapeLike(*bottom[0]);
  }
  bool Absorb(Layer<float>* next) override {
    if (string(next->type()) != "TestAddOne") return false;
    ++num_absorbed;
    return true;
  }

  int num_absorbed = 0, alone = 0, fused = 0;
  bool refuses = false;

 protected:
  void Forward_cpu(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override {
    ++alone;
    for (Blob<float>* blob : top) Double(*bottom[0], 0, blob);
  }
  bool Forward_fused(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override {
    if (refuses) return false;
    ++fused;
    Double(*bottom[0], static_cast<float>(num_absorbed), top[0]);
    return true;
  }
  void Backward_cpu(const vector<Blob<float>*>& top, const vector<bool>& /*propagate_down*/,
                    const vector<Blob<float>*>& bottom) override {
    caffe_cpu_scale(top[0]->count(), 2.0F, top[0]->cpu_diff(), bottom[0]->mutable_cpu_diff());
  }

 private:
  static void Double(const Blob<float>& from, float shift, Blob<float>* to) {
    float* y = to->mutable_cpu_data();
    for (int i = 0; i < from.count(); ++i) y[i] = 2 * from.cpu_data()[i] + shift;
  }
};

/** y = x + 1. */
class AddOneLayer : public Layer<float> {
 public:
  explicit AddOneLayer(const LayerParameter& param) : Layer<float>(param) {}
  const char* type() const override { return "TestAddOne"; }
  void Reshape(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override {
    top[0]->ReshapeLike(*bottom[0]);
  }

  int runs = 0;

 protected:
  void Forward_cpu(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override {
    ++runs;
    const float* x = bottom[0]->cpu_data();
    float* y = top[0]->mutable_cpu_data();
    for (int i = 0; i < top[0]->count(); ++i) y[i] = x[i] + 1;
  }
  void Backward_cpu(const vector<Blob<float>*>& top, const vector<bool>& /*propagate_down*/,
                    const vector<Blob<float>*>& bottom) override {
    caffe_copy(top[0]->count(), top[0]->cpu_diff(), bottom[0]->mutable_cpu_diff());
  }
};

template <typename Test>
shared_ptr<Layer<float>> Make(const LayerParameter& param) {
  return shared_ptr<Layer<float>>(new Test(param));
}

string TestLayer(const string& type, const string& bottom, const string& top,
                 const string& fields = "") {
  return "layer { name: '" + type + " " + bottom + " " + top + "' type: '" + type + "' bottom: '" +
         bottom + "' top: '" + top + "' " + fields + " }\n";
}

class NetFusionTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    static const bool registered = [] {
      LayerRegistry<float>::AddCreator("TestDoubling", Make<DoublingLayer>);
      LayerRegistry<float>::AddCreator("TestAddOne", Make<AddOneLayer>);
      return true;
    }();
    static_cast<void>(registered);
  }
  /** A net of an input and these layers; the input holds 3. */
  void Build(const string& layers, Phase phase = TRAIN) {
    NetParameter param;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
        "force_backward: true layer { name: 'x' type: 'Input' top: 'x' "
        "input_param { shape { dim: 2 } } }\n" +
            layers,
        &param));
    param.mutable_state()->set_phase(phase);
    net_ = std::make_shared<Net<float>>(param);
    caffe_set(2, 3.0F, net_->blob_by_name("x")->mutable_cpu_data());
  }
  /** x → y = 2 x, twice + 1 in place, z = y + 1. */
  void BuildChain(Phase phase = TRAIN) {
    Build(TestLayer("TestDoubling", "x", "y") + TestLayer("TestAddOne", "y", "y") +
              "layer { name: 'second' type: 'TestAddOne' bottom: 'y' top: 'y' }" +
              TestLayer("TestAddOne", "y", "z"),
          phase);
  }
  float Value(const string& blob) { return net_->blob_by_name(blob)->cpu_data()[1]; }
  DoublingLayer& doubling(int i = 1) { return dynamic_cast<DoublingLayer&>(*net_->layers().at(i)); }
  int RunsOf(int i) { return dynamic_cast<AddOneLayer&>(*net_->layers().at(i)).runs; }

  shared_ptr<Net<float>> net_;
};

}  // namespace

TEST_F(NetFusionTest, WholeRunsFuse) {
  BuildChain();
  EXPECT_EQ(net_->absorbed(1), (vector<int>{2, 3}));
  EXPECT_EQ(net_->absorbed(2), vector<int>());
  for (int run = 1; run <= 2; ++run) {
    net_->Forward();
    EXPECT_EQ(doubling().fused, run);
    EXPECT_EQ(Value("y"), 8);
    EXPECT_EQ(Value("z"), 9);
  }
  EXPECT_EQ(doubling().alone, 0);
  EXPECT_EQ(RunsOf(2), 0);
  EXPECT_EQ(RunsOf(3), 0);
  EXPECT_EQ(RunsOf(4), 2);
}

TEST_F(NetFusionTest, RunsThatEndOrBeginBetweenDoNot) {
  BuildChain();
  net_->Forward();
  net_->ForwardTo(1);
  EXPECT_EQ(Value("y"), 6);
  net_->ForwardTo(2);
  EXPECT_EQ(Value("y"), 7);
  EXPECT_EQ(doubling().fused, 1);
  net_->ForwardFromTo(3, 3);
  EXPECT_EQ(Value("y"), 8);
  net_->ForwardTo(3);
  EXPECT_EQ(doubling().fused, 2);
  EXPECT_EQ(Value("y"), 8);
  net_->ForwardFrom(2);  // of what the whole run left
  EXPECT_EQ(Value("y"), 10);
}

TEST_F(NetFusionTest, WhoLooksBetweenSeesWhatIsThere) {
  struct Look : public Net<float>::Callback {
    explicit Look(Net<float>* of) : net(of) {}
    void run(int layer) override {
      if (layer > 0) seen.push_back(net->blob_by_name("y")->cpu_data()[0]);
    }
    Net<float>* net;
    vector<float> seen;
  };
  BuildChain();
  Look after(net_.get());
  net_->add_after_forward(&after);
  net_->Forward();
  EXPECT_EQ(after.seen, (vector<float>{6, 7, 8, 8}));
  BuildChain();
  Look before(net_.get());
  net_->add_before_forward(&before);
  net_->Forward();
  EXPECT_EQ(before.seen, (vector<float>{0, 6, 7, 8}));
  BuildChain();
  net_->set_debug_info(true);
  net_->Forward();
  EXPECT_EQ(doubling().fused, 0);
  net_->set_debug_info(false);
  net_->Forward();
  EXPECT_EQ(doubling().fused, 1);
}

TEST_F(NetFusionTest, ALayerMayRefuse) {
  BuildChain();
  doubling().refuses = true;
  net_->Forward();
  EXPECT_EQ(doubling().alone, 1);
  EXPECT_EQ(RunsOf(3), 1);
  EXPECT_EQ(Value("y"), 8);
}

TEST_F(NetFusionTest, OnlyWhatFollowsInPlaceWithoutALossIsAbsorbed) {
  for (const string& next : {TestLayer("TestAddOne", "y", "y", "loss_weight: 1"),
                             TestLayer("TestAddOne", "y", "z"), TestLayer("TanH", "y", "y")}) {
    Build(TestLayer("TestDoubling", "x", "y") + next);
    EXPECT_EQ(net_->absorbed(1), vector<int>()) << next;
    net_->Forward();
    EXPECT_EQ(doubling().alone, 1) << next;
  }
  Build(TestLayer("TestDoubling", "x", "y") + TestLayer("TanH", "y", "y") +
        TestLayer("TestAddOne", "y", "y"));
  EXPECT_EQ(net_->absorbed(1), vector<int>()) << "what comes after another layer";
  Build("layer { name: 'two' type: 'TestDoubling' bottom: 'x' top: 'y' top: 'z' }" +
        TestLayer("TestAddOne", "y", "y"));
  EXPECT_EQ(net_->absorbed(1), vector<int>()) << "of two tops";
}

TEST_F(NetFusionTest, OthersMayRunBetween) {
  Build(TestLayer("TestDoubling", "x", "y") + TestLayer("TestDoubling", "x", "w") +
        TestLayer("TestAddOne", "y", "y") + TestLayer("TestAddOne", "w", "w"));
  // A Split of x is layer 1.
  EXPECT_EQ(net_->absorbed(2), (vector<int>{4}));
  EXPECT_EQ(net_->absorbed(3), (vector<int>{5}));
  net_->Forward();
  EXPECT_EQ(Value("y"), 7);
  EXPECT_EQ(Value("w"), 7);
  EXPECT_EQ(RunsOf(4) + RunsOf(5), 0);
  net_->ForwardTo(4);
  EXPECT_EQ(doubling(2).fused, 2);
  EXPECT_EQ(doubling(3).alone, 1);
  EXPECT_EQ(Value("w"), 6);
}

TEST_F(NetFusionTest, ATestNetRunsUnfusedOnceItRunsBackward) {
  for (const Phase phase : {TRAIN, TEST}) {
    BuildChain(phase);
    net_->Forward();
    net_->Backward();
    EXPECT_EQ(doubling().alone, phase == TEST ? 1 : 0);
    EXPECT_EQ(RunsOf(2), phase == TEST ? 1 : 0);
    EXPECT_EQ(Value("y"), 8);
    net_->Forward();
    net_->Backward();
    EXPECT_EQ(doubling().fused, phase == TEST ? 1 : 2);
    EXPECT_EQ(RunsOf(2), phase == TEST ? 2 : 0);
    EXPECT_EQ(Value("y"), 8);
  }
}

}  // namespace caffe
