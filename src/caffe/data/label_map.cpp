#include "caffe/data/label_map.hpp"

#include "caffe/util/io.hpp"

namespace caffe {

LabelNames::LabelNames(const string& file) : file_(file) {
  LabelMap map;
  ReadProtoFromTextFileOrDie(file, &map);
  for (const LabelMapItem& item : map.item()) {
    CHECK(item.has_label() && item.label() >= 0) << "label map " << file << ": the item \""
                                                 << item.name() << "\" needs a label of at least 0";
    const string& name = item.has_display_name() ? item.display_name() : item.name();
    CHECK(names_.emplace(item.label(), name).second)
        << "label map " << file << ": the label " << item.label() << " is given twice, to \""
        << names_[item.label()] << "\" and \"" << name << "\"";
  }
  CHECK(!names_.empty()) << "label map " << file << ": has no items";
}

}  // namespace caffe
