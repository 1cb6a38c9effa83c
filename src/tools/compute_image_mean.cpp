// caffe compute_image_mean
#include "caffe/caffe.hpp"
#include "caffe/data/image_transform.hpp"
#include "caffe/util/db.hpp"
#include "caffe/util/db_lmdb.hpp"
#include "tools/progress.hpp"
#include "tools/subcommand.hpp"

namespace caffe {

namespace {

/** The sum of images that have the size of the first. */
class ImageSum {
 public:
  template <typename Pixel>
  void Add(const PixelView<Pixel>& image) {
    if (sum_.empty()) {
      channels_ = image.channels;
      height_ = image.height;
      width_ = image.width;
      sum_.assign(static_cast<size_t>(channels_) * height_ * width_, 0);
    }
    CHECK(image.channels == channels_ && image.height == height_ && image.width == width_)
        << "is " << image.channels << " x " << image.height << " x " << image.width
        << ", the first image " << channels_ << " x " << height_ << " x " << width_
        << " (channels x height x width); a mean image needs images of one size: convert them "
        << "with -resize_height and -resize_width";
    size_t i = 0;
    for (int c = 0; c < image.channels; ++c) {
      for (int h = 0; h < image.height; ++h) {
        const Pixel* pixel = image.data + c * image.channel_stride + h * image.row_stride;
        for (int w = 0; w < image.width; ++w) sum_[i++] += pixel[w * image.column_stride];
      }
    }
    ++count_;
  }

  /** In the fields that the oldest readers of mean files know. */
  BlobProto Mean() const {
    BlobProto mean;
    mean.set_num(1);
    mean.set_channels(channels_);
    mean.set_height(height_);
    mean.set_width(width_);
    for (const double sum : sum_) mean.add_data(static_cast<float>(sum / count_));
    return mean;
  }

  void LogChannels() const {
    LOG(INFO) << "Number of channels: " << channels_;
    const size_t plane = static_cast<size_t>(height_) * width_;
    for (int c = 0; c < channels_; ++c) {
      double sum = 0;
      for (size_t i = 0; i < plane; ++i) sum += sum_[c * plane + i];
      LOG(INFO) << "mean_value channel [" << c
                << "]: " << sum / count_ / static_cast<double>(plane);
    }
  }

 private:
  int channels_ = 0, height_ = 0, width_ = 0;
  vector<double> sum_;
  double count_ = 0;
};

void AddRecord(const string& value, ImageSum* sum) {
  Datum datum;
  CHECK(datum.ParseFromString(value)) << "cannot be parsed as a Datum";
  VisitPixels(datum, ImageColor::kNative, [sum](const auto& image) { sum->Add(image); });
}

int ComputeImageMean(const Arguments& arguments) {
  const string& source = arguments.positional()[0];
  const string backend = arguments.text("backend");
  CHECK(backend == "lmdb" || backend == "leveldb")
      << "unknown database backend \"" << backend << "\"; expected lmdb";
  LmdbReader reader(source);
  CHECK(reader.First()) << "database " << source << ": is empty";
  ImageSum sum;
  {
    Progress progress("files", reader.size());
    do {
      try {
        AddRecord(reader.value(), &sum);
      } catch (const Error& error) {
        throw Error("record \"" + reader.key() + "\" of the database " + source + ": " +
                    error.what());
      }
      progress.Advance();
    } while (reader.Next());
  }
  if (arguments.positional().size() > 1) {
    WriteProtoToBinaryFile(sum.Mean(), arguments.positional()[1]);
    LOG(INFO) << "Write to " << arguments.positional()[1];
  }
  sum.LogChannels();
  return 0;
}

}  // namespace

Subcommand ComputeImageMeanCommand() {
  Subcommand command;
  command.name = "compute_image_mean";
  command.summary = "the mean image of a database, and the mean of each channel";
  command.usage = "[flags] INPUT_DB [OUTPUT_FILE]";
  command.examples =
      "  caffe compute_image_mean train_lmdb mean.binaryproto\n"
      "  caffe compute_image_mean train_lmdb\n\n"
      "OUTPUT_FILE is what transform_param { mean_file: ... } takes; the means of the channels\n"
      "are for transform_param { mean_value: ... }.\n";
  command.flags = {{"backend", Flag::kString, "lmdb", "the kind of database"}};
  command.min_positional = 1;
  command.max_positional = 2;
  command.run = ComputeImageMean;
  return command;
}

}  // namespace caffe
