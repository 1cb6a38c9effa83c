#ifndef CAFFE_BACKEND_ONEDNN_CONV_CACHE_HPP_
#define CAFFE_BACKEND_ONEDNN_CONV_CACHE_HPP_

#include <map>
#include <string>

#include "caffe/common.hpp"

namespace caffe {
namespace onednn {

/**
 * @brief What was measured once: a word for each key, in memory and in a file.
 *
 * The file has a line "key: word" for each; other lines are left out when it is
 * read and written. It appears whole or not at all. Two processes that measure
 * at the same time keep what both found.
 */
class ConvCache {
 public:
  /** @param path an empty one keeps everything in memory alone */
  explicit ConvCache(const string& path);
  /** @brief The word, or an empty one where the key is unknown. */
  string Find(const string& key) const;
  /** @brief Adds it, and to the file; where that cannot be written, a warning says so once. */
  void Add(const string& key, const string& word);
  const string& path() const { return path_; }

 private:
  string path_;
  bool writable_ = true;
  std::map<string, string> words_;
};

/**
 * @brief The file for this processor, its instructions in use, and this release of oneDNN.
 *
 * $CAFFE_CONV_CACHE, where `off` is none; else in $XDG_CACHE_HOME/ssd-centerloss,
 * or in ~/.cache/ssd-centerloss; none where there is no home.
 */
string ConvCachePath();

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_BACKEND_ONEDNN_CONV_CACHE_HPP_
