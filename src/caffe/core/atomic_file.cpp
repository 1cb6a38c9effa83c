#include "caffe/util/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "caffe/common.hpp"

namespace caffe {
namespace {

string FolderOf(const string& path) {
  const size_t slash = path.rfind('/');
  if (slash == string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/** Follows symbolic links; a path that does not exist yet stays as it is. */
string Resolve(const string& path) {
  char* resolved = realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  const string result(resolved);
  std::free(resolved);
  return result;
}

/** A name beside the target that no other process or thread is using now. */
string TemporaryName(const string& target) {
  static std::atomic<unsigned> counter{0};
  // A file system allows 255 bytes in a name.
  const size_t start = target.rfind('/') == string::npos ? 0 : target.rfind('/') + 1;
  return target.substr(0, start) + target.substr(start, 200) + ".tmp-" + std::to_string(getpid()) +
         "-" + std::to_string(counter++);
}

/** The rename itself must reach the disk too. A file system that cannot do it is no error. */
void SyncFolder(const string& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  close(descriptor);
}

}  // namespace

AtomicFile::AtomicFile(const string& path) : path_(path), target_path_(Resolve(path)) {
  if (path.empty()) throw Error("a file to write needs a name");
  struct stat info{};
  const bool exists = stat(target_path_.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode)) Fail("write", EISDIR);
  if (!exists || S_ISREG(info.st_mode)) {
    if (exists && access(target_path_.c_str(), W_OK) != 0) Fail("write", errno);
    OpenTemporary(static_cast<int>(info.st_mode & 07777), exists);
    return;
  }
  descriptor_ = open(target_path_.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor_ < 0) Fail("open for writing", errno);
}

void AtomicFile::OpenTemporary(int mode, bool has_mode) {
  do {  // the name may be a leftover of a process that was killed
    temporary_path_ = TemporaryName(target_path_);
    descriptor_ = open(temporary_path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) {
    const int error_number = errno;
    temporary_path_.clear();
    Fail("create a file in the folder " + FolderOf(target_path_), error_number);
  }
  if (has_mode && fchmod(descriptor_, static_cast<mode_t>(mode)) != 0) {
    LOG(WARNING) << path_ << ": its permissions could not be kept: " << std::strerror(errno);
  }
}

AtomicFile::~AtomicFile() { CloseAndRemove(); }

void AtomicFile::CloseAndRemove() {
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = -1;
  if (!temporary_path_.empty()) unlink(temporary_path_.c_str());
  temporary_path_.clear();
}

void AtomicFile::Fail(const string& what, int error_number) {
  CloseAndRemove();
  throw Error("cannot " + what + ": " + std::strerror(error_number), "", path_);
}

void AtomicFile::Write(const void* data, size_t size) {
  CHECK(descriptor_ >= 0) << path_ << ": written to after it was closed";
  const char* bytes = static_cast<const char*>(data);
  while (size > 0) {
    // One call writes at most 2 GB.
    const ssize_t written = write(descriptor_, bytes, size < (1u << 30) ? size : (1u << 30));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) Fail("write", errno);
    bytes += written;
    size -= static_cast<size_t>(written);
  }
}

void AtomicFile::Commit() {
  CHECK(descriptor_ >= 0) << path_ << ": committed after it was closed";
  const bool is_direct = temporary_path_.empty();
  // A pipe or a terminal cannot be flushed to a disk.
  if (!is_direct && fsync(descriptor_) != 0) Fail("write", errno);
  const int closed = close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) Fail("write", errno);
  if (is_direct) return;
  if (rename(temporary_path_.c_str(), target_path_.c_str()) != 0) Fail("replace", errno);
  temporary_path_.clear();
  SyncFolder(FolderOf(target_path_));
}

void WriteFileAtomically(const string& path, const string& content) {
  AtomicFile file(path);
  file.Write(content);
  file.Commit();
}

}  // namespace caffe
