// Command lines in the manner of gflags, which Caffe's tools have.
#ifndef CAFFE_TOOLS_ARGUMENTS_HPP_
#define CAFFE_TOOLS_ARGUMENTS_HPP_

#include <map>
#include <string>
#include <vector>

namespace caffe {

/** @brief One flag of a subcommand: `-name value`, `--name=value`; a bool: `-name`, `-noname`. */
struct Flag {
  enum Type { kString, kInt, kBool };
  std::string name;
  Type type;
  std::string default_value;
  std::string help;
};

/**
 * @brief What a command line says, checked against the flags that are known.
 *
 * One dash or two; a value after `=` or as the next word; "--" ends the flags.
 * A flag given again replaces the value, but list() joins all of them.
 */
class Arguments {
 public:
  /**
   * @throws Error for an unknown flag (with the nearest names), a missing
   * value, or a value that is no integer or boolean.
   */
  Arguments(const std::vector<std::string>& words, const std::vector<Flag>& flags);

  bool given(const std::string& name) const { return values_.count(name) > 0; }
  /** @brief The value given, or the default. @throws Error if there is no such flag. */
  std::string text(const std::string& name) const;
  int number(const std::string& name) const;
  bool flag(const std::string& name) const;
  /** @brief The parts between commas, of all times that the flag is given. */
  std::vector<std::string> list(const std::string& name) const;
  /** @brief The words that are neither flags nor their values. */
  const std::vector<std::string>& positional() const { return positional_; }

 private:
  const Flag& Find(const std::string& name) const;
  size_t TakeFlag(const std::vector<std::string>& words, size_t index);
  void Add(const Flag& flag, const std::string& value);

  std::vector<Flag> flags_;
  std::map<std::string, std::vector<std::string>> values_;
  std::vector<std::string> positional_;
};

}  // namespace caffe

#endif  // CAFFE_TOOLS_ARGUMENTS_HPP_
