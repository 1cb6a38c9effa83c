#include "caffe/util/db.hpp"

#include "caffe/util/db_lmdb.hpp"

namespace caffe {
namespace db {

DB* GetDB(DataParameter::DB backend) { return new LMDB(backend == DataParameter_DB_LEVELDB); }

DB* GetDB(const string& backend) {
  CHECK(backend == "lmdb" || backend == "leveldb")
      << "unknown database backend \"" << backend << "\"; expected lmdb";
  return new LMDB(backend == "leveldb");
}

}  // namespace db
}  // namespace caffe
