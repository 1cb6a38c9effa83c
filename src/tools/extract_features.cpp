// caffe extract_features
#include <cstdlib>

#include "caffe/caffe.hpp"
#include "caffe/data/database_writer.hpp"
#include "caffe/util/format.hpp"
#include "caffe/util/signal_handler.hpp"
#include "tools/progress.hpp"
#include "tools/subcommand.hpp"

namespace caffe {

namespace {

vector<string> SplitAtCommas(const string& text) {
  vector<string> parts;
  std::istringstream in(text);
  string part;
  while (std::getline(in, part, ',')) parts.push_back(part);
  return parts;
}

int ParseBatches(const string& text) {
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  CHECK(!text.empty() && *end == '\0' && value >= 1 && value <= INT_MAX)
      << "NUM_BATCHES must be a number of batches, 1 or more; got \"" << text << "\"";
  return static_cast<int>(value);
}

/** One blob, and the database that its rows go to. */
class Extraction {
 public:
  Extraction(const Net<float>& net, const string& blob, const string& database,
             const string& backend) {
    if (!net.has_blob(blob)) {
      std::ostringstream nearest;
      for (const string& name : NearestNames(blob, net.blob_names())) nearest << " " << name;
      LOG(FATAL) << "the net has no blob \"" << blob << "\"; the nearest names are"
                 << nearest.str();
    }
    name_ = blob;
    blob_ = net.blob_by_name(blob);
    writer_ = std::make_unique<DatabaseWriter>(database, backend);
  }

  void AddBatch() {
    CHECK(blob_->num_axes() > 0 && blob_->count() > 0)
        << "the blob \"" << name_ << "\" has the shape " << blob_->shape_string()
        << "; expected rows of features";
    const int size = blob_->count(1);
    for (int n = 0; n < blob_->shape(0); ++n) {
      const float* row = blob_->cpu_data() + static_cast<size_t>(n) * size;
      Datum datum;
      datum.set_channels(size);
      datum.set_height(1);
      datum.set_width(1);
      datum.mutable_float_data()->Add(row, row + size);
      writer_->Put(format_int(written_++, 10), datum.SerializeAsString());
    }
  }

  void Finish() {
    writer_->Commit();
    LOG(INFO) << "Extracted features of " << written_ << " query images for feature blob " << name_;
  }

 private:
  string name_;
  shared_ptr<Blob<float>> blob_;
  std::unique_ptr<DatabaseWriter> writer_;
  int written_ = 0;
};

void UseMode(const vector<string>& words) {
  if (words.size() <= 6) return;
  CHECK(words[6] == "CPU" || words[6] == "GPU")
      << "expected CPU or GPU, got \"" << words[6] << "\"";
  Caffe::set_mode(words[6] == "GPU" ? Caffe::GPU : Caffe::CPU);
  if (words.size() > 7)
    Caffe::SetDevice(static_cast<int>(std::strtol(words[7].c_str(), nullptr, 10)));
}

int ExtractFeatures(const Arguments& arguments) {
  const vector<string>& words = arguments.positional();
  const vector<string> blobs = SplitAtCommas(words[2]);
  const vector<string> databases = SplitAtCommas(words[3]);
  CHECK(blobs.size() == databases.size() && !blobs.empty())
      << "expected a database for each blob, got " << blobs.size() << " blob(s) and "
      << databases.size() << " database(s)";
  const int num_batches = ParseBatches(words[4]);
  UseMode(words);
  Net<float> net(words[1], TEST);
  LOG(INFO) << net.CopyTrainedLayersFrom(words[0]).Summary();
  vector<Extraction> extractions;
  for (size_t i = 0; i < blobs.size(); ++i) {
    extractions.emplace_back(net, blobs[i], databases[i], words[5]);
  }
  SignalHandler signals(SolverAction::STOP, SolverAction::NONE);
  const ActionCallback requested = signals.GetActionFunction();
  {
    Progress progress("batches", static_cast<uint64_t>(num_batches));
    for (int i = 0; i < num_batches; ++i) {
      CHECK(requested() != SolverAction::STOP) << "interrupted; no database was made";
      net.Forward();
      for (Extraction& extraction : extractions) extraction.AddBatch();
      progress.Advance();
    }
  }
  for (Extraction& extraction : extractions) extraction.Finish();
  return 0;
}

}  // namespace

Subcommand ExtractFeaturesCommand() {
  Subcommand command;
  command.name = "extract_features";
  command.summary = "run a trained net and write blobs of it to databases";
  command.usage =
      "WEIGHTS NET_PROTOTXT BLOB[,BLOB2,...] DB_NAME[,DB_NAME2,...] NUM_BATCHES DB_TYPE [CPU]";
  command.examples =
      "  caffe extract_features net.caffemodel features.prototxt fc7,fc8 fc7_lmdb,fc8_lmdb 10 "
      "lmdb\n\n"
      "The net, in phase TEST, brings its own data. Each row of a blob becomes a Datum of\n"
      "float_data, in the order of the data.\n";
  command.min_positional = 6;
  command.max_positional = 8;
  command.run = ExtractFeatures;
  return command;
}

}  // namespace caffe
