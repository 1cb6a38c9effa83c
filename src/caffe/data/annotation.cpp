#include "caffe/data/annotation.hpp"

#include <algorithm>
#include <cmath>

namespace caffe {

namespace {

constexpr int kLargestLabel = 1 << 24;

/** What keeps a box from being a target, or nullptr. */
const char* FaultOf(const Box<float>& box) {
  if (!IsFinite(box)) return "is not finite";
  if (box.xmax <= box.xmin || box.ymax <= box.ymin) return "has no area";
  const Box<float> clipped = Clip(box);
  if (clipped.xmax <= clipped.xmin || clipped.ymax <= clipped.ymin) return "is outside the image";
  return nullptr;
}

string Describe(const Box<float>& box) {
  std::ostringstream out;
  out << "(" << box.xmin << ", " << box.ymin << ", " << box.xmax << ", " << box.ymax << ")";
  return out.str();
}

}  // namespace

vector<AnnotatedBox> BoxesOf(const AnnotatedDatum& datum, string* complaint) {
  vector<AnnotatedBox> boxes;
  int left_out = 0;
  string first;
  for (const AnnotationGroup& group : datum.annotation_group()) {
    CHECK(group.group_label() >= 0 && group.group_label() <= kLargestLabel)
        << "has the label " << group.group_label() << ", expected 0 to " << kLargestLabel;
    for (const Annotation& annotation : group.annotation()) {
      const NormalizedBBox& bbox = annotation.bbox();
      const Box<float> box = {bbox.xmin(), bbox.ymin(), bbox.xmax(), bbox.ymax()};
      if (const char* fault = FaultOf(box)) {
        if (left_out++ == 0) first = Describe(box) + " " + fault;
        continue;
      }
      boxes.push_back({Clip(box), group.group_label(), annotation.instance_id(), bbox.difficult()});
    }
  }
  if (left_out > 0) {
    *complaint = std::to_string(left_out) + " box(es) left out; the first, " + first;
  }
  return boxes;
}

bool Emits(const EmitConstraint& constraint, const Box<float>& window, const Box<float>& box) {
  if (constraint.emit_type() == EmitConstraint::MIN_OVERLAP) {
    return Coverage(box, window) > constraint.emit_overlap();
  }
  const float x = (box.xmin + box.xmax) / 2;
  const float y = (box.ymin + box.ymax) / 2;
  return x >= window.xmin && x <= window.xmax && y >= window.ymin && y <= window.ymax;
}

vector<AnnotatedBox> ProjectBoxes(const vector<AnnotatedBox>& boxes, const Box<float>& window,
                                  const EmitConstraint* constraint) {
  vector<AnnotatedBox> seen;
  seen.reserve(boxes.size());
  for (AnnotatedBox object : boxes) {
    if (constraint != nullptr && !Emits(*constraint, window, object.box)) continue;
    const Box<float> relative = {(object.box.xmin - window.xmin) / Width(window),
                                 (object.box.ymin - window.ymin) / Height(window),
                                 (object.box.xmax - window.xmin) / Width(window),
                                 (object.box.ymax - window.ymin) / Height(window)};
    object.box = Clip(relative);
    if (Area(object.box) > 0) seen.push_back(object);
  }
  return seen;
}

void MirrorBoxes(vector<AnnotatedBox>* boxes) {
  for (AnnotatedBox& object : *boxes) {
    const float xmin = object.box.xmin;
    object.box.xmin = 1 - object.box.xmax;
    object.box.xmax = 1 - xmin;
  }
}

template <typename Dtype>
void AppendLabelRows(int item, const vector<AnnotatedBox>& boxes, vector<Dtype>* rows) {
  for (const AnnotatedBox& object : boxes) {
    const Dtype row[kLabelRow] = {static_cast<Dtype>(item),
                                  static_cast<Dtype>(object.label),
                                  static_cast<Dtype>(object.instance),
                                  static_cast<Dtype>(object.box.xmin),
                                  static_cast<Dtype>(object.box.ymin),
                                  static_cast<Dtype>(object.box.xmax),
                                  static_cast<Dtype>(object.box.ymax),
                                  static_cast<Dtype>(object.difficult ? 1 : 0)};
    rows->insert(rows->end(), row, row + kLabelRow);
  }
}

template void AppendLabelRows<float>(int, const vector<AnnotatedBox>&, vector<float>*);
template void AppendLabelRows<double>(int, const vector<AnnotatedBox>&, vector<double>*);

}  // namespace caffe
