#ifndef CAFFE_DATA_LABEL_MAP_HPP_
#define CAFFE_DATA_LABEL_MAP_HPP_

#include <map>
#include <string>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/** @brief The classes of a dataset by their label, checked. */
class LabelNames {
 public:
  /**
   * @brief Reads a LabelMap in text format.
   * @throws Error naming the file, for one that cannot be read, has no item, or an item without
   * a label, with a negative one, or one given before.
   */
  explicit LabelNames(const string& file);

  const string& file() const { return file_; }
  bool Has(int label) const { return names_.count(label) > 0; }
  int largest() const { return names_.rbegin()->first; }
  /** @brief The display name, or else the name; by label. */
  const std::map<int, string>& names() const { return names_; }

 private:
  string file_;
  std::map<int, string> names_;
};

}  // namespace caffe

#endif  // CAFFE_DATA_LABEL_MAP_HPP_
