#ifndef CAFFE_UTIL_DB_LMDB_HPP_
#define CAFFE_UTIL_DB_LMDB_HPP_

#include <lmdb.h>

#include <string>
#include <utility>
#include <vector>

#include "caffe/util/db.hpp"

namespace caffe {

/**
 * @brief One walk through an LMDB, which it only reads.
 *
 * Readers of the same database in a process share its LMDB environment, since
 * LMDB forbids to open one twice. Where no lock can be had (a read-only folder)
 * it reads without one. A reader may move between threads, but serves one at a
 * time; it is of no use in a forked child.
 */
class LmdbReader {
 public:
  /**
   * @param path a folder with data.mdb, or the file itself
   * @throws Error "database PATH: …" for one that is missing, truncated or not an LMDB
   * (for a LevelDB: how to convert it).
   */
  explicit LmdbReader(const string& path);
  ~LmdbReader();

  uint64_t size() const { return size_; }
  /** @name Moves. @return whether a record is there. */
  ///@{
  bool First() { return Move(MDB_FIRST); }
  bool Next() { return Move(MDB_NEXT); }
  bool Seek(const string& key);
  ///@}
  bool valid() const { return valid_; }
  /** @brief The record where the walk stands; @throws Error if there is none. */
  string key() const { return Copy(key_); }
  string value() const { return Copy(value_); }

 private:
  class Environment;

  bool Move(MDB_cursor_op operation);
  bool Found(int status);
  string Copy(const MDB_val& bytes) const;

  shared_ptr<Environment> environment_;
  MDB_txn* transaction_ = nullptr;
  MDB_cursor* cursor_ = nullptr;
  uint64_t size_ = 0;
  bool valid_ = false;
  MDB_val key_{};
  MDB_val value_{};

  DISABLE_COPY_AND_ASSIGN(LmdbReader);
};

namespace db {

class LMDBCursor : public Cursor {
 public:
  explicit LMDBCursor(const string& path) : reader_(path) { SeekToFirst(); }
  void SeekToFirst() override { reader_.First(); }
  void Next() override { reader_.Next(); }
  string key() override { return reader_.key(); }
  string value() override { return reader_.value(); }
  bool valid() override { return reader_.valid(); }

 private:
  LmdbReader reader_;
};

/** @brief Keeps the records in memory until Commit, which makes room in the map as it must. */
class LMDBTransaction : public Transaction {
 public:
  LMDBTransaction(MDB_env* env, const string& path) : env_(env), path_(path) {}
  void Put(const string& key, const string& value) override { records_.emplace_back(key, value); }
  void Commit() override;

 private:
  int Write();
  void DoubleMapSize();

  MDB_env* env_;
  string path_;
  vector<std::pair<string, string>> records_;
};

/**
 * @brief An LMDB, in Caffe's interface.
 *
 * The map of a database being written starts at 64 MB and doubles when it is
 * full; on disk is only what was written.
 */
class LMDB : public DB {
 public:
  /** @param said_leveldb the net asked for a LevelDB, perhaps only by the schema's default. */
  explicit LMDB(bool said_leveldb = false) : said_leveldb_(said_leveldb) {}
  ~LMDB() override { Close(); }
  void Open(const string& source, Mode mode) override;
  void Close() override;
  Cursor* NewCursor() override;
  Transaction* NewTransaction() override;

 private:
  void OpenForWriting(Mode mode);

  bool said_leveldb_;
  Mode mode_ = READ;
  string path_;
  MDB_env* env_ = nullptr;  ///< of a database that is written; readers have their own
};

/** @brief Logs that an LMDB is read though the net's backend says LEVELDB. */
void ReportBackend(const string& path);

}  // namespace db
}  // namespace caffe

#endif  // CAFFE_UTIL_DB_LMDB_HPP_
