// Reads protobuf's text format. The library parses; its errors are told anew,
// with what a person who wrote the text needs.

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <cctype>

#include "caffe/core/text_format_context.hpp"
#include "caffe/util/io.hpp"

namespace caffe {
namespace {

namespace pb = ::google::protobuf;

/** The library's first error; later ones are mostly its consequences. */
class FirstError : public pb::io::ErrorCollector {
 public:
  void AddError(int line, pb::io::ColumnNumber column, const string& message) override {
    if (has_error_) return;
    has_error_ = true;
    line_ = line;
    column_ = column;
    message_ = message;
  }
  void AddWarning(int, pb::io::ColumnNumber, const string&) override {}

  /** Counted from 0; −1 if the error is about the message as a whole. */
  int line() const { return line_; }
  int column() const { return column_; }
  const string& message() const { return message_; }

 private:
  bool has_error_ = false;
  int line_ = -1, column_ = 0;
  string message_;
};

bool Contains(const string& text, const char* part) { return text.find(part) != string::npos; }

bool IsBlankFrom(const string& text, size_t offset) {
  for (; offset < text.size(); ++offset) {
    if (std::isspace(static_cast<unsigned char>(text[offset])) == 0) return false;
  }
  return true;
}

string DescribeTruncation(const string& text, const TextContext& context) {
  if (context.frames.size() == 1) return "the text ends after \"" + context.field + "\"";
  const TextFrame& frame = context.innermost();
  return "the text ends before the } that closes " + frame.field + " (opened in line " +
         std::to_string(PositionOf(text, frame.opened).line) + ")";
}

string DescribeDuplicate(const string& text, const TextContext& context) {
  string first;
  const auto given = context.innermost().first_given.find(context.field);
  if (given != context.innermost().first_given.end()) {
    first = ", the first time in line " + std::to_string(PositionOf(text, given->second).line);
  }
  return "\"" + context.field + "\" is given more than once" + first;
}

string DescribeEnum(const TextContext& context, const pb::FieldDescriptor& field,
                    const string& value) {
  string values;
  const pb::EnumDescriptor& type = *field.enum_type();
  for (int i = 0; i < type.value_count(); ++i) {
    values += (i == 0 ? "" : ", ") + type.value(i)->name();
  }
  return value + " is not a value of " + context.field + "; the values are " + values;
}

/** The library's own words, and which field they are about. */
string DescribeOther(const string& message, const pb::FieldDescriptor* field) {
  if (message == "Expected identifier, got: }") return "this } closes nothing";
  string result = message;
  if (!result.empty()) result[0] = static_cast<char>(std::tolower(result[0]));
  if (!result.empty() && result.back() == '.') result.pop_back();
  if (field == nullptr) return result;
  const char* type = field->message_type() != nullptr ? "message" : field->cpp_type_name();
  return field->name() + " (" + type + "): " + result;
}

/** An error without a place: protobuf names the required fields that were not given. */
string DescribeWhole(const string& message) {
  const string missing = "Message missing required fields: ";
  if (message.compare(0, missing.size(), missing) != 0) return message;
  return message.substr(missing.size()) + " must be given";
}

string WordAt(const string& text, size_t offset) {
  size_t end = offset;
  while (end < text.size() && std::isspace(static_cast<unsigned char>(text[end])) == 0) ++end;
  return text.substr(offset, end - offset);
}

Error MakeError(const string& text, const string& name, const pb::Descriptor* root,
                const FirstError& error) {
  if (error.line() < 0) return Error(DescribeWhole(error.message()), "", name);
  // The library points at the word after the one that it does not like, or at that one.
  size_t offset = OffsetOf(text, error.line(), error.column());
  const TextContext context = ReadContext(text, offset, root);
  const pb::Descriptor* message = context.innermost().message;
  const pb::FieldDescriptor* field =
      message == nullptr ? nullptr : message->FindFieldByName(context.field);
  string description;
  if (Contains(error.message(), "has no field named")) {
    offset = context.field_offset;
    description = DescribeUnknownField(context, context.field);
  } else if (Contains(error.message(), "is specified multiple times")) {
    offset = context.field_offset;
    description = DescribeDuplicate(text, context);
  } else if (Contains(error.message(), "Unknown enumeration value") && field != nullptr &&
             field->enum_type() != nullptr) {
    offset = context.token_offset;
    description = DescribeEnum(context, *field, WordAt(text, offset));
  } else if (Contains(error.message(), "Invalid value for boolean")) {
    offset = context.token_offset;
    description = WordAt(text, offset) + " is not a value of " + context.field +
                  "; the values are true, false";
  } else if (IsBlankFrom(text, offset)) {
    description = DescribeTruncation(text, context);
  } else {
    description = DescribeOther(error.message(), field);
  }
  const TextPosition position = PositionOf(text, offset);
  return Error(description + context.Where(), "",
               name + ":" + std::to_string(position.line) + ":" + std::to_string(position.column));
}

string WithoutByteOrderMark(const string& text, const string& name) {
  if (text.compare(0, 3, "\xef\xbb\xbf") == 0) return text.substr(3);
  if (text.compare(0, 2, "\xff\xfe") == 0 || text.compare(0, 2, "\xfe\xff") == 0) {
    throw Error("is UTF-16; save it as UTF-8", "", name);
  }
  return text;
}

}  // namespace

void ReadProtoFromText(const string& text, const string& name, Message* proto) {
  const string clean = WithoutByteOrderMark(text, name);
  FirstError error;
  pb::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.SetRecursionLimit(100);
  std::unique_ptr<Message> read(proto->New());
  if (!parser.ParseFromString(clean, read.get())) {
    throw MakeError(clean, name, proto->GetDescriptor(), error);
  }
  proto->GetReflection()->Swap(proto, read.get());
}

}  // namespace caffe
