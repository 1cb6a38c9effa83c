#include "test_util.hpp"

namespace caffe {

TEST(ExpLayerTest, ValuesByHand) {
  DoubleRun run("type: 'Exp'", {{3}});
  SetValues<double>({0, 1, -2}, run.bottom[0]);
  ExpectNear(run.SetUp().Forward(), {1, std::exp(1), std::exp(-2)}, 1e-15);
  DoubleRun base("type: 'Exp' exp_param { base: 2 scale: 3 shift: -1 }", {{3}});
  SetValues<double>({0, 1, 2}, base.bottom[0]);
  ExpectNear(base.SetUp().Forward(), {0.5, 4, 32}, 1e-13);  // a rounding of ln 2, times 5
}

TEST(ExpLayerTest, BaseOneIsConstant) {
  DoubleRun run("type: 'Exp' exp_param { base: 1 shift: 5 }", {{2, 2}});
  run.SetUp();
  EXPECT_EQ(run.Forward(), vector<double>(4, 1));
  EXPECT_EQ(run.Backward({1, 2, 3, 4}), vector<double>(4, 0));
}

TEST(ExpLayerTest, Gradients) {
  for (const char* param : {"", "base: 2", "base: 0.5 scale: 3", "scale: -1 shift: 1",
                            "base: 3.5 scale: 0.3 shift: -2"}) {
    DoubleRun run(string("type: 'Exp' exp_param { ") + param + " }", {{2, 3, 5}});
    GradientChecker<double>(1e-5, 1e-6).CheckGradientEltwise(run.layer.get(), run.bottom, run.top);
  }
}

TEST(ExpLayerTest, WorksInPlace) {
  ExpectSameInPlace("type: 'Exp' exp_param { base: 2 scale: 0.5 shift: 1 }", {{2, 3, 5}});
}

TEST(ExpLayerTest, RefusesABaseThatIsNotPositive) {
  for (const char* base : {"0", "-2"}) {
    DoubleRun run(string("name: 'e' type: 'Exp' exp_param { base: ") + base + " }", {{2}});
    EXPECT_CAFFE_ERROR(run.SetUp(),
                       string("e (Exp): base must be positive, or -1 for e; got ") + base);
  }
}

}  // namespace caffe
