// What a binary file holds. Protobuf's encoding does not say which message it
// is, so the structure is compared with what each message could look like.

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/unknown_field_set.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "caffe/core/io_files.hpp"

namespace caffe {
namespace {

namespace pb = ::google::protobuf;
typedef pb::FieldDescriptor Field;

enum WireType { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };

WireType WireTypeOf(const Field& field) {
  switch (field.type()) {
    case Field::TYPE_DOUBLE:
    case Field::TYPE_FIXED64:
    case Field::TYPE_SFIXED64:
      return kFixed64;
    case Field::TYPE_FLOAT:
    case Field::TYPE_FIXED32:
    case Field::TYPE_SFIXED32:
      return kFixed32;
    case Field::TYPE_STRING:
    case Field::TYPE_BYTES:
    case Field::TYPE_MESSAGE:
    case Field::TYPE_GROUP:
      return kLength;
    default:
      return kVarint;
  }
}

/** How a file's structure compares with a message's. */
struct Fit {
  std::set<int> seen;       ///< numbers of the known fields at the top level
  bool has_unknown = false;  ///< fields at the top level that the message does not have
  bool mismatched = false;   ///< a known field with another encoding, or no encoding at all
  string truncated;          ///< the field in which the file ends, and by how much

  bool IsGood() const { return !mismatched && truncated.empty(); }
};

/** Walks over the fields of a message and of its direct children, reading no values. */
class StructureReader {
 public:
  StructureReader(pb::io::CodedInputStream* input, int64_t size) : input_(input), size_(size) {}

  Fit Read(const pb::Descriptor& message) {
    fit_ = Fit();
    ReadFields(message, true);
    return fit_;
  }

 private:
  void ReadFields(const pb::Descriptor& message, bool is_top) {
    while (!fit_.mismatched && fit_.truncated.empty()) {
      const uint32_t tag = input_->ReadTag();
      if (tag == 0) {
        if (!input_->ConsumedEntireMessage()) fit_.mismatched = true;
        return;
      }
      const int number = static_cast<int>(tag >> 3);
      const Field* field = message.FindFieldByNumber(number);
      if (is_top && field != nullptr) fit_.seen.insert(number);
      if (is_top && field == nullptr) fit_.has_unknown = true;
      ReadField(field, static_cast<int>(tag & 7), is_top);
    }
  }

  void ReadField(const Field* field, int wire_type, bool is_top) {
    if (field != nullptr && wire_type != WireTypeOf(*field)) {
      // A repeated number may be packed or not, whatever the schema says.
      const bool is_packed = field->is_packable() && wire_type == kLength;
      if (!is_packed) {
        fit_.mismatched = true;
        return;
      }
    }
    uint64_t ignored64 = 0;
    uint32_t ignored32 = 0;
    bool is_complete = false;
    switch (wire_type) {
      case kVarint:
        is_complete = input_->ReadVarint64(&ignored64);
        break;
      case kFixed64:
        is_complete = input_->ReadLittleEndian64(&ignored64);
        break;
      case kFixed32:
        is_complete = input_->ReadLittleEndian32(&ignored32);
        break;
      case kLength:
        ReadLength(field, is_top);
        return;
      default:  // groups are not used in any version of the schema
        fit_.mismatched = true;
        return;
    }
    if (!is_complete) Truncated(field, is_top, 0);
  }

  void ReadLength(const Field* field, bool is_top) {
    uint32_t length = 0;
    if (!input_->ReadVarint32(&length)) return Truncated(field, is_top, 0);
    const int64_t left = is_top ? size_ - input_->CurrentPosition() : input_->BytesUntilLimit();
    if (length > left) return Truncated(field, is_top, length - left);
    if (field == nullptr || field->type() != Field::TYPE_MESSAGE || !is_top) {
      if (!input_->Skip(static_cast<int>(length))) Truncated(field, is_top, 0);
      return;
    }
    const auto limit = input_->PushLimit(static_cast<int>(length));
    ReadFields(*field->message_type(), false);
    input_->PopLimit(limit);
  }

  /** Only the end of the file cuts a field off; in a child it is no such message. */
  void Truncated(const Field* field, bool is_top, int64_t missing) {
    if (!is_top) {
      fit_.mismatched = true;
      return;
    }
    fit_.truncated = field == nullptr ? "an unknown field" : "the field \"" + field->name() + "\"";
    if (missing > 0) fit_.truncated += ", " + std::to_string(missing) + " bytes short";
  }

  pb::io::CodedInputStream* input_;
  int64_t size_;
  Fit fit_;
};

Fit Compare(const string& filename, const pb::Descriptor& message) {
  InputFile file(filename);
  pb::io::FileInputStream stream(file.descriptor());
  pb::io::CodedInputStream input(&stream);
  input.SetTotalBytesLimit(INT_MAX);
  return StructureReader(&input, file.size()).Read(message);
}

/** A kind of file, and the top-level fields of which it must have one. */
struct Candidate {
  FileKind kind;
  const pb::Descriptor* message;
  std::vector<int> needs_one_of;
  const char* name;
};

std::vector<Candidate> Candidates() {
  return {
      {FileKind::kNet, NetParameter::descriptor(),
       {NetParameter::kLayerFieldNumber, NetParameter::kLayersFieldNumber},
       "the weights of a net (.caffemodel)"},
      {FileKind::kSolverState, SolverState::descriptor(), {SolverState::kIterFieldNumber},
       "the state of a solver (.solverstate)"},
      {FileKind::kBlob, BlobProto::descriptor(),
       {BlobProto::kDataFieldNumber, BlobProto::kDiffFieldNumber,
        BlobProto::kDoubleDataFieldNumber, BlobProto::kDoubleDiffFieldNumber},
       "a blob (.binaryproto)"},
      {FileKind::kDatum, Datum::descriptor(),
       {Datum::kDataFieldNumber, Datum::kFloatDataFieldNumber}, "a Datum"},
      {FileKind::kAnnotatedDatum, AnnotatedDatum::descriptor(),
       {AnnotatedDatum::kDatumFieldNumber}, "an AnnotatedDatum"},
      {FileKind::kBlobVector, BlobProtoVector::descriptor(),
       {BlobProtoVector::kBlobsFieldNumber}, "a vector of blobs"},
  };
}

bool HasNeeded(const Candidate& candidate, const Fit& fit) {
  return std::any_of(candidate.needs_one_of.begin(), candidate.needs_one_of.end(),
                     [&](int number) { return fit.seen.count(number) > 0; });
}

bool IsTextByte(unsigned char byte) {
  return byte >= 0x80 || (byte >= 0x20 && byte != 0x7f) || (byte >= '\t' && byte <= '\r');
}

}  // namespace

FileKind DetectFileKind(const string& filename) {
  InputFile file(filename);
  char head[4096];
  const ssize_t got = read(file.descriptor(), head, sizeof head);
  if (got < 0) throw Error(string("cannot be read: ") + std::strerror(errno), "", filename);
  if (got == 0) return FileKind::kEmpty;
  if (got >= 8 && std::memcmp(head, "\x89HDF\r\n\x1a\n", 8) == 0) return FileKind::kHdf5;
  if (std::all_of(head, head + got, IsTextByte)) return FileKind::kText;
  if (file.size() > INT_MAX) return FileKind::kUnknown;
  FileKind best = FileKind::kUnknown;
  int best_penalty = INT_MAX;
  for (const Candidate& candidate : Candidates()) {
    const Fit fit = Compare(filename, *candidate.message);
    if (fit.mismatched || !HasNeeded(candidate, fit)) continue;
    const int penalty = (fit.has_unknown ? 1 : 0) + (fit.truncated.empty() ? 0 : 2);
    if (penalty >= best_penalty) continue;
    best = candidate.kind;
    best_penalty = penalty;
  }
  return best;
}

string FileKindName(FileKind kind) {
  for (const Candidate& candidate : Candidates()) {
    if (candidate.kind == kind) return candidate.name;
  }
  switch (kind) {
    case FileKind::kEmpty:
      return "nothing";
    case FileKind::kText:
      return "text";
    case FileKind::kHdf5:
      return "HDF5 data";
    default:
      return "binary data of an unknown kind";
  }
}

string ExpectedContent(const Message& proto) {
  for (const Candidate& candidate : Candidates()) {
    if (candidate.message == proto.GetDescriptor()) return candidate.name;
  }
  return "a " + proto.GetDescriptor()->name();
}

void CheckBinaryFile(const string& filename, const Message& proto) {
  const FileKind kind = DetectFileKind(filename);
  const string expected = "expected " + ExpectedContent(proto);
  if (kind == FileKind::kEmpty) throw Error("is empty, " + expected, "", filename);
  if (kind == FileKind::kText || kind == FileKind::kHdf5) {
    throw Error("holds " + FileKindName(kind) + ", " + expected, "", filename);
  }
  if (InputFile(filename).size() > INT_MAX) {
    throw Error("is larger than the 2 GB that protobuf can read", "", filename);
  }
  const Fit fit = Compare(filename, *proto.GetDescriptor());
  bool is_plausible = fit.IsGood() && !fit.seen.empty();
  for (const Candidate& candidate : Candidates()) {
    const bool is_whole = candidate.kind == FileKind::kNet ||
                          candidate.kind == FileKind::kSolverState;
    if (candidate.message == proto.GetDescriptor() && is_whole) {
      is_plausible = is_plausible && HasNeeded(candidate, fit);
    }
  }
  if (is_plausible) return;
  const bool is_other = kind != FileKind::kUnknown &&
                        "expected " + FileKindName(kind) != expected;
  if (is_other) throw Error("holds " + FileKindName(kind) + ", " + expected, "", filename);
  if (!fit.truncated.empty() && !fit.mismatched) {
    throw Error("is truncated: it ends in " + fit.truncated + "; " + expected, "", filename);
  }
  throw Error("holds " + FileKindName(FileKind::kUnknown) + ", " + expected, "", filename);
}

}  // namespace caffe
