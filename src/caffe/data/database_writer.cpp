#include "caffe/data/database_writer.hpp"

#include <unistd.h>

#include <filesystem>
#include <system_error>

namespace caffe {

namespace {

// A transaction is in memory until it is committed, and each commit waits for the disk.
constexpr size_t kTransactionBytes = size_t{32} << 20U;

string WithoutSlashes(string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

DatabaseWriter::DatabaseWriter(const string& path, const string& backend)
    : path_(WithoutSlashes(path)), database_(db::GetDB(backend)) {
  CHECK(!path_.empty()) << "the database to write has no name";
  std::error_code ignored;
  CHECK(!std::filesystem::exists(path_, ignored))
      << "database " << path_ << ": exists already; remove it, or choose another name";
  const string temporary = path_ + ".tmp-" + std::to_string(getpid());
  std::filesystem::remove_all(temporary, ignored);  // of a killed process that had our number
  database_->Open(temporary, db::NEW);
  temporary_path_ = temporary;
  transaction_.reset(database_->NewTransaction());
}

DatabaseWriter::~DatabaseWriter() {
  transaction_.reset();
  database_->Close();
  std::error_code ignored;
  if (!temporary_path_.empty()) std::filesystem::remove_all(temporary_path_, ignored);
}

void DatabaseWriter::Put(const string& key, const string& value) {
  transaction_->Put(key, value);
  pending_bytes_ += key.size() + value.size();
  if (pending_bytes_ >= kTransactionBytes) Flush();
}

void DatabaseWriter::Flush() {
  transaction_->Commit();
  transaction_.reset(database_->NewTransaction());
  pending_bytes_ = 0;
}

void DatabaseWriter::Commit() {
  CHECK(!temporary_path_.empty()) << "database " << path_ << ": committed twice";
  transaction_->Commit();
  transaction_.reset();
  database_->Close();
  std::error_code error;
  std::filesystem::rename(temporary_path_, path_, error);
  CHECK(!error) << "database " << path_ << ": cannot get its name: " << error.message();
  temporary_path_.clear();
}

}  // namespace caffe
