#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include "caffe/util/io.hpp"

namespace caffe {
namespace {

namespace pb = ::google::protobuf;

/** Keeps the first error, with its position; later ones are mostly its consequences. */
class FirstError : public pb::io::ErrorCollector {
 public:
  explicit FirstError(const string& name) : name_(name) {}
  void AddError(int line, pb::io::ColumnNumber column, const string& message) override {
    if (!text_.empty()) return;
    who_ = name_;
    if (line >= 0) who_ += ":" + std::to_string(line + 1) + ":" + std::to_string(column + 1);
    text_ = message;
  }
  void AddWarning(int line, pb::io::ColumnNumber, const string& message) override {
    LOG(WARNING) << name_ << ":" << line + 1 << ": " << message;
  }
  Error ToError() const { return Error(text_.empty() ? "is not valid text" : text_, "", who_); }

 private:
  string name_, who_, text_;
};

}  // namespace

void ReadProtoFromText(const string& text, const string& name, Message* proto) {
  FirstError errors(name);
  pb::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  std::unique_ptr<Message> read(proto->New());
  if (!parser.ParseFromString(text, read.get())) throw errors.ToError();
  proto->GetReflection()->Swap(proto, read.get());
}

}  // namespace caffe
