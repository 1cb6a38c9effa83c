#include "caffe/data/image_list.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace caffe {

namespace {

const char* const kBlanks = " \t\r";

bool ParseLabel(const string& text, int* label) {
  char* end = nullptr;
  errno = 0;
  const long value = std::strtol(text.c_str(), &end, 10);
  *label = static_cast<int>(value);
  return !text.empty() && *end == '\0' && errno == 0 && value >= INT_MIN && value <= INT_MAX;
}

bool ParseLine(const string& line, ListedImage* image) {
  // The label is the last word; the path before it may have blanks.
  const size_t end = line.find_last_not_of(kBlanks) + 1;
  const size_t blank = line.find_last_of(kBlanks, end - 1);
  if (blank == string::npos) return false;
  const size_t path_end = line.find_last_not_of(kBlanks, blank);
  if (path_end == string::npos) return false;
  image->path = line.substr(0, path_end + 1);
  return ParseLabel(line.substr(blank + 1, end - blank - 1), &image->label);
}

}  // namespace

vector<ListedImage> ReadImageList(const string& path) {
  CHECK(!path.empty()) << "the list of images has no name: source is empty";
  std::ifstream file(path);
  CHECK(file.good()) << "list " << path << ": cannot be read: " << std::strerror(errno);
  vector<ListedImage> images;
  string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.find_last_not_of(kBlanks) == string::npos) continue;
    ListedImage image;
    image.line = number;
    CHECK(ParseLine(line, &image))
        << "list " << path << ", line " << number
        << ": expected a path and an integer label, got \"" << line << "\"";
    images.push_back(image);
  }
  CHECK(!images.empty()) << "list " << path << ": names no image";
  return images;
}

string ImageListSource::NameOf(const Record& record) const {
  return "line " + std::to_string(images_->at(record.index).line) + " of the list " + list_ +
         ", image " + record.key;
}

}  // namespace caffe
