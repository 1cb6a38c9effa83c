#ifndef CAFFE_DATA_IMAGE_LIST_HPP_
#define CAFFE_DATA_IMAGE_LIST_HPP_

#include <memory>
#include <string>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/data/records.hpp"

namespace caffe {

/** @brief One line of a list of labelled images. */
struct ListedImage {
  string path;  ///< as the line says; it may have blanks in it
  int label = 0;
  int line = 0;  ///< from 1
};

/**
 * @brief Reads lines of a path, a blank and an integer; empty lines are left out.
 * @throws Error "list PATH, line N: …" for a line of another form, and for a list that
 * cannot be read or holds no image.
 */
vector<ListedImage> ReadImageList(const string& path);

/** @brief The images of a list as records: the key is the path, the value is empty. */
class ImageListSource : public RecordSource {
 public:
  ImageListSource(const string& list, shared_ptr<const vector<ListedImage>> images)
      : list_(list), images_(std::move(images)) {}
  uint64_t size() const override { return images_->size(); }
  void Read(uint64_t index, Record* record) override { record->key = images_->at(index).path; }
  string NameOf(const Record& record) const override;

 private:
  string list_;
  shared_ptr<const vector<ListedImage>> images_;
};

}  // namespace caffe

#endif  // CAFFE_DATA_IMAGE_LIST_HPP_
