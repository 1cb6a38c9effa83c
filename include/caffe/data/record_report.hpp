#ifndef CAFFE_DATA_RECORD_REPORT_HPP_
#define CAFFE_DATA_RECORD_REPORT_HPP_

#include <mutex>
#include <set>
#include <string>

#include "caffe/common.hpp"

namespace caffe {

/** @brief An error of what is stored, not of how it is used: another record may do. */
class BrokenRecord : public Error {
 public:
  using Error::Error;
};

/** @brief Warns of records once each, from any thread, and counts them. */
class RecordReport {
 public:
  /** @param who begins each line: the layer's name. */
  explicit RecordReport(const string& who) : who_(who) {}
  /**
   * @brief Logs "WHO: TEXT" as a warning, unless this record was reported before; after twenty
   * only that there are more.
   * @return how many records were reported so far.
   */
  size_t Warn(uint64_t index, const string& text);
  size_t count() const;

 private:
  string who_;
  mutable std::mutex mutex_;
  std::set<uint64_t> reported_;

  DISABLE_COPY_AND_ASSIGN(RecordReport);
};

}  // namespace caffe

#endif  // CAFFE_DATA_RECORD_REPORT_HPP_
