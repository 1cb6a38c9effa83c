#include "caffe/core/text_format_context.hpp"

#include <algorithm>
#include <cctype>

namespace caffe {
namespace {

namespace pb = ::google::protobuf;

bool IsWordByte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-' ||
         c == '+';
}

/** The words, strings and signs of a text, one after the other. */
class Tokens {
 public:
  Tokens(const std::string& text, size_t end) : text_(text), end_(std::min(end, text.size())) {}

  /** False at the end. A string's token has its quotes; comments are left out. */
  bool Next() {
    SkipBlank();
    begin_ = next_;
    if (next_ >= end_) return false;
    if (text_[next_] == '"' || text_[next_] == '\'') {
      SkipString();
    } else if (IsWordByte(text_[next_])) {
      while (next_ < end_ && IsWordByte(text_[next_])) ++next_;
    } else {
      ++next_;
    }
    return true;
  }
  std::string text() const { return text_.substr(begin_, next_ - begin_); }
  char first() const { return text_[begin_]; }
  size_t offset() const { return begin_; }

 private:
  void SkipBlank() {
    while (next_ < end_) {
      if (text_[next_] == '#') {
        while (next_ < end_ && text_[next_] != '\n') ++next_;
      } else if (std::isspace(static_cast<unsigned char>(text_[next_])) != 0) {
        ++next_;
      } else {
        return;
      }
    }
  }
  void SkipString() {
    const char quote = text_[next_++];
    while (next_ < end_ && text_[next_] != quote && text_[next_] != '\n') {
      next_ += text_[next_] == '\\' ? 2 : 1;
    }
    next_ = std::min(end_, next_ + 1);
  }

  const std::string& text_;
  size_t end_;
  size_t begin_ = 0, next_ = 0;
};

std::string Unquoted(const std::string& token) {
  const bool is_closed = token.size() >= 2 && token.front() == token.back();
  return is_closed ? token.substr(1, token.size() - 2) : "";
}

class ContextReader {
 public:
  ContextReader(const std::string& text, size_t end, const pb::Descriptor* root)
      : tokens_(text, end) {
    context_.frames.emplace_back();
    context_.frames.back().message = root;
  }

  TextContext Read() {
    while (tokens_.Next()) {
      context_.token_offset = tokens_.offset();
      Take(tokens_.first());
    }
    return context_;
  }

 private:
  void Take(char first) {
    if (first == '{' || first == '<') {
      Open();
    } else if (first == '}' || first == '>') {
      if (context_.frames.size() > 1) context_.frames.pop_back();
      is_value_ = false;
    } else if (first == '[') {
      is_list_ = true;
    } else if (first == ']') {
      is_list_ = is_value_ = false;
    } else if (first == ':') {
      is_value_ = true;
    } else if (first != ',' && first != ';') {
      TakeWord(first);
    }
  }

  void Open() {
    TextFrame frame;
    const pb::Descriptor* parent = context_.innermost().message;
    const pb::FieldDescriptor* field =
        parent == nullptr ? nullptr : parent->FindFieldByName(context_.field);
    frame.message = field == nullptr ? nullptr : field->message_type();
    frame.field = context_.field;
    frame.opened = context_.field_offset;
    context_.frames.push_back(frame);
    is_value_ = is_list_ = false;
  }

  void TakeWord(char first) {
    if (is_value_ || is_list_) {
      if (context_.field == "name") context_.frames.back().name = Unquoted(tokens_.text());
      is_value_ = is_list_;
      return;
    }
    if (first == '"' || first == '\'') return;  // a string continued by another
    context_.field = tokens_.text();
    context_.field_offset = tokens_.offset();
    context_.frames.back().first_given.emplace(context_.field, tokens_.offset());
  }

  Tokens tokens_;
  TextContext context_;
  bool is_value_ = false;  // after a colon
  bool is_list_ = false;
};

}  // namespace

TextPosition PositionOf(const std::string& text, size_t offset) {
  offset = std::min(offset, text.size());
  TextPosition position;
  for (size_t i = 0; i < offset; ++i) {
    if (text[i] == '\n') {
      ++position.line;
      position.column = 1;
    } else if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) {  // not inside a character
      ++position.column;
    }
  }
  return position;
}

size_t OffsetOf(const std::string& text, int line, int column) {
  size_t offset = 0;
  for (; line > 0; --line) {
    const size_t newline = text.find('\n', offset);
    if (newline == std::string::npos) return text.size();
    offset = newline + 1;
  }
  for (int at = 0; at < column && offset < text.size() && text[offset] != '\n'; ++offset) {
    at = text[offset] == '\t' ? at / 8 * 8 + 8 : at + 1;
  }
  return offset;
}

TextContext ReadContext(const std::string& text, size_t end, const pb::Descriptor* root) {
  return ContextReader(text, end, root).Read();
}

std::string TextContext::Where() const {
  for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
    const bool is_named = !frame->name.empty() && !frame->field.empty();
    if (is_named && frame->field != "param") {
      return " (in " + frame->field + " \"" + frame->name + "\")";
    }
  }
  return "";
}

}  // namespace caffe
