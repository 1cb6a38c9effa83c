#include "caffe/backend/onednn_conv_cache.hpp"

#include <cctype>
#include <cstdlib>
#include <filesystem>

#include "caffe/backend/onednn.hpp"
#include "caffe/util/atomic_file.hpp"

namespace caffe {
namespace onednn {

namespace {

/** Of the methods that compete: raised with each new one, so that it is measured. */
constexpr int kMethods = 2;

std::map<string, string> ReadWords(const string& path) {
  std::map<string, string> words;
  std::ifstream file(path);
  string line;
  while (std::getline(file, line)) {
    const size_t colon = line.find(": ");
    if (line.empty() || line[0] == '#' || colon == string::npos) continue;
    words[line.substr(0, colon)] = line.substr(colon + 2);
  }
  return words;
}

string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/** The processor's name, as a part of a file's: letters, digits and single dashes. */
string ProcessorSlug() {
  std::ifstream info("/proc/cpuinfo");
  string line, name, slug;
  while (name.empty() && std::getline(info, line)) {
    if (line.compare(0, 10, "model name") == 0) name = line.substr(line.find(':') + 1);
  }
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      slug += c;
    } else if (!slug.empty() && slug.back() != '-') {
      slug += '-';
    }
  }
  return slug.empty() ? "unknown" : slug;
}

}  // namespace

ConvCache::ConvCache(const string& path) : path_(path) {
  if (!path.empty()) words_ = ReadWords(path);
}

string ConvCache::Find(const string& key) const {
  const auto known = words_.find(key);
  return known == words_.end() ? "" : known->second;
}

void ConvCache::Add(const string& key, const string& word) {
  words_[key] = word;
  if (path_.empty() || !writable_) return;
  std::map<string, string> all = ReadWords(path_);
  all[key] = word;
  std::ostringstream text;
  text << "# The fastest methods of convolutions, as measured: remove a line, or the file, to have "
          "it measured anew.\n";
  for (const auto& entry : all) text << entry.first << ": " << entry.second << "\n";
  try {
    const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
    if (!folder.empty()) std::filesystem::create_directories(folder);
    WriteFileAtomically(path_, text.str());
  } catch (const std::exception& error) {
    writable_ = false;
    LOG(WARNING) << "measured convolutions are not remembered: " << error.what();
  }
}

string ConvCachePath() {
  const string given = Variable("CAFFE_CONV_CACHE");
  if (!given.empty()) return given == "off" ? "" : given;
  string folder = Variable("XDG_CACHE_HOME");
  if (folder.empty()) {
    const string home = Variable("HOME");
    if (home.empty()) return "";
    folder = home + "/.cache";
  }
  std::ostringstream path;
  const dnnl_version_t* version = dnnl_version();
  path << folder << "/ssd-centerloss/conv-" << kMethods << "-" << ProcessorSlug() << "-isa"
       << std::hex << static_cast<unsigned>(dnnl::get_effective_cpu_isa()) << std::dec << "-onednn"
       << version->major << "." << version->minor << "." << version->patch << ".txt";
  return path.str();
}

}  // namespace onednn
}  // namespace caffe
