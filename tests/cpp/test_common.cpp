#include <gtest/gtest.h>

#include <numeric>
#include <thread>

#include "caffe/common.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/util/math_functions.hpp"
#include "caffe/util/rng.hpp"

namespace caffe {

namespace {

vector<unsigned int> Draws(int n) {
  vector<unsigned int> draws(n);
  for (unsigned int& draw : draws) draw = caffe_rng_rand();
  return draws;
}

}  // namespace

TEST(CommonTest, TheSeedGivesTheNumbers) {
  Caffe::set_random_seed(42);
  const vector<unsigned int> first = Draws(10);
  EXPECT_NE(Draws(10), first);
  Caffe::set_random_seed(42);
  EXPECT_EQ(Draws(10), first);
  Caffe::set_random_seed(43);
  EXPECT_NE(Draws(10), first);
}

TEST(CommonTest, TheGeneratorIsTheStandardOne) {
  Caffe::set_random_seed(5489);
  for (int i = 0; i < 9999; ++i) caffe_rng_rand();
  EXPECT_EQ(caffe_rng_rand(), 4123659995U);  // the 10000th, by the C++ standard
}

TEST(CommonTest, CopiesOfAGeneratorShareItsState) {
  Caffe::RNG first(7);
  Caffe::RNG copy(first), fresh(7);
  rng_t* generator = static_cast<rng_t*>(first.generator());
  EXPECT_EQ(copy.generator(), generator);
  (*generator)();
  EXPECT_NE((*static_cast<rng_t*>(copy.generator()))(),
            (*static_cast<rng_t*>(fresh.generator()))());
}

TEST(CommonTest, TheStateOfTheGeneratorGoesThroughText) {
  Caffe::set_random_seed(11);
  Draws(5);
  const string state = Caffe::random_state();
  const vector<unsigned int> expected = Draws(700);  // more than one block of the generator
  Caffe::set_random_seed(99);
  Caffe::set_random_state(state);
  EXPECT_EQ(Draws(700), expected);
}

TEST(CommonTest, ADamagedStateIsRefusedAndChangesNothing) {
  Caffe::set_random_seed(12);
  const string state = Caffe::random_state();
  const vector<unsigned int> expected = Draws(3);
  for (const string& damaged : {string(), string("12 x 13"), state.substr(0, state.size() / 2)}) {
    Caffe::set_random_seed(12);
    EXPECT_CAFFE_ERROR(Caffe::set_random_state(damaged),
                       "state of the random generator is damaged");
    EXPECT_EQ(Draws(3), expected);
  }
}

TEST(CommonTest, ThreadsHaveGeneratorsAndRanksOfTheirOwn) {
  Caffe::set_random_seed(3);
  const vector<unsigned int> expected = Draws(2);
  Caffe::set_random_seed(3);
  Caffe::set_solver_rank(2);
  vector<unsigned int> of_thread;
  std::thread([&] {
    EXPECT_EQ(Caffe::solver_rank(), 0);
    Caffe::set_random_seed(4);
    of_thread = Draws(2);
  }).join();
  EXPECT_EQ(Caffe::solver_rank(), 2);
  EXPECT_FALSE(Caffe::root_solver());
  Caffe::set_root_solver(true);
  EXPECT_EQ(Caffe::solver_rank(), 0);
  EXPECT_EQ(Draws(2), expected);
  EXPECT_NE(of_thread, expected);
}

TEST(CommonTest, SeedsFromTheClockDifferAndAreNotNegative) {
  set<int64_t> seeds;
  for (int i = 0; i < 20; ++i) {
    seeds.insert(cluster_seedgen());
    EXPECT_GE(*seeds.begin(), 0);
  }
  EXPECT_GT(seeds.size(), 1U);
}

TEST(CommonTest, ShuffleIsAPermutationGivenByTheSeed) {
  vector<int> order(50), again(50);
  std::iota(order.begin(), order.end(), 0);
  again = order;
  Caffe::set_random_seed(8);
  shuffle(order.begin(), order.end());
  Caffe::set_random_seed(8);
  shuffle(again.begin(), again.end());
  EXPECT_EQ(order, again);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  for (int i = 0; i < 50; ++i) EXPECT_EQ(order[i], i);
  vector<int> none;
  shuffle(none.begin(), none.end());
}

TEST(CommonTest, ShuffleReachesEveryOrderAboutEquallyOften) {
  Caffe::set_random_seed(9);
  map<vector<int>, int> counts;
  const int draws = 6000;
  for (int i = 0; i < draws; ++i) {
    vector<int> order = {0, 1, 2};
    shuffle(order.begin(), order.end());
    ++counts[order];
  }
  EXPECT_EQ(counts.size(), 6U);
  // Each count is binomial, of mean 1000 and standard deviation 29; six of these.
  for (const auto& entry : counts) EXPECT_NEAR(entry.second, draws / 6, 6 * 29);
}

#ifdef CPU_ONLY
TEST(CommonTest, WithoutCudaGpuModeIsAnErrorAndTheModeStays) {
  EXPECT_CAFFE_ERROR(Caffe::set_mode(Caffe::GPU), "this build has no CUDA: use CPU mode");
  EXPECT_EQ(Caffe::mode(), Caffe::CPU);
  EXPECT_CAFFE_ERROR(Caffe::SetDevice(0), "this build has no CUDA");
  EXPECT_FALSE(Caffe::CheckDevice(0));
  EXPECT_EQ(Caffe::FindDevice(), -1);
}
#endif

}  // namespace caffe
