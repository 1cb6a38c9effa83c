#include "tools/arguments.hpp"

#include <algorithm>
#include <cstdlib>

#include "caffe/common.hpp"
#include "caffe/layer_factory.hpp"

namespace caffe {

namespace {

bool IsInteger(const string& text) {
  char* end = nullptr;
  errno = 0;
  const long value = std::strtol(text.c_str(), &end, 10);
  return !text.empty() && *end == '\0' && errno == 0 && value >= INT_MIN && value <= INT_MAX;
}

bool IsTrue(const string& text) { return text == "true" || text == "1" || text == "yes"; }
bool IsFalse(const string& text) { return text == "false" || text == "0" || text == "no"; }

const Flag* FindFlag(const vector<Flag>& flags, const string& name) {
  const auto found =
      std::find_if(flags.begin(), flags.end(), [&](const Flag& flag) { return flag.name == name; });
  return found == flags.end() ? nullptr : &*found;
}

[[noreturn]] void FailUnknown(const string& name, const vector<Flag>& flags) {
  vector<string> names;
  for (const Flag& flag : flags) names.push_back(flag.name);
  std::ostringstream nearest;
  for (const string& known : NearestNames(name, names)) nearest << " -" << known;
  throw Error("unknown flag -" + name + "; the nearest known ones are" + nearest.str());
}

}  // namespace

Arguments::Arguments(const vector<string>& words, const vector<Flag>& flags) : flags_(flags) {
  for (size_t i = 0; i < words.size();) {
    if (words[i] == "--") {
      positional_.insert(positional_.end(), words.begin() + i + 1, words.end());
      return;
    }
    if (words[i].size() > 1 && words[i][0] == '-') {
      i = TakeFlag(words, i);
    } else {
      positional_.push_back(words[i++]);
    }
  }
}

size_t Arguments::TakeFlag(const vector<string>& words, size_t index) {
  const string word = words[index].substr(words[index][1] == '-' ? 2 : 1);
  const size_t equals = word.find('=');
  const string name = word.substr(0, equals);
  const Flag* flag = FindFlag(flags_, name);
  if (flag == nullptr && equals == string::npos && name.compare(0, 2, "no") == 0) {
    const Flag* negated = FindFlag(flags_, name.substr(2));
    if (negated != nullptr && negated->type == Flag::kBool) {
      Add(*negated, "false");
      return index + 1;
    }
  }
  if (flag == nullptr) FailUnknown(name, flags_);
  if (equals != string::npos) {
    Add(*flag, word.substr(equals + 1));
    return index + 1;
  }
  if (flag->type == Flag::kBool) {
    Add(*flag, "true");
    return index + 1;
  }
  CHECK(index + 1 < words.size()) << "the flag -" << name << " needs a value";
  Add(*flag, words[index + 1]);
  return index + 2;
}

void Arguments::Add(const Flag& flag, const string& value) {
  if (flag.type == Flag::kInt) {
    CHECK(IsInteger(value)) << "the flag -" << flag.name << " takes an integer, got \"" << value
                            << "\"";
  }
  if (flag.type == Flag::kBool) {
    CHECK(IsTrue(value) || IsFalse(value))
        << "the flag -" << flag.name << " takes true or false, got \"" << value << "\"";
  }
  values_[flag.name].push_back(value);
}

const Flag& Arguments::Find(const string& name) const {
  return *CHECK_NOTNULL(FindFlag(flags_, name));
}

string Arguments::text(const string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? Find(name).default_value : found->second.back();
}

int Arguments::number(const string& name) const {
  return static_cast<int>(std::strtol(text(name).c_str(), nullptr, 10));
}

bool Arguments::flag(const string& name) const { return IsTrue(text(name)); }

vector<string> Arguments::list(const string& name) const {
  const auto found = values_.find(name);
  const vector<string> values =
      found == values_.end() ? vector<string>{Find(name).default_value} : found->second;
  vector<string> parts;
  for (const string& value : values) {
    std::istringstream in(value);
    for (string part; std::getline(in, part, ',');) {
      if (!part.empty()) parts.push_back(part);
    }
  }
  return parts;
}

}  // namespace caffe
