#ifndef CAFFE_TESTS_DATA_TEST_UTIL_HPP_
#define CAFFE_TESTS_DATA_TEST_UTIL_HPP_

#include <filesystem>
#include <fstream>
#include <memory>
#include <opencv2/core.hpp>
#include <random>
#include <string>
#include <vector>

#include "caffe/util/db.hpp"
#include "caffe/util/image_io.hpp"
#include "caffe/util/io.hpp"
#include "test_util.hpp"

namespace caffe {

/** @brief A folder that is removed with all that is in it. */
class TempDir {
 public:
  TempDir() { MakeTempDir(&path_); }
  ~TempDir() { std::filesystem::remove_all(path_); }
  const string& path() const { return path_; }
  string operator/(const string& name) const { return path_ + "/" + name; }

 private:
  string path_;
};

inline void WriteText(const string& path, const string& text) { std::ofstream(path) << text; }

/** @brief "000007": keys that sort in the order of numbers. */
inline string RecordKey(int index) {
  const string digits = std::to_string(index);
  return string(6 - digits.size(), '0') + digits;
}

inline void WriteDatabase(const string& path, const vector<string>& values) {
  const std::unique_ptr<db::DB> database(db::GetDB("lmdb"));
  database->Open(path, db::NEW);
  const std::unique_ptr<db::Transaction> transaction(database->NewTransaction());
  for (size_t i = 0; i < values.size(); ++i) {
    transaction->Put(RecordKey(static_cast<int>(i)), values[i]);
  }
  transaction->Commit();
}

/** @brief An image of random pixels, the same for the same seed. */
inline cv::Mat RandomImage(int channels, int height, int width, unsigned seed) {
  cv::Mat image(height, width, CV_MAKETYPE(CV_8U, channels));
  std::mt19937 random(seed);
  for (int h = 0; h < height; ++h) {
    for (int w = 0; w < width * channels; ++w) {
      image.ptr<uchar>(h)[w] = static_cast<uchar>(random() % 256);
    }
  }
  return image;
}

inline Datum BytesDatum(int channels, int height, int width, int label) {
  Datum datum;
  CVMatToDatum(RandomImage(channels, height, width, 100U + static_cast<unsigned>(label)), &datum);
  datum.set_label(label);
  return datum;
}

/** @brief A database of `count` images of bytes; record i has the label i. */
inline void WriteBytesDatabase(const string& path, int count, int channels, int height, int width) {
  vector<string> values;
  for (int i = 0; i < count; ++i) {
    values.push_back(BytesDatum(channels, height, width, i).SerializeAsString());
  }
  WriteDatabase(path, values);
}

}  // namespace caffe

#endif  // CAFFE_TESTS_DATA_TEST_UTIL_HPP_
