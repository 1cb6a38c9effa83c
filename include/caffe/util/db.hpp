#ifndef CAFFE_UTIL_DB_HPP_
#define CAFFE_UTIL_DB_HPP_

#include <string>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {
namespace db {

enum Mode {
  READ,
  WRITE,  ///< an existing database, to add to
  NEW     ///< a database that must not exist yet
};

/** @brief A position in a database, in the order of the keys. */
class Cursor {
 public:
  Cursor() = default;
  virtual ~Cursor() = default;
  virtual void SeekToFirst() = 0;
  virtual void Next() = 0;
  virtual string key() = 0;
  virtual string value() = 0;
  /** @brief False after the last record, and in an empty database. */
  virtual bool valid() = 0;

  DISABLE_COPY_AND_ASSIGN(Cursor);
};

/** @brief Records to be written: all of them by Commit, or none. */
class Transaction {
 public:
  Transaction() = default;
  virtual ~Transaction() = default;
  virtual void Put(const string& key, const string& value) = 0;
  virtual void Commit() = 0;

  DISABLE_COPY_AND_ASSIGN(Transaction);
};

/** @brief A database of keys and values. Everything throws Error naming the database. */
class DB {
 public:
  DB() = default;
  virtual ~DB() = default;
  virtual void Open(const string& source, Mode mode) = 0;
  virtual void Close() = 0;
  /** @brief The caller deletes it, before it closes the database. */
  virtual Cursor* NewCursor() = 0;
  virtual Transaction* NewTransaction() = 0;

  DISABLE_COPY_AND_ASSIGN(DB);
};

/**
 * @brief A database of the given kind; the caller deletes it.
 *
 * Databases are LMDB. LEVELDB is the schema's default, so it is taken for "not
 * said": an LMDB is read, with a line in the log. Writing a LevelDB, or
 * reading one, throws Error that says how to convert it.
 */
DB* GetDB(DataParameter::DB backend);
/** @brief "lmdb" or "leveldb". @throws Error for another name. */
DB* GetDB(const string& backend);

}  // namespace db
}  // namespace caffe

#endif  // CAFFE_UTIL_DB_HPP_
