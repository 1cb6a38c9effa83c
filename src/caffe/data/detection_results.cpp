#include "caffe/data/detection_results.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "caffe/util/atomic_file.hpp"

namespace caffe {

namespace {

const char kVoc[] = "VOC";
const char kCoco[] = "COCO";
const char kIlsvrc[] = "ILSVRC";

template <typename... Numbers>
string Format(const char* format, Numbers... numbers) {
  char text[256];
  std::snprintf(text, sizeof text, format, numbers...);
  return text;
}

/** Digits alone, few enough for a number: "000012" is 12. */
bool IsNumber(const string& text) {
  return !text.empty() && text.size() <= 15 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/** A JSON string, or the number that the text is. */
string JsonNumberOrString(const string& text) {
  if (IsNumber(text)) return std::to_string(std::stoll(text));
  string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    json += c;
  }
  return json + '"';
}

double Hundredths(float value) { return std::round(static_cast<double>(value) * 100) / 100; }

}  // namespace

bool DetectionResults::AreAskedFor(const SaveOutputParameter& param) {
  if (param.output_directory().empty()) return false;
  if (!param.label_map_file().empty() && !param.name_size_file().empty()) return true;
  LOG(WARNING) << "save_output_param has an output_directory but no "
               << (param.label_map_file().empty() ? "label_map_file" : "name_size_file")
               << ": no result files are written";
  return false;
}

DetectionResults::DetectionResults(const SaveOutputParameter& param, int num_classes,
                                   int background_label)
    : param_(param),
      names_(ReadLabelMap(param.label_map_file())),
      images_(ReadNameSizes(param.name_size_file())),
      num_test_images_(param.num_test_image() > 0 ? param.num_test_image() : images_.size()) {
  const string& format = param.output_format();
  CHECK(format == kVoc || format == kCoco || format == kIlsvrc)
      << "output_format is \"" << format << "\", expected VOC, COCO or ILSVRC";
  CheckNamesEveryClass(names_, param.label_map_file(), num_classes, background_label);
  CheckNamesOfFiles(num_classes, background_label);
  CHECK(num_test_images_ <= images_.size())
      << "num_test_image is " << num_test_images_ << ", but name_size_file "
      << param.name_size_file() << " names " << images_.size() << " images";
  if (param.has_resize_param()) CheckUndoableResize(param.resize_param());
  for (int label = 0; label < num_classes; ++label) {
    if (label != background_label) labels_.push_back(label);
  }
  texts_.resize(format == kVoc ? labels_.size() : 1);
  std::error_code failure;
  std::filesystem::create_directories(param.output_directory(), failure);
  CHECK(!failure) << "output_directory " << param.output_directory()
                  << ": cannot be made: " << failure.message();
}

void DetectionResults::CheckNamesOfFiles(int num_classes, int background_label) const {
  if (param_.output_format() != kVoc) return;
  for (int label = 0; label < num_classes; ++label) {
    CHECK(label == background_label || names_.at(label).name.find('/') == string::npos)
        << "label map " << param_.label_map_file() << ": the class \"" << names_.at(label).name
        << "\" has a slash in its name, so VOC's result file cannot be named after it";
  }
}

DetectionResults::~DetectionResults() {
  if (num_added_ == 0) return;
  LOG(WARNING) << "result files in " << param_.output_directory() << " were not written: only "
               << num_added_ << " of " << num_test_images_
               << " images are through (num_test_image against test_iter × batch size)";
}

string DetectionResults::Line(const Detection<float>& detection, const NamedSize& image) const {
  const Box<float> box = ToImagePixels(
      detection.box, image, param_.has_resize_param() ? &param_.resize_param() : nullptr);
  const double xmin = Hundredths(box.xmin), ymin = Hundredths(box.ymin);
  const double xmax = Hundredths(box.xmax), ymax = Hundredths(box.ymax);
  const double score = static_cast<double>(detection.score);
  if (param_.output_format() == kCoco) {
    const string& name = names_.at(detection.label).name;
    const string category =
        IsNumber(name) ? JsonNumberOrString(name) : std::to_string(detection.label);
    return "{\"image_id\": " + JsonNumberOrString(image.name) + ", \"category_id\": " + category +
           Format(", \"bbox\": [%.2f, %.2f, %.2f, %.2f], \"score\": %.9g}", xmin, ymin, xmax - xmin,
                  ymax - ymin, score);
  }
  const string corners = Format("%.9g %.2f %.2f %.2f %.2f\n", score, xmin, ymin, xmax, ymax);
  if (param_.output_format() == kVoc) return image.name + " " + corners;
  return image.name + " " + std::to_string(detection.label) + " " + corners;
}

void DetectionResults::AddImage(const vector<Detection<float>>& detections) {
  const NamedSize& image = images_[num_added_];
  for (const Detection<float>& detection : detections) {
    const auto label = std::find(labels_.begin(), labels_.end(), detection.label);
    CHECK(label != labels_.end()) << "a detection of the label " << detection.label
                                  << ", which is no object's";
    string& text = texts_[param_.output_format() == kVoc ? label - labels_.begin() : 0];
    if (param_.output_format() == kCoco && !text.empty()) text += ",\n";
    text += Line(detection, image);
  }
  if (++num_added_ < num_test_images_) return;
  // Whether or not they can be written, the next image is the first of another round.
  num_added_ = 0;
  vector<string> texts(texts_.size());
  texts.swap(texts_);
  WriteFiles(texts);
}

void DetectionResults::WriteFiles(const vector<string>& texts) const {
  const string start = param_.output_directory() + "/" + param_.output_name_prefix();
  if (param_.output_format() == kCoco) {
    WriteFileAtomically(start + ".json", "[" + texts[0] + "]\n");
  } else if (param_.output_format() == kIlsvrc) {
    WriteFileAtomically(start + ".txt", texts[0]);
  } else {
    for (size_t i = 0; i < labels_.size(); ++i) {
      WriteFileAtomically(start + names_.at(labels_[i]).name + ".txt", texts[i]);
    }
  }
}

}  // namespace caffe
