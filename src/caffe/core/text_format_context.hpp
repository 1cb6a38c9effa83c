#ifndef CAFFE_CORE_TEXT_FORMAT_CONTEXT_HPP_
#define CAFFE_CORE_TEXT_FORMAT_CONTEXT_HPP_

#include <google/protobuf/descriptor.h>

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace caffe {

/** @brief A place in a text, counted from 1; a column is a character, a tab too. */
struct TextPosition {
  int line = 1;
  int column = 1;
};

TextPosition PositionOf(const std::string& text, size_t offset);

/**
 * @brief The byte at a place that protobuf's tokenizer reports: counted from 0,
 * in bytes, tabs reaching to the next multiple of 8.
 */
size_t OffsetOf(const std::string& text, int line, int column);

/** @brief An open message: where its `{` is, and which fields were given so far. */
struct TextFrame {
  const google::protobuf::Descriptor* message = nullptr;  ///< null inside an unknown field
  std::string field;                                      ///< by which it stands in its parent
  size_t opened = 0;                                      ///< offset of the field's name
  std::map<std::string, size_t> first_given;              ///< field name to offset
  std::string name;                                       ///< the value of a field `name`
};

/** @brief What stands around a place in a text in protobuf's text format. */
struct TextContext {
  std::vector<TextFrame> frames;  ///< from the root to the innermost message
  std::string field;              ///< the last field name before the place
  size_t field_offset = 0;
  size_t token_offset = 0;  ///< where the last word or sign before the place begins

  const TextFrame& innermost() const { return frames.back(); }
  /** @brief " (in layer "conv1")" for the named message around the place, or empty. */
  std::string Where() const;
};

/** @brief Reads the text up to `end`; whatever the text is, it ends there or before. */
TextContext ReadContext(const std::string& text, size_t end,
                        const google::protobuf::Descriptor* root);

/**
 * @brief The error for a field that a message does not have: the nearest names,
 * which other message has it, or which fork of Caffe.
 */
std::string DescribeUnknownField(const TextContext& context, const std::string& field);

}  // namespace caffe

#endif  // CAFFE_CORE_TEXT_FORMAT_CONTEXT_HPP_
