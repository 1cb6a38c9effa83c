#ifndef CAFFE_UTIL_ATOMIC_FILE_HPP_
#define CAFFE_UTIL_ATOMIC_FILE_HPP_

#include <cstddef>
#include <string>

namespace caffe {

/**
 * @brief A file that appears under its name only when it is complete.
 *
 * Bytes go to a temporary file in the target's folder; Commit() flushes them
 * to the disk and renames. Whatever happens before that (an exception, a full
 * disk, a power cut) leaves the file that was there as it was. A target that
 * is a symbolic link is followed, permissions of an existing file are kept,
 * and something that cannot be replaced (a pipe, /dev/stdout) is written
 * directly.
 *
 * Every member throws Error: "PATH: cannot …: the system's reason".
 */
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  /** @brief Removes the temporary file unless Commit() succeeded. */
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void Write(const void* data, size_t size);
  void Write(const std::string& text) { Write(text.data(), text.size()); }
  /** @brief The file gets its name. Nothing can be written afterwards. */
  void Commit();

  /** @brief Where the bytes go until Commit(). */
  const std::string& temporary_path() const { return temporary_path_; }

 private:
  void OpenTemporary(int mode, bool has_mode);
  [[noreturn]] void Fail(const std::string& what, int error_number);
  void CloseAndRemove();

  std::string path_;            ///< as the caller named it: for messages
  std::string target_path_;     ///< after following symbolic links
  std::string temporary_path_;  ///< empty when the target is written directly
  int descriptor_ = -1;
};

/** @brief Replaces the content of a file, or leaves it as it was and throws Error. */
void WriteFileAtomically(const std::string& path, const std::string& content);

}  // namespace caffe

#endif  // CAFFE_UTIL_ATOMIC_FILE_HPP_
