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
  std::set<int> seen;        ///< numbers of the known fields at the top level
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

/** A kind of file, and the top-level fields that it has: one of each group. */
struct Candidate {
  FileKind kind;
  const pb::Descriptor* message;
  std::vector<std::vector<int>> needs;
  const char* name;
};

std::vector<Candidate> Candidates() {
  return {
      {FileKind::kNet,
       NetParameter::descriptor(),
       {{NetParameter::kLayerFieldNumber, NetParameter::kLayersFieldNumber}},
       "the weights of a net (.caffemodel)"},
      {FileKind::kSolverState,
       SolverState::descriptor(),
       {{SolverState::kIterFieldNumber},
        {SolverState::kLearnedNetFieldNumber, SolverState::kHistoryFieldNumber}},
       "the state of a solver (.solverstate)"},
      {FileKind::kBlob,
       BlobProto::descriptor(),
       {{BlobProto::kDataFieldNumber, BlobProto::kDiffFieldNumber,
         BlobProto::kDoubleDataFieldNumber, BlobProto::kDoubleDiffFieldNumber}},
       "a blob (.binaryproto)"},
      {FileKind::kDatum,
       Datum::descriptor(),
       {{Datum::kDataFieldNumber, Datum::kFloatDataFieldNumber}},
       "a Datum"},
      {FileKind::kAnnotatedDatum,
       AnnotatedDatum::descriptor(),
       {{AnnotatedDatum::kDatumFieldNumber}},
       "an AnnotatedDatum"},
      {FileKind::kBlobVector,
       BlobProtoVector::descriptor(),
       {{BlobProtoVector::kBlobsFieldNumber}},
       "a vector of blobs"},
  };
}

bool HasNeeded(const Candidate& candidate, const Fit& fit) {
  return std::all_of(candidate.needs.begin(), candidate.needs.end(),
                     [&](const std::vector<int>& group) {
                       return std::any_of(group.begin(), group.end(),
                                          [&](int number) { return fit.seen.count(number) > 0; });
                     });
}

FileKind KindOf(const pb::Descriptor& message) {
  for (const Candidate& candidate : Candidates()) {
    if (candidate.message == &message) return candidate.kind;
  }
  return FileKind::kUnknown;
}

/** Whether the fields that such a file never lacks are there. A blob may be empty. */
bool CouldBe(FileKind wanted, const Fit& fit) {
  if (wanted != FileKind::kNet && wanted != FileKind::kSolverState) return true;
  for (const Candidate& candidate : Candidates()) {
    if (candidate.kind == wanted) return HasNeeded(candidate, fit);
  }
  return true;
}

bool IsTextByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (byte >= 0x20 && byte != 0x7f) || (byte >= '\t' && byte <= '\r');
}

/** How much of a file tells whether it is text. */
const size_t kHeadSize = 4096;

}  // namespace

bool IsText(const string& content) {
  const auto end = content.begin() + static_cast<ptrdiff_t>(std::min(content.size(), kHeadSize));
  return std::all_of(content.begin(), end, IsTextByte);
}

FileKind DetectFileKind(const string& filename) {
  InputFile file(filename);
  string head(kHeadSize, '\0');
  const ssize_t got = read(file.descriptor(), &head[0], head.size());
  if (got < 0) throw Error(string("cannot be read: ") + std::strerror(errno), "", filename);
  head.resize(static_cast<size_t>(got));
  if (head.empty()) return FileKind::kEmpty;
  if (head.compare(0, 8, "\x89HDF\r\n\x1a\n", 8) == 0) return FileKind::kHdf5;
  if (IsText(head)) return FileKind::kText;
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
  const int64_t size = InputFile(filename).size();
  if (size < 0) return;  // a pipe can be read only once
  const FileKind kind = DetectFileKind(filename);
  const string expected = ", expected " + ExpectedContent(proto);
  if (kind == FileKind::kEmpty) throw Error("is empty" + expected, "", filename);
  const string holds = "holds " + FileKindName(kind) + expected;
  if (kind == FileKind::kText || kind == FileKind::kHdf5) throw Error(holds, "", filename);
  if (size > INT_MAX) throw Error("is larger than the 2 GB of protobuf's limit", "", filename);
  const FileKind wanted = KindOf(*proto.GetDescriptor());
  const Fit fit = Compare(filename, *proto.GetDescriptor());
  const bool is_other = kind != FileKind::kUnknown && kind != wanted;
  const bool fits = fit.IsGood() && !fit.seen.empty() && CouldBe(wanted, fit);
  if (fits && !(is_other && fit.has_unknown)) return;
  if (!is_other && !fit.mismatched && !fit.truncated.empty()) {
    throw Error("is truncated: it ends in " + fit.truncated + expected, "", filename);
  }
  throw Error("holds " + FileKindName(is_other ? kind : FileKind::kUnknown) + expected, "",
              filename);
}

}  // namespace caffe
