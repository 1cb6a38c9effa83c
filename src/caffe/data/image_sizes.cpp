#include "caffe/data/image_sizes.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace caffe {

namespace {

const char* const kBlanks = " \t\r";

/** Takes the last word off `line`, if it is a positive integer. */
bool TakeLastNumber(string* line, int* number) {
  line->resize(line->find_last_not_of(kBlanks) + 1);
  const size_t blank = line->find_last_of(kBlanks);
  if (blank == string::npos) return false;
  const string word = line->substr(blank + 1);
  char* end = nullptr;
  errno = 0;
  const long value = std::strtol(word.c_str(), &end, 10);
  if (*end != '\0' || errno != 0 || value < 1 || value > INT_MAX) return false;
  *number = static_cast<int>(value);
  line->resize(blank);
  return true;
}

}  // namespace

vector<NamedSize> ReadNameSizes(const string& path) {
  std::ifstream file(path);
  CHECK(file.good()) << "name_size_file " << path << ": cannot be read: " << std::strerror(errno);
  vector<NamedSize> images;
  string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.find_last_not_of(kBlanks) == string::npos) continue;
    NamedSize image = {line, 0, 0};
    const bool is_whole =
        TakeLastNumber(&image.name, &image.width) && TakeLastNumber(&image.name, &image.height);
    image.name.resize(image.name.find_last_not_of(kBlanks) + 1);
    CHECK(is_whole && !image.name.empty())
        << "name_size_file " << path << ", line " << number
        << ": expected a name, a height and a width in pixels, got \"" << line << "\"";
    images.push_back(image);
  }
  CHECK(!images.empty()) << "name_size_file " << path << ": names no image";
  return images;
}

void CheckUndoableResize(const ResizeParameter& resize) {
  if (resize.resize_mode() != ResizeParameter_Resize_mode_FIT_LARGE_SIZE_AND_PAD) return;
  CHECK(resize.height() > 0 && resize.width() > 0)
      << "resize_param of FIT_LARGE_SIZE_AND_PAD needs the height and width that images were "
      << "resized to, got " << resize.height() << " x " << resize.width();
}

namespace {

/** The part of a padded square that the image fills. */
Box<float> Filled(const NamedSize& image, const ResizeParameter& resize) {
  const float aspect = static_cast<float>(image.width) / static_cast<float>(image.height);
  const float height = static_cast<float>(resize.height());
  const float width = static_cast<float>(resize.width());
  const float margin_y = std::max(0.F, (1 - width / aspect / height) / 2);
  const float margin_x = std::max(0.F, (1 - height * aspect / width) / 2);
  return {margin_x, margin_y, 1 - margin_x, 1 - margin_y};
}

Box<float> Scaled(const Box<float>& box, float height, float width) {
  return {box.xmin * width, box.ymin * height, box.xmax * width, box.ymax * height};
}

}  // namespace

Box<float> ToImagePixels(const Box<float>& box, const NamedSize& image,
                         const ResizeParameter* resize) {
  const float height = static_cast<float>(image.height);
  const float width = static_cast<float>(image.width);
  if (resize == nullptr) return Scaled(Clip(box), height, width);
  if (resize->resize_mode() == ResizeParameter_Resize_mode_FIT_LARGE_SIZE_AND_PAD) {
    const Box<float> filled = Filled(image, *resize);
    const Box<float> inside = {
        (box.xmin - filled.xmin) / Width(filled), (box.ymin - filled.ymin) / Height(filled),
        (box.xmax - filled.xmin) / Width(filled), (box.ymax - filled.ymin) / Height(filled)};
    return Scaled(Clip(inside), height, width);
  }
  if (resize->resize_mode() == ResizeParameter_Resize_mode_FIT_SMALL_SIZE &&
      resize->height_scale() > 0 && resize->width_scale() > 0) {
    const Box<float> pixels = Scaled(box, static_cast<float>(resize->height_scale()),
                                     static_cast<float>(resize->width_scale()));
    return {
        std::max(0.F, std::min(pixels.xmin, width)), std::max(0.F, std::min(pixels.ymin, height)),
        std::max(0.F, std::min(pixels.xmax, width)), std::max(0.F, std::min(pixels.ymax, height))};
  }
  return Scaled(Clip(box), height, width);
}

}  // namespace caffe
