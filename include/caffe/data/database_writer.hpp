#ifndef CAFFE_DATA_DATABASE_WRITER_HPP_
#define CAFFE_DATA_DATABASE_WRITER_HPP_

#include <memory>
#include <string>

#include "caffe/common.hpp"
#include "caffe/util/db.hpp"

namespace caffe {

/**
 * @brief Makes a database that appears under its name only when it is complete.
 *
 * Records go to a folder beside it, which Commit() renames; without Commit()
 * the folder is removed. (A process that is killed leaves it: NAME.tmp-PID.)
 * @throws Error naming the database.
 */
class DatabaseWriter {
 public:
  /** @throws Error if there is something of this name already. */
  DatabaseWriter(const string& path, const string& backend);
  ~DatabaseWriter();
  void Put(const string& key, const string& value);
  void Commit();

 private:
  void Flush();

  string path_;
  string temporary_path_;  ///< empty after Commit
  std::unique_ptr<db::DB> database_;
  std::unique_ptr<db::Transaction> transaction_;
  size_t pending_bytes_ = 0;

  DISABLE_COPY_AND_ASSIGN(DatabaseWriter);
};

}  // namespace caffe

#endif  // CAFFE_DATA_DATABASE_WRITER_HPP_
