#include "caffe/util/db_lmdb.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <tuple>

namespace caffe {

namespace {

constexpr size_t kFirstMapSize = size_t{64} << 20U;
// Readers that a database's lock file has room for, if we are the first to open it.
constexpr unsigned kMaxReaders = 1024;

// The database is part of the message, so that a layer can still put its name before it.
[[noreturn]] void Fail(const string& path, const string& message) {
  throw Error("database " + path + ": " + message);
}

void Must(int status, const string& path, const char* what) {
  if (status != MDB_SUCCESS) Fail(path, string("cannot ") + what + ": " + mdb_strerror(status));
}

bool Exists(const string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0;
}

bool IsLevelDb(const string& folder) { return Exists(folder + "/CURRENT"); }

const char* const kHowToConvert =
    "this is a LevelDB, and only LMDB is read; make it anew with \"caffe convert_imageset "
    "-backend lmdb\", or copy its records, key by key, with the Python packages plyvel and lmdb";

/** The file that holds the data. @throws Error that says what else is there. */
string DataFile(const string& path) {
  struct stat info{};
  if (path.empty()) throw Error("the database has no name: source is empty");
  if (stat(path.c_str(), &info) != 0) Fail(path, string("cannot open: ") + std::strerror(errno));
  if (!S_ISDIR(info.st_mode)) return path;
  if (Exists(path + "/data.mdb")) return path + "/data.mdb";
  if (IsLevelDb(path)) Fail(path, kHowToConvert);
  Fail(path, "not an LMDB: there is no data.mdb in the folder");
}

/** LMDB reads through a memory map: a page beyond the end of the file would kill the process. */
void CheckFileSize(MDB_env* env, const string& path, const string& file) {
  MDB_envinfo info{};
  MDB_stat pages{};
  Must(mdb_env_info(env, &info), path, "read its header");
  Must(mdb_env_stat(env, &pages), path, "read its header");
  struct stat on_disk{};
  if (stat(file.c_str(), &on_disk) != 0) Fail(path, string("cannot open: ") + std::strerror(errno));
  const uint64_t expected = (static_cast<uint64_t>(info.me_last_pgno) + 1) * pages.ms_psize;
  const uint64_t got = static_cast<uint64_t>(on_disk.st_size);
  if (got < expected) {
    Fail(path, "truncated: expected " + std::to_string(expected) + " bytes of data, got " +
                   std::to_string(got));
  }
}

struct EnvironmentCloser {
  void operator()(MDB_env* env) const { mdb_env_close(env); }
};
typedef std::unique_ptr<MDB_env, EnvironmentCloser> EnvironmentPointer;

EnvironmentPointer NewEnvironment(const string& path) {
  MDB_env* env = nullptr;
  Must(mdb_env_create(&env), path, "open");
  return EnvironmentPointer(env);
}

EnvironmentPointer OpenReadOnly(const string& path, const string& file) {
  const unsigned flags = MDB_RDONLY | MDB_NOTLS | (file == path ? MDB_NOSUBDIR : 0U);
  int status = MDB_SUCCESS;
  for (const unsigned lock : {0U, static_cast<unsigned>(MDB_NOLOCK)}) {
    EnvironmentPointer env = NewEnvironment(path);
    Must(mdb_env_set_maxreaders(env.get(), kMaxReaders), path, "open");
    status = mdb_env_open(env.get(), path.c_str(), flags | lock, 0664);
    if (status == MDB_SUCCESS) return env;
  }
  if (status == ENOENT || status == MDB_INVALID || status == MDB_VERSION_MISMATCH) {
    Fail(path, string("not an LMDB, or a truncated one: ") + mdb_strerror(status));
  }
  Must(status, path, "open");
  return nullptr;
}

}  // namespace

/** A database opened for reading; one for each file and process. */
class LmdbReader::Environment {
 public:
  Environment(const string& path, const string& file)
      : path_(path), env_(OpenReadOnly(path, file)) {
    CheckFileSize(env_.get(), path, file);
  }
  MDB_env* env() const { return env_.get(); }
  const string& path() const { return path_; }

  /** The one that is open already, or a new one. */
  static shared_ptr<Environment> Get(const string& path);

 private:
  string path_;
  EnvironmentPointer env_;
};

shared_ptr<LmdbReader::Environment> LmdbReader::Environment::Get(const string& path) {
  // The process belongs to the key: a forked child must not use its parent's.
  typedef std::tuple<pid_t, dev_t, ino_t> Key;
  static std::mutex mutex;
  static std::map<Key, std::weak_ptr<Environment>> open;
  const string file = DataFile(path);
  struct stat info{};
  if (stat(file.c_str(), &info) != 0) Fail(path, string("cannot open: ") + std::strerror(errno));
  if (info.st_size == 0) Fail(path, "not an LMDB: " + file + " is empty");
  const std::lock_guard<std::mutex> lock(mutex);
  std::weak_ptr<Environment>& entry = open[Key(getpid(), info.st_dev, info.st_ino)];
  shared_ptr<Environment> environment = entry.lock();
  if (!environment) {
    environment = std::make_shared<Environment>(path, file);
    entry = environment;
  }
  return environment;
}

LmdbReader::LmdbReader(const string& path) : environment_(Environment::Get(path)) {
  MDB_env* env = environment_->env();
  int dead = 0;
  mdb_reader_check(env, &dead);  // frees the places of readers that were killed
  Must(mdb_txn_begin(env, nullptr, MDB_RDONLY, &transaction_), path, "begin to read");
  MDB_dbi dbi = 0;
  MDB_stat stat{};
  int status = mdb_dbi_open(transaction_, nullptr, 0, &dbi);
  if (status == MDB_SUCCESS) status = mdb_stat(transaction_, dbi, &stat);
  if (status == MDB_SUCCESS) status = mdb_cursor_open(transaction_, dbi, &cursor_);
  if (status != MDB_SUCCESS) mdb_txn_abort(transaction_);
  Must(status, path, "begin to read");
  size_ = stat.ms_entries;
}

LmdbReader::~LmdbReader() {
  mdb_cursor_close(cursor_);
  mdb_txn_abort(transaction_);
}

bool LmdbReader::Move(MDB_cursor_op operation) {
  return Found(mdb_cursor_get(cursor_, &key_, &value_, operation));
}

bool LmdbReader::Seek(const string& key) {
  key_.mv_data = const_cast<char*>(key.data());
  key_.mv_size = key.size();
  return Found(mdb_cursor_get(cursor_, &key_, &value_, MDB_SET_KEY));
}

bool LmdbReader::Found(int status) {
  valid_ = status == MDB_SUCCESS;
  if (!valid_ && status != MDB_NOTFOUND) Must(status, environment_->path(), "read a record");
  return valid_;
}

string LmdbReader::Copy(const MDB_val& bytes) const {
  if (!valid_) Fail(environment_->path(), "read beyond its last record");
  return string(static_cast<const char*>(bytes.mv_data), bytes.mv_size);
}

namespace db {

int LMDBTransaction::Write() {
  MDB_txn* transaction = nullptr;
  MDB_dbi dbi = 0;
  int status = mdb_txn_begin(env_, nullptr, 0, &transaction);
  if (status != MDB_SUCCESS) return status;
  status = mdb_dbi_open(transaction, nullptr, 0, &dbi);
  for (const auto& record : records_) {
    if (status != MDB_SUCCESS) break;
    MDB_val key{record.first.size(), const_cast<char*>(record.first.data())};
    MDB_val value{record.second.size(), const_cast<char*>(record.second.data())};
    status = mdb_put(transaction, dbi, &key, &value, 0);
    if (status == MDB_BAD_VALSIZE) {
      mdb_txn_abort(transaction);
      Fail(path_, "the key \"" + record.first + "\" has " + std::to_string(record.first.size()) +
                      " bytes; expected 1 to " + std::to_string(mdb_env_get_maxkeysize(env_)));
    }
  }
  if (status == MDB_SUCCESS) return mdb_txn_commit(transaction);
  mdb_txn_abort(transaction);
  return status;
}

void LMDBTransaction::DoubleMapSize() {
  MDB_envinfo info{};
  Must(mdb_env_info(env_, &info), path_, "enlarge its map");
  Must(mdb_env_set_mapsize(env_, info.me_mapsize * 2), path_,
       "enlarge its map (is there a limit on virtual memory? ulimit -v)");
}

void LMDBTransaction::Commit() {
  int status = Write();
  for (; status == MDB_MAP_FULL; status = Write()) DoubleMapSize();
  Must(status, path_, "write records");
  records_.clear();
}

void LMDB::Open(const string& source, Mode mode) {
  Close();
  path_ = source;
  mode_ = mode;
  if (mode != READ) {
    OpenForWriting(mode);
    return;
  }
  const LmdbReader probe(source);
  if (said_leveldb_) ReportBackend(source);
}

void LMDB::OpenForWriting(Mode mode) {
  if (said_leveldb_) Fail(path_, "a LevelDB cannot be written; use the backend lmdb");
  if (mode == NEW && mkdir(path_.c_str(), 0755) != 0) {
    Fail(path_, string("cannot make the folder: ") + std::strerror(errno));
  }
  if (mode == WRITE) DataFile(path_);
  EnvironmentPointer env = NewEnvironment(path_);
  Must(mdb_env_open(env.get(), path_.c_str(), 0, 0664), path_, "open for writing");
  MDB_envinfo info{};
  Must(mdb_env_info(env.get(), &info), path_, "open for writing");
  if (info.me_mapsize < kFirstMapSize) {
    Must(mdb_env_set_mapsize(env.get(), kFirstMapSize), path_, "open for writing");
  }
  env_ = env.release();
}

void LMDB::Close() {
  if (env_ != nullptr) mdb_env_close(env_);
  env_ = nullptr;
}

Cursor* LMDB::NewCursor() {
  if (env_ != nullptr) Fail(path_, "is open for writing; close it, and open it to read");
  return new LMDBCursor(path_);
}

Transaction* LMDB::NewTransaction() {
  if (env_ == nullptr) Fail(path_, "is not open for writing");
  return new LMDBTransaction(env_, path_);
}

void ReportBackend(const string& path) {
  LOG(INFO) << "database " << path << ": an LMDB, though the net's backend is LEVELDB (the "
            << "schema's default); reading it as LMDB";
}

}  // namespace db
}  // namespace caffe
