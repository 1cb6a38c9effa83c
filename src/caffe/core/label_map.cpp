#include "caffe/util/label_map.hpp"

#include <set>

#include "caffe/util/io.hpp"

namespace caffe {

ClassNames ReadLabelMap(const string& path) {
  LabelMap map;
  ReadProtoFromTextFileOrDie(path, &map);
  CHECK(map.item_size() > 0) << "label map " << path << ": has no class";
  ClassNames names;
  std::set<string> seen;
  for (const LabelMapItem& item : map.item()) {
    CHECK(item.has_label() && item.has_name())
        << "label map " << path << ": item " << names.size() << " needs a name and a label, got { "
        << item.ShortDebugString() << " }";
    CHECK(names.count(item.label()) == 0)
        << "label map " << path << ": label " << item.label() << " is both \""
        << names[item.label()].name << "\" and \"" << item.name() << "\"";
    CHECK(seen.insert(item.name()).second)
        << "label map " << path << ": the name \"" << item.name() << "\" is given twice";
    names[item.label()] = {item.name(),
                           item.has_display_name() ? item.display_name() : item.name()};
  }
  return names;
}

void CheckNamesEveryClass(const ClassNames& names, const string& path, int num_classes,
                          int background_label) {
  for (int label = 0; label < num_classes; ++label) {
    if (label == background_label) continue;
    CHECK(names.count(label) > 0) << "label map " << path << " has no class of label " << label
                                  << "; num_classes " << num_classes << " needs the labels 0 to "
                                  << num_classes - 1 << ", got " << names.size()
                                  << " class(es) with labels from " << names.begin()->first
                                  << " to " << names.rbegin()->first;
  }
}

}  // namespace caffe
