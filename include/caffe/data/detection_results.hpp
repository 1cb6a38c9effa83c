#ifndef CAFFE_DATA_DETECTION_RESULTS_HPP_
#define CAFFE_DATA_DETECTION_RESULTS_HPP_

#include <memory>
#include <string>
#include <vector>

#include "caffe/data/image_sizes.hpp"
#include "caffe/detection/detector.hpp"
#include "caffe/proto/caffe.pb.h"
#include "caffe/util/label_map.hpp"

namespace caffe {

/**
 * @brief The detections of a whole test, as the files that evaluation servers take.
 *
 * In output_directory, with boxes in pixels of the image rounded to 1/100:
 *   VOC     PREFIX + NAME + ".txt" for each class: "image score xmin ymin xmax ymax"
 *   COCO    PREFIX + ".json": [{"image_id", "category_id", "bbox": [x, y, width, height],
 *           "score"}, …]; ids are numbers where the image's and the class's names are, else
 *           the image's name and the label
 *   ILSVRC  PREFIX + ".txt": "image label score xmin ymin xmax ymax"
 * The images are those of name_size_file, in its order. When num_test_image
 * images (none: all of the file) are through, all files are replaced and the
 * next image is the first again; before that no file is touched.
 */
class DetectionResults {
 public:
  /**
   * @brief Reads the label map and the images' sizes, and makes the folder.
   * @throws Error for another format, a file that cannot be read, a label map
   * without a class, fewer images than num_test_image, or a folder that cannot be made.
   */
  DetectionResults(const SaveOutputParameter& param, int num_classes, int background_label);
  /** @brief Warns if images were added since files were last written. */
  ~DetectionResults();
  DetectionResults(const DetectionResults&) = delete;
  DetectionResults& operator=(const DetectionResults&) = delete;

  /**
   * @brief Whether the parameter names all that is needed. Without a folder
   * nothing is asked for; without label map or sizes Caffe-SSD writes nothing
   * either, and a warning says so.
   */
  static bool AreAskedFor(const SaveOutputParameter& param);

  /** @brief The next image's detections, boxes as fractions of the net's input. */
  void AddImage(const vector<Detection<float>>& detections);

 private:
  string Line(const Detection<float>& detection, const NamedSize& image) const;
  /** @brief @throws Error for a class whose name cannot be part of a file's. */
  void CheckNamesOfFiles(int num_classes, int background_label) const;
  void WriteFiles(const vector<string>& texts) const;

  SaveOutputParameter param_;
  ClassNames names_;
  vector<int> labels_;  // those that are detected
  vector<NamedSize> images_;
  size_t num_test_images_;
  size_t num_added_ = 0;
  vector<string> texts_;  // one for each of labels_ (VOC), else one
};

}  // namespace caffe

#endif  // CAFFE_DATA_DETECTION_RESULTS_HPP_
