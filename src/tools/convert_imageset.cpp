// caffe convert_imageset
#include <algorithm>
#include <thread>

#include "caffe/caffe.hpp"
#include "caffe/data/database_writer.hpp"
#include "caffe/data/image_list.hpp"
#include "caffe/data/prefetcher.hpp"
#include "caffe/util/format.hpp"
#include "caffe/util/image_io.hpp"
#include "caffe/util/rng.hpp"
#include "caffe/util/signal_handler.hpp"
#include "tools/progress.hpp"
#include "tools/subcommand.hpp"

namespace caffe {

namespace {

constexpr int kImagesPerBatch = 16;
constexpr int kNumBatches = 4;

/** What is done to each image. */
struct ImageOptions {
  string root;
  ImageColor color = ImageColor::kColor;
  int height = 0;
  int width = 0;
  bool encoded = false;
  string encode_type;  ///< empty: that of the file
};

struct ConvertedImage {
  bool is_there = false;  ///< false beyond the end of the list
  int channels = 0, height = 0, width = 0;
  string record;
  string error;  ///< empty if all went well
};

string EncodingOf(const ImageOptions& options, const string& path) {
  if (!options.encoded || !options.encode_type.empty()) return options.encode_type;
  const size_t dot = path.rfind('.');
  CHECK(dot != string::npos && path.find('/', dot) == string::npos)
      << path << ": has no extension that tells its format; give -encode_type";
  return path.substr(dot + 1);
}

void Convert(const ListedImage& listed, const ImageOptions& options, ConvertedImage* image) {
  Datum datum;
  const string path = options.root + listed.path;
  LoadImageToDatum(path, options.height, options.width, options.color, EncodingOf(options, path),
                   &datum);
  datum.set_label(listed.label);
  image->channels = datum.channels();
  image->height = datum.height();
  image->width = datum.width();
  image->record = datum.SerializeAsString();
}

/** Decodes and encodes ahead of the database, in the order of the list. */
class ConvertWork : public PrefetchWork {
 public:
  typedef vector<vector<ConvertedImage>> Batches;
  ConvertWork(const vector<ListedImage>& images, const ImageOptions& options, Batches* batches)
      : images_(images), options_(options), batches_(batches) {}

  void Read(Record* record) override { record->index = next_++; }

  void Load(const Record& record, int slot, int item) override {
    ConvertedImage& image = (*batches_)[slot][item];
    image = ConvertedImage();
    if (record.index >= images_.size()) return;
    image.is_there = true;
    try {
      Convert(images_[record.index], options_, &image);
    } catch (const std::exception& error) {
      image.error = error.what();
    }
  }

 private:
  const vector<ListedImage>& images_;
  ImageOptions options_;
  Batches* batches_;
  uint64_t next_ = 0;
};

/** Takes the converted images one by one, in order. */
class Conversion {
 public:
  Conversion(const vector<ListedImage>& images, const Arguments& arguments)
      : images_(images),
        check_size_(arguments.flag("check_size")),
        writer_(arguments.positional()[2], arguments.text("backend")),
        progress_("files", images.size()) {}

  void Add(const ConvertedImage& image) {
    const ListedImage& listed = images_[progress_.done()];
    const string key = format_int(static_cast<int>(progress_.done()), 8) + "_" + listed.path;
    progress_.Advance();
    string error = image.error;
    if (error.empty()) error = CheckSize(image, listed);
    if (!error.empty()) {
      LOG(ERROR) << "line " << listed.line << ", " << error;
      ++failures_;
      return;
    }
    // LMDB allows keys of 511 bytes; the number alone makes this one unique.
    writer_.Put(key.substr(0, 500), image.record);
    ++written_;
  }

  void Finish(bool skip_unreadable, const string& name) {
    CHECK(failures_ == 0 || skip_unreadable)
        << failures_ << " of " << images_.size() << " images cannot be used (see above); no "
        << "database was made; -skip_unreadable makes one without them";
    CHECK(written_ > 0) << "none of the " << images_.size() << " images can be used";
    writer_.Commit();
    LOG_IF(WARNING, shapes_.size() > 1)
        << "the images have " << shapes_.size() << " different sizes: to train on them in "
        << "batches, crop them, or convert with -resize_height and -resize_width";
    LOG(INFO) << "Wrote " << written_ << " records to " << name;
  }

 private:
  string CheckSize(const ConvertedImage& image, const ListedImage& listed) {
    const vector<int> shape = {image.channels, image.height, image.width};
    if (shapes_.empty()) first_ = shape;
    shapes_.insert(shape);
    if (!check_size_ || shape == first_) return "";
    std::ostringstream out;
    out << listed.path << ": is " << shape[0] << " x " << shape[1] << " x " << shape[2]
        << ", the first image " << first_[0] << " x " << first_[1] << " x " << first_[2]
        << " (channels x height x width)";
    return out.str();
  }

  const vector<ListedImage>& images_;
  bool check_size_;
  DatabaseWriter writer_;
  Progress progress_;
  vector<int> first_;
  std::set<vector<int>> shapes_;
  size_t failures_ = 0;
  size_t written_ = 0;
};

ImageOptions OptionsOf(const Arguments& arguments) {
  ImageOptions options;
  options.root = arguments.positional()[0];
  if (arguments.flag("gray")) options.color = ImageColor::kGray;
  options.height = arguments.number("resize_height");
  options.width = arguments.number("resize_width");
  CHECK(options.height >= 0 && options.width >= 0 && (options.height > 0) == (options.width > 0))
      << "expected both of -resize_height and -resize_width, or none; got " << options.height
      << " and " << options.width;
  options.encode_type = arguments.text("encode_type");
  options.encoded = arguments.flag("encoded") || !options.encode_type.empty();
  return options;
}

vector<ListedImage> ImagesOf(const Arguments& arguments) {
  vector<ListedImage> images = ReadImageList(arguments.positional()[1]);
  if (arguments.flag("shuffle")) {
    const int seed = arguments.number("random_seed");
    if (seed >= 0) Caffe::set_random_seed(static_cast<unsigned>(seed));
    LOG(INFO) << "Shuffling data";
    shuffle(images.begin(), images.end());
  }
  LOG(INFO) << "A total of " << images.size() << " images.";
  return images;
}

int ConvertImageset(const Arguments& arguments) {
  const ImageOptions options = OptionsOf(arguments);
  const vector<ListedImage> images = ImagesOf(arguments);
  Conversion conversion(images, arguments);
  SignalHandler signals(SolverAction::STOP, SolverAction::NONE);
  const ActionCallback requested = signals.GetActionFunction();

  ConvertWork::Batches batches(kNumBatches, vector<ConvertedImage>(kImagesPerBatch));
  PrefetchPlan plan;
  plan.num_slots = kNumBatches;
  plan.items_per_batch = kImagesPerBatch;
  plan.num_workers = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  Prefetcher prefetcher(std::unique_ptr<PrefetchWork>(new ConvertWork(images, options, &batches)),
                        plan);
  for (bool is_there = true; is_there;) {
    CHECK(requested() != SolverAction::STOP) << "interrupted; no database was made";
    for (const ConvertedImage& image : batches[prefetcher.Next()]) {
      is_there = image.is_there;
      if (!is_there) break;
      conversion.Add(image);
    }
  }
  conversion.Finish(arguments.flag("skip_unreadable"), arguments.positional()[2]);
  return 0;
}

}  // namespace

Subcommand ConvertImagesetCommand() {
  Subcommand command;
  command.name = "convert_imageset";
  command.summary = "make a database of the images that a list names";
  command.usage = "[flags] ROOTFOLDER/ LISTFILE DB_NAME";
  command.examples =
      "  caffe convert_imageset -shuffle -resize_height 256 -resize_width 256 images/ train.txt "
      "train_lmdb\n"
      "  caffe convert_imageset -encoded images/ train.txt train_lmdb\n\n"
      "Each line of LISTFILE is a path, which is put after ROOTFOLDER, and an integer label:\n"
      "  cats/0001.jpg 3\n";
  command.flags = {
      {"gray", Flag::kBool, "false", "store the images in gray"},
      {"shuffle", Flag::kBool, "false", "store the images in a random order"},
      {"random_seed", Flag::kInt, "-1",
       "the same order for the same number; -1: another each time"},
      {"backend", Flag::kString, "lmdb", "the kind of database"},
      {"resize_width", Flag::kInt, "0", "resize the images to this width"},
      {"resize_height", Flag::kInt, "0", "resize the images to this height"},
      {"check_size", Flag::kBool, "false", "refuse an image of another size than the first"},
      {"encoded", Flag::kBool, "false", "store image files (smaller), not pixels"},
      {"encode_type", Flag::kString, "", "their format (\"png\", \"jpg\"), else that of each file"},
      {"skip_unreadable", Flag::kBool, "false", "leave out what cannot be read, and go on"},
  };
  command.min_positional = command.max_positional = 3;
  command.run = ConvertImageset;
  return command;
}

}  // namespace caffe
