#include "caffe/data/record_report.hpp"

namespace caffe {

namespace {
constexpr size_t kMaxLines = 20;
}  // namespace

size_t RecordReport::Warn(uint64_t index, const string& text) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!reported_.insert(index).second) return reported_.size();
  if (reported_.size() <= kMaxLines) {
    LOG(WARNING) << who_ << ": " << text;
  } else if (reported_.size() == kMaxLines + 1) {
    LOG(WARNING) << who_ << ": more than " << kMaxLines
                 << " records were reported; further ones are not";
  }
  return reported_.size();
}

size_t RecordReport::count() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return reported_.size();
}

}  // namespace caffe
