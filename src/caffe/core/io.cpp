#include "caffe/util/io.hpp"

#include <fcntl.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/text_format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>

#include "caffe/core/io_files.hpp"
#include "caffe/util/atomic_file.hpp"

namespace caffe {

namespace pbio = ::google::protobuf::io;

InputFile::InputFile(const string& path) {
  descriptor_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info{};
  if (descriptor_ < 0 || fstat(descriptor_, &info) != 0) Fail(path, std::strerror(errno));
  if (S_ISDIR(info.st_mode)) Fail(path, "it is a folder");
  size_ = S_ISREG(info.st_mode) ? info.st_size : -1;
}

InputFile::~InputFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

void InputFile::Fail(const string& path, const string& reason) {
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = -1;
  throw Error("cannot be read: " + reason, "", path);
}

string ReadWholeFile(const string& path) {
  InputFile file(path);
  string content;
  char buffer[1 << 16];
  while (true) {
    const ssize_t got = read(file.descriptor(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error(string("cannot be read: ") + std::strerror(errno), "", path);
    if (got == 0) return content;
    content.append(buffer, static_cast<size_t>(got));
  }
}

namespace {

template <typename Read>
bool LogFailure(const Read& read) {
  try {
    read();
    return true;
  } catch (const Error& error) {
    LOG(ERROR) << error.what();
    return false;
  }
}

/** What the file seems to be instead, for the end of an error; or empty. */
string InsteadOf(const string& filename, const Message& proto) {
  const FileKind kind = DetectFileKind(filename);
  if (kind == FileKind::kUnknown) return "";
  return ": it holds " + FileKindName(kind) + ", expected " + ExpectedContent(proto);
}

/** Protobuf's output into an AtomicFile. No exception may pass through protobuf: it is kept. */
class AtomicFileStream : public pbio::CopyingOutputStream {
 public:
  explicit AtomicFileStream(AtomicFile* file) : file_(file) {}
  bool Write(const void* buffer, int size) override {
    try {
      file_->Write(buffer, static_cast<size_t>(size));
      return true;
    } catch (...) {
      error_ = std::current_exception();
      return false;
    }
  }
  void RethrowError() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  AtomicFile* file_;
  std::exception_ptr error_;
};

}  // namespace

void MakeTempDir(string* temp_dirname) {
  const char* root = std::getenv("TMPDIR");
  string path = string(root != nullptr && *root != '\0' ? root : "/tmp") + "/caffe_test.XXXXXX";
  if (mkdtemp(&path[0]) == nullptr) {
    throw Error(string("cannot make a temporary folder: ") + std::strerror(errno), "", path);
  }
  *temp_dirname = path;
}

void MakeTempFilename(string* temp_filename) {
  string folder;
  MakeTempDir(&folder);
  *temp_filename = folder + "/file";
}

bool ReadProtoFromTextFile(const char* filename, Message* proto) {
  return LogFailure([&] { ReadProtoFromTextFileOrDie(filename, proto); });
}

void ReadProtoFromTextFileOrDie(const char* filename, Message* proto) {
  const string text = ReadWholeFile(filename);
  const string expected = ", expected a " + proto->GetDescriptor()->name() + " as text";
  if (text.empty()) throw Error("is empty" + expected, "", filename);
  const bool is_utf16 = text.compare(0, 2, "\xff\xfe") == 0 || text.compare(0, 2, "\xfe\xff") == 0;
  if (!is_utf16 && !IsText(text)) {
    throw Error("holds " + FileKindName(DetectFileKind(filename)) + expected, "", filename);
  }
  ReadProtoFromText(text, filename, proto);
}

void WriteProtoToTextFile(const Message& proto, const char* filename) {
  string text;
  if (!google::protobuf::TextFormat::PrintToString(proto, &text)) {
    throw Error("the " + proto.GetDescriptor()->name() + " cannot be written as text", "",
                filename);
  }
  WriteFileAtomically(filename, text);
}

bool ReadProtoFromBinaryFile(const char* filename, Message* proto) {
  return LogFailure([&] { ReadProtoFromBinaryFileOrDie(filename, proto); });
}

void ReadProtoFromBinaryFileOrDie(const char* filename, Message* proto) {
  CheckBinaryFile(filename, *proto);
  InputFile file(filename);
  pbio::FileInputStream stream(file.descriptor());
  pbio::CodedInputStream coded(&stream);
  // Older releases of protobuf stop at 64 MB by default.
  coded.SetTotalBytesLimit(INT_MAX);
  std::unique_ptr<Message> read(proto->New());
  if (!read->ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage()) {
    throw Error("is not a valid " + proto->GetDescriptor()->name() + InsteadOf(filename, *proto),
                "", filename);
  }
  proto->GetReflection()->Swap(proto, read.get());
}

void WriteProtoToBinaryFile(const Message& proto, const char* filename) {
  const size_t size = proto.ByteSizeLong();
  if (size > static_cast<size_t>(INT_MAX)) {
    throw Error("a " + proto.GetDescriptor()->name() + " of " + std::to_string(size) +
                    " bytes is more than protobuf's 2 GB; write HDF5 instead",
                "", filename);
  }
  if (!proto.IsInitialized()) {
    throw Error("the " + proto.GetDescriptor()->name() +
                    " lacks required fields: " + proto.InitializationErrorString(),
                "", filename);
  }
  AtomicFile file(filename);
  AtomicFileStream bytes(&file);
  {
    pbio::CopyingOutputStreamAdaptor stream(&bytes, 1 << 20);
    proto.SerializeToZeroCopyStream(&stream);
    stream.Flush();
  }
  bytes.RethrowError();
  file.Commit();
}

}  // namespace caffe
