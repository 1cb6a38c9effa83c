#ifndef CAFFE_UTIL_LABEL_MAP_HPP_
#define CAFFE_UTIL_LABEL_MAP_HPP_

#include <map>
#include <string>

#include "caffe/common.hpp"

namespace caffe {

/** @brief What a label is called. */
struct ClassName {
  string name;          ///< in annotations and result files
  string display_name;  ///< for people; the name, where the map gives no other
};

typedef std::map<int, ClassName> ClassNames;  ///< by label

/**
 * @brief The classes of a label map (a LabelMap message in text format).
 * @throws Error naming the file if it cannot be read, holds no class, or holds
 * a class without name or label, or a name or label twice.
 */
ClassNames ReadLabelMap(const string& path);

/** @brief @throws Error for a label of 0 … num_classes − 1, but the background, without a name. */
void CheckNamesEveryClass(const ClassNames& names, const string& path, int num_classes,
                          int background_label);

}  // namespace caffe

#endif  // CAFFE_UTIL_LABEL_MAP_HPP_
