#ifndef CAFFE_UTIL_IO_H_
#define CAFFE_UTIL_IO_H_

#include <google/protobuf/message.h>

#include <string>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"
#include "caffe/util/format.hpp"

#if __has_include("caffe/util/image_io.hpp")
#include "caffe/util/image_io.hpp"
#endif

namespace caffe {

using ::google::protobuf::Message;

/** @brief Makes a new folder under the system's folder for temporary files. */
void MakeTempDir(string* temp_dirname);
/** @brief A path in a new temporary folder, where no file is yet. */
void MakeTempFilename(string* temp_filename);

/**
 * @brief Reads a message in text format (.prototxt).
 *
 * The OrDie form throws Error: "FILE: cannot be read: …" for a file that is
 * missing, unreadable, a folder or empty; "FILE:LINE:COLUMN: …" for what is
 * wrong in it, with the nearest names for an unknown field and the allowed
 * values for an enum. The other form logs the same as an error and returns
 * false. `proto` is changed only on success.
 */
bool ReadProtoFromTextFile(const char* filename, Message* proto);
void ReadProtoFromTextFileOrDie(const char* filename, Message* proto);

/** @brief As ReadProtoFromTextFileOrDie, of text at hand; `name` stands for the file in errors. */
void ReadProtoFromText(const string& text, const string& name, Message* proto);

/** @brief Writes text format, atomically. @throws Error naming the file. */
void WriteProtoToTextFile(const Message& proto, const char* filename);

/**
 * @brief Reads a message in binary format, up to protobuf's limit of 2 GB.
 *
 * The OrDie form throws Error naming the file where it is missing, empty,
 * truncated, text, or holds another kind of message (it says which). The other
 * form logs the same as an error and returns false. `proto` is changed only on
 * success.
 */
bool ReadProtoFromBinaryFile(const char* filename, Message* proto);
void ReadProtoFromBinaryFileOrDie(const char* filename, Message* proto);

/** @brief Writes binary format, atomically. @throws Error naming the file. */
void WriteProtoToBinaryFile(const Message& proto, const char* filename);

inline bool ReadProtoFromTextFile(const string& filename, Message* proto) {
  return ReadProtoFromTextFile(filename.c_str(), proto);
}
inline void ReadProtoFromTextFileOrDie(const string& filename, Message* proto) {
  ReadProtoFromTextFileOrDie(filename.c_str(), proto);
}
inline void WriteProtoToTextFile(const Message& proto, const string& filename) {
  WriteProtoToTextFile(proto, filename.c_str());
}
inline bool ReadProtoFromBinaryFile(const string& filename, Message* proto) {
  return ReadProtoFromBinaryFile(filename.c_str(), proto);
}
inline void ReadProtoFromBinaryFileOrDie(const string& filename, Message* proto) {
  ReadProtoFromBinaryFileOrDie(filename.c_str(), proto);
}
inline void WriteProtoToBinaryFile(const Message& proto, const string& filename) {
  WriteProtoToBinaryFile(proto, filename.c_str());
}

/** @brief What a file holds, judged by its content. */
enum class FileKind {
  kUnknown,
  kEmpty,
  kText,
  kHdf5,
  kNet,          ///< NetParameter: a .caffemodel
  kSolverState,  ///< SolverState: a .solverstate
  kBlob,         ///< BlobProto: a mean image
  kBlobVector,
  kDatum,
  kAnnotatedDatum,
};

/** @throws Error naming the file if it cannot be read. */
FileKind DetectFileKind(const string& filename);
/** @brief "the weights of a net (.caffemodel)". */
string FileKindName(FileKind kind);

}  // namespace caffe

#endif  // CAFFE_UTIL_IO_H_
