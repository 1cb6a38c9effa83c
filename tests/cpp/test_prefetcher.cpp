#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "caffe/data/prefetcher.hpp"
#include "caffe/internal_thread.hpp"
#include "caffe/test/test_caffe_main.hpp"

namespace caffe {

namespace {

/** Item i of batch b becomes 100 b + i; watches that the contract is kept. */
class CountingWork : public PrefetchWork {
 public:
  typedef std::array<std::array<int, 3>, 4> Slots;
  CountingWork(Slots* slots, std::atomic<int>* batches_begun)
      : slots_(slots), batches_begun_(batches_begun) {}

  void Begin(int slot) override {
    ++*batches_begun_;
    (*slots_)[slot].fill(-1);
  }
  void Read(Record* record) override {
    if (read_++ == fail_reading_at) LOG(FATAL) << "cannot read";
    record->index = static_cast<uint64_t>(100 * ((read_ - 1) / 3) + (read_ - 1) % 3);
  }
  void Load(const Record& record, int slot, int item) override {
    // Later items are faster, so that the order of completion is not that of the items.
    std::this_thread::sleep_for(std::chrono::microseconds(100 * (3 - item)));
    const int value = static_cast<int>(record.index);
    for (const int bad : fail_loading) {
      if (value == bad) LOG(FATAL) << "cannot load " << value;
    }
    (*slots_)[slot][item] = value;
  }

  int fail_reading_at = -1;
  vector<int> fail_loading;

 private:
  Slots* slots_;
  std::atomic<int>* batches_begun_;
  int read_ = 0;
};

struct Ring {
  CountingWork::Slots slots{};
  std::atomic<int> batches_begun{0};
  std::unique_ptr<CountingWork> work{new CountingWork(&slots, &batches_begun)};
  std::unique_ptr<Prefetcher> prefetcher;

  void Start(int num_workers) {
    PrefetchPlan plan;
    plan.num_slots = 4;
    plan.items_per_batch = 3;
    plan.num_workers = num_workers;
    prefetcher.reset(new Prefetcher(std::move(work), plan));
  }
};

}  // namespace

TEST(PrefetcherTest, BatchesComeInOrderWithAnyNumberOfWorkers) {
  for (const int workers : {1, 2, 7}) {
    Ring ring;
    ring.Start(workers);
    for (int batch = 0; batch < 20; ++batch) {
      const int slot = ring.prefetcher->Next();
      for (int i = 0; i < 3; ++i) ASSERT_EQ(ring.slots[slot][i], 100 * batch + i);
    }
  }
}

TEST(PrefetcherTest, RunsAheadUntilTheRingIsFullAndSparesTheBatchInUse) {
  Ring ring;
  ring.Start(3);
  const int slot = ring.prefetcher->Next();
  while (ring.batches_begun < 4) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(ring.batches_begun, 4);
  EXPECT_EQ(ring.slots[slot][2], 2);
}

TEST(PrefetcherTest, TheFirstErrorOfABatchComesWhenTheBatchIsDueAndStays) {
  Ring ring;
  ring.work->fail_loading = {202, 200};
  ring.Start(4);
  ring.prefetcher->Next();
  ring.prefetcher->Next();
  EXPECT_CAFFE_ERROR(ring.prefetcher->Next(), "cannot load 200");
  EXPECT_CAFFE_ERROR(ring.prefetcher->Next(), "cannot load 200");
}

TEST(PrefetcherTest, AnErrorInReadingComesTheSameWay) {
  Ring ring;
  ring.work->fail_reading_at = 4;
  ring.Start(2);
  ring.prefetcher->Next();
  EXPECT_CAFFE_ERROR(ring.prefetcher->Next(), "cannot read");
}

TEST(PrefetcherTest, StopsAtAnyMoment) {
  for (int i = 0; i < 30; ++i) {
    Ring ring;
    ring.Start(3);
    if (i % 3 == 1) ring.prefetcher->Next();
    if (i % 3 == 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST(PrefetcherTest, AForkedChildEndsWithoutWaitingForThreadsItDoesNotHave) {
  Ring ring;
  ring.Start(2);
  ring.prefetcher->Next();
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);  // so that a child that hangs fails the test, not the machine
    bool refused = false;
    try {
      ring.prefetcher->Next();
    } catch (const Error&) {
      refused = true;
    }
    ring.prefetcher.reset();
    _exit(refused ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(PrefetcherTest, RefusesAPlanThatCannotWork) {
  Ring ring;
  EXPECT_CAFFE_ERROR(ring.Start(0), "0 workers");
}

namespace {

class Counter : public InternalThread {
 public:
  ~Counter() override { StopInternalThread(); }
  std::atomic<int> count{0};
  std::atomic<int> rank{-1};

 protected:
  void InternalThreadEntry() override {
    rank = Caffe::solver_rank();
    while (!must_stop()) ++count;
    LOG(FATAL) << "an error at the end";
  }
};

}  // namespace

TEST(InternalThreadTest, RunsUntilItIsStopped) {
  Counter counter;
  EXPECT_FALSE(counter.is_started());
  Caffe::set_solver_rank(2);
  counter.StartInternalThread();
  Caffe::set_solver_rank(0);
  EXPECT_TRUE(counter.is_started());
  EXPECT_CAFFE_ERROR(counter.StartInternalThread(), "runs already");
  while (counter.count < 10) std::this_thread::yield();
  counter.StopInternalThread();
  EXPECT_FALSE(counter.is_started());
  EXPECT_EQ(counter.rank, 2);
  counter.StartInternalThread();
}

}  // namespace caffe
