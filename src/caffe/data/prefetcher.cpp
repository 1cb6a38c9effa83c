#include "caffe/data/prefetcher.hpp"

#include <unistd.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

#include "caffe/data/thread_context.hpp"

namespace caffe {

namespace {

/** A batch being filled. */
struct Slot {
  uint64_t batch = 0;
  int items_left = -1;   ///< -1 before the slot's first batch
  int failed_item = -1;  ///< the first one that failed, or -1
  std::exception_ptr error;
};

struct Claim {
  int slot = 0;
  int item = 0;
  std::exception_ptr error;
};

}  // namespace

struct Prefetcher::State {
  State(std::unique_ptr<PrefetchWork> new_work, const PrefetchPlan& new_plan)
      : work(std::move(new_work)), plan(new_plan), slots(new_plan.num_slots) {}

  void Run();
  bool ClaimItem(Claim* claim, Record* record);
  bool WaitForSpace();
  void Complete(const Claim& claim);
  void Stop();

  std::unique_ptr<PrefetchWork> work;
  const PrefetchPlan plan;
  vector<std::thread> threads;

  // Held while a record is read, and while its reader waits for space.
  std::mutex reading;
  uint64_t batch_to_claim = 0;
  int item_to_claim = 0;

  // Guards what follows; taken within `reading`, never the other way round.
  std::mutex mutex;
  std::condition_variable space;
  std::condition_variable ready;
  vector<Slot> slots;
  uint64_t batches_given = 0;  ///< to the consumer, who still holds the last one
  bool stopping = false;
};

bool Prefetcher::State::WaitForSpace() {
  std::unique_lock<std::mutex> lock(mutex);
  space.wait(lock, [this] {
    const uint64_t released = batches_given > 0 ? batches_given - 1 : 0;
    return stopping || batch_to_claim < released + static_cast<uint64_t>(plan.num_slots);
  });
  if (stopping) return false;
  if (item_to_claim == 0) {
    Slot& slot = slots[batch_to_claim % slots.size()];
    slot = Slot();
    slot.batch = batch_to_claim;
    slot.items_left = plan.items_per_batch;
  }
  return true;
}

bool Prefetcher::State::ClaimItem(Claim* claim, Record* record) {
  const std::lock_guard<std::mutex> lock(reading);
  if (!WaitForSpace()) return false;
  claim->slot = static_cast<int>(batch_to_claim % slots.size());
  claim->item = item_to_claim;
  claim->error = nullptr;
  try {
    if (claim->item == 0) work->Begin(claim->slot);
    work->Read(record);
  } catch (...) {
    claim->error = std::current_exception();
  }
  if (++item_to_claim == plan.items_per_batch) {
    item_to_claim = 0;
    ++batch_to_claim;
  }
  return true;
}

void Prefetcher::State::Complete(const Claim& claim) {
  const std::lock_guard<std::mutex> lock(mutex);
  Slot& slot = slots[claim.slot];
  if (claim.error && (slot.failed_item < 0 || claim.item < slot.failed_item)) {
    slot.failed_item = claim.item;
    slot.error = claim.error;
  }
  if (--slot.items_left == 0) ready.notify_all();
}

void Prefetcher::State::Run() {
  LeaveSignalsToMainThread();
  Claim claim;
  Record record;
  while (ClaimItem(&claim, &record)) {
    if (!claim.error) {
      try {
        work->Load(record, claim.slot, claim.item);
      } catch (...) {
        claim.error = std::current_exception();
      }
    }
    Complete(claim);
  }
}

void Prefetcher::State::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex);
    stopping = true;
  }
  space.notify_all();
  ready.notify_all();
  for (std::thread& thread : threads) thread.join();
  threads.clear();
}

Prefetcher::Prefetcher(std::unique_ptr<PrefetchWork> work, const PrefetchPlan& plan)
    : state_(new State(std::move(work), plan)), process_(getpid()) {
  CHECK(plan.num_slots >= 2 && plan.items_per_batch >= 1 && plan.num_workers >= 1)
      << "cannot prefetch with " << plan.num_slots << " slots, " << plan.items_per_batch
      << " items a batch and " << plan.num_workers << " workers";
  State* state = state_.get();
  state->threads.reserve(plan.num_workers);
  try {
    for (int i = 0; i < plan.num_workers; ++i) {
      state->threads.emplace_back([state] { state->Run(); });
    }
  } catch (const std::system_error& error) {
    // Fewer workers give the same batches.
    LOG(WARNING) << "only " << state->threads.size() << " of " << plan.num_workers
                 << " prefetching threads could be started: " << error.what();
    CHECK(!state->threads.empty()) << "no thread can be started: " << error.what();
  }
}

Prefetcher::~Prefetcher() {
  if (InForkedChild()) {
    // Its mutexes may be locked, and its threads waited for, by threads that are not here.
    static_cast<void>(state_.release());  // NOLINT(bugprone-unused-return-value)
    return;
  }
  state_->Stop();
}

bool Prefetcher::InForkedChild() const { return getpid() != process_; }

int Prefetcher::Next() {
  CHECK(!InForkedChild()) << "the prefetching threads belong to the parent of this process";
  std::unique_lock<std::mutex> lock(state_->mutex);
  const uint64_t batch = state_->batches_given;
  const size_t index = batch % state_->slots.size();
  const Slot& slot = state_->slots[index];
  state_->ready.wait(lock, [&] { return slot.batch == batch && slot.items_left == 0; });
  if (slot.error) std::rethrow_exception(slot.error);
  ++state_->batches_given;
  state_->space.notify_all();
  return static_cast<int>(index);
}

}  // namespace caffe
