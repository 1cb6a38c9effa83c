#ifndef CAFFE_CORE_IO_FILES_HPP_
#define CAFFE_CORE_IO_FILES_HPP_

#include <google/protobuf/message.h>

#include <cstdint>
#include <string>

#include "caffe/util/io.hpp"

namespace caffe {

/** @brief A file opened for reading. @throws Error "PATH: cannot be read: …". */
class InputFile {
 public:
  explicit InputFile(const string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  int descriptor() const { return descriptor_; }
  /** @brief In bytes; −1 for what has no size, a pipe for example. */
  int64_t size() const { return size_; }

 private:
  [[noreturn]] void Fail(const string& path, const string& reason);

  int descriptor_ = -1;
  int64_t size_ = -1;
};

string ReadWholeFile(const string& path);

/** @brief Whether the first bytes are letters, signs and white space, in any encoding of 8 bits. */
bool IsText(const string& content);

/**
 * @brief Compares a file's structure with a message's, without loading it.
 * @throws Error if the file is empty, truncated, or holds something else.
 */
void CheckBinaryFile(const string& filename, const Message& proto);

/** @brief "the weights of a net (.caffemodel)" for a NetParameter, "a Datum" for a Datum … */
string ExpectedContent(const Message& proto);

}  // namespace caffe

#endif  // CAFFE_CORE_IO_FILES_HPP_
