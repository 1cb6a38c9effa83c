#include "test_util.hpp"

namespace caffe {

TEST(LogLayerTest, ValuesAndGradientsByHand) {
  DoubleRun run("type: 'Log' log_param { base: 2 scale: 2 shift: 4 }", {{3}});
  SetValues<double>({0, 2, -1}, run.bottom[0]);
  run.SetUp();
  ExpectNear(run.Forward(), {2, 3, 1}, 1e-15);
  const double log2 = std::log(2);
  ExpectNear(run.Backward({1, 4, 3}), {0.5 / log2, 1 / log2, 3 / log2}, 1e-15);
}

TEST(LogLayerTest, UndoesExp) {
  DoubleRun exp("type: 'Exp' exp_param { base: 3 }", {{2, 5}});
  DoubleRun log("type: 'Log' log_param { base: 3 }", {{2, 5}});
  SetValues(exp.SetUp().Forward(), log.bottom[0]);
  ExpectNear(log.SetUp().Forward(), Values(*exp.bottom[0]), 1e-14);
}

TEST(LogLayerTest, OfZeroIsInfiniteAndOfLessNaN) {
  DoubleRun run("type: 'Log'", {{2}});
  SetValues<double>({0, -1}, run.bottom[0]);
  const vector<double> y = run.SetUp().Forward();
  EXPECT_EQ(y[0], -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(y[1]));
}

TEST(LogLayerTest, Gradients) {
  for (const char* param :
       {"shift: 3", "base: 2 shift: 3", "base: 0.5 scale: 3 shift: 7", "scale: -0.5 shift: 2"}) {
    DoubleRun run(string("type: 'Log' log_param { ") + param + " }", {{2, 3, 5}});
    GradientChecker<double>(1e-5, 1e-6).CheckGradientEltwise(run.layer.get(), run.bottom, run.top);
  }
}

TEST(LogLayerTest, WorksInPlace) {
  ExpectSameInPlace("type: 'Log' log_param { base: 2 scale: 0.5 shift: 3 }", {{2, 3, 5}});
}

TEST(LogLayerTest, RefusesABaseWithoutALogarithm) {
  for (const char* base : {"0", "-2", "1"}) {
    DoubleRun run(string("name: 'l' type: 'Log' log_param { base: ") + base + " }", {{2}});
    EXPECT_CAFFE_ERROR(run.SetUp(), string("l (Log): base must be positive and not 1, or -1 for "
                                           "e; got ") +
                                        base);
  }
}

}  // namespace caffe
