#include <gtest/gtest.h>
#include <omp.h>

#include <limits>

#include "caffe/util/tiny_numbers.hpp"
#include "solver_test_util.hpp"

namespace caffe {
namespace {

/** In how many threads of a team of three half of the smallest normal number is not 0. */
int NumThreadsWithTinyNumbers() {
  const volatile float smallest = std::numeric_limits<float>::min();
  int count = 0;
#pragma omp parallel num_threads(3) reduction(+ : count)
  count += smallest / 2 != 0 ? 1 : 0;
  return count;
}

#ifdef __SSE2__

TEST(TinyNumbersTest, AreFlushedByTheWholeTeamWhileItLives) {
  EXPECT_EQ(NumThreadsWithTinyNumbers(), 3);
  {
    omp_set_num_threads(3);
    const FlushTinyNumbers flush;
    EXPECT_EQ(NumThreadsWithTinyNumbers(), 0);
    {
      const FlushTinyNumbers again;
    }
    EXPECT_EQ(NumThreadsWithTinyNumbers(), 0) << "as before the inner one";
  }
  EXPECT_EQ(NumThreadsWithTinyNumbers(), 3);
  omp_set_num_threads(omp_get_num_procs());
}

class TinyNumbersSolverTest : public SolverTestBase {};

/** Notes what the threads do while the solver steps. */
class Observer : public Solver<float>::Callback {
 public:
  int num_threads = -1;

 protected:
  void on_start() override {}
  void on_gradients_ready() override { num_threads = NumThreadsWithTinyNumbers(); }
};

TEST_F(TinyNumbersSolverTest, StepsFlushThem) {
  omp_set_num_threads(3);
  const auto solver = MakeSolver<float>(this->Solver("lr_policy: 'fixed' base_lr: 0.1"));
  Observer observer;
  solver->add_callback(&observer);
  solver->Step(1);
  EXPECT_EQ(observer.num_threads, 0);
  EXPECT_EQ(NumThreadsWithTinyNumbers(), 3) << "after the step";
  omp_set_num_threads(omp_get_num_procs());
}

#endif

}  // namespace
}  // namespace caffe
