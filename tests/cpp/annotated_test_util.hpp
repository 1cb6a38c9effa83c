#ifndef CAFFE_TESTS_ANNOTATED_TEST_UTIL_HPP_
#define CAFFE_TESTS_ANNOTATED_TEST_UTIL_HPP_

#include <limits>
#include <string>
#include <vector>

#include "caffe/data/annotation.hpp"
#include "data_test_util.hpp"

namespace caffe {

/** @brief A record with this image coded as `encoding` ("": planes), without boxes. */
inline AnnotatedDatum AnnotatedImageOf(const cv::Mat& image, const string& encoding = "png") {
  AnnotatedDatum datum;
  datum.set_type(AnnotatedDatum::BBOX);
  if (encoding.empty()) {
    CVMatToDatum(image, datum.mutable_datum());
  } else {
    EncodeCVMatToDatum(image, encoding, datum.mutable_datum());
  }
  return datum;
}

inline AnnotatedDatum RandomAnnotated(int height, int width, unsigned seed) {
  return AnnotatedImageOf(RandomImage(3, height, width, seed));
}

/** @brief Adds a box in a group of its own. */
inline void AddBox(int label, const Box<float>& box, AnnotatedDatum* datum,
                   bool difficult = false) {
  AnnotationGroup* group = datum->add_annotation_group();
  group->set_group_label(label);
  Annotation* annotation = group->add_annotation();
  annotation->set_instance_id(datum->annotation_group_size());
  NormalizedBBox* bbox = annotation->mutable_bbox();
  bbox->set_xmin(box.xmin);
  bbox->set_ymin(box.ymin);
  bbox->set_xmax(box.xmax);
  bbox->set_ymax(box.ymax);
  bbox->set_difficult(difficult);
}

inline void WriteAnnotated(const string& path, const vector<AnnotatedDatum>& data) {
  vector<string> values;
  for (const AnnotatedDatum& datum : data) values.push_back(datum.SerializeAsString());
  WriteDatabase(path, values);
}

}  // namespace caffe

#endif  // CAFFE_TESTS_ANNOTATED_TEST_UTIL_HPP_
