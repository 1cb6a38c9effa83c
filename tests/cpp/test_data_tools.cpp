#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>

#include "caffe/data/database_writer.hpp"
#include "caffe/data/image_list.hpp"
#include "caffe/net.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/util/db_lmdb.hpp"
#include "data_test_util.hpp"
#include "tools/command.hpp"
#include "tools/progress.hpp"

namespace caffe {

namespace {

struct CommandResult {
  int status;
  string log;  ///< what it wrote to stderr
};

CommandResult RunCaffe(vector<string> words) {
  words.insert(words.begin(), "caffe");
  vector<char*> argv;
  for (string& word : words) argv.push_back(&word[0]);
  ::testing::internal::CaptureStderr();
  const int status = CommandMain(static_cast<int>(argv.size()), argv.data());
  return {status, ::testing::internal::GetCapturedStderr()};
}

/** Runs it and expects success. */
void MustRun(const vector<string>& words) {
  const CommandResult result = RunCaffe(words);
  EXPECT_EQ(result.status, 0) << result.log;
}

void ExpectFails(const vector<string>& words, const string& part) {
  const CommandResult result = RunCaffe(words);
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.log.find(part), string::npos) << result.log << "\nexpected in it: " << part;
}

vector<std::pair<string, Datum>> ReadDatums(const string& path) {
  vector<std::pair<string, Datum>> datums;
  LmdbReader reader(path);
  for (bool found = reader.First(); found; found = reader.Next()) {
    datums.emplace_back(reader.key(), Datum());
    CHECK(datums.back().second.ParseFromString(reader.value())) << reader.key();
  }
  return datums;
}

class DataToolsTest : public ::testing::Test {
 protected:
  DataToolsTest() {
    for (int i = 0; i < 40; ++i) {
      const string name = std::to_string(i) + ".png";
      cv::imwrite(dir_ / name, Image(i));
      list_ += name + " " + std::to_string(i % 10) + "\n";
    }
    WriteText(dir_ / "list.txt", list_);
  }
  static cv::Mat Image(int i) { return RandomImage(3, 6, 8, 70U + static_cast<unsigned>(i)); }
  vector<string> Convert(const vector<string>& flags) {
    vector<string> words = {"convert_imageset"};
    words.insert(words.end(), flags.begin(), flags.end());
    for (const string& word : {dir_.path() + "/", dir_ / "list.txt", dir_ / "db"}) {
      words.push_back(word);
    }
    return words;
  }
  /** Nothing but the files that the test made is in the folder. */
  void ExpectNoDatabase() {
    for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
      EXPECT_FALSE(entry.is_directory()) << entry.path();
    }
  }
  TempDir dir_;
  string list_;
};

}  // namespace

TEST_F(DataToolsTest, ConvertsTheImagesOfAListInItsOrder) {
  MustRun(Convert({}));
  const auto datums = ReadDatums(dir_ / "db");
  ASSERT_EQ(datums.size(), 40u);
  for (int i = 0; i < 40; ++i) {
    Datum expected;
    CVMatToDatum(Image(i), &expected);
    expected.set_label(i % 10);
    EXPECT_EQ(datums[i].first, "000000" + string(i < 10 ? "0" : "") + std::to_string(i) + "_" +
                                   std::to_string(i) + ".png");
    EXPECT_EQ(datums[i].second.SerializeAsString(), expected.SerializeAsString());
  }
}

TEST_F(DataToolsTest, ConvertsToEncodedGrayAndResizedImages) {
  MustRun(Convert({"-encoded"}));
  auto datums = ReadDatums(dir_ / "db");
  Datum file;
  ASSERT_TRUE(ReadFileToDatum(dir_ / "7.png", 7, &file));
  EXPECT_TRUE(datums[7].second.encoded());
  EXPECT_EQ(datums[7].second.data(), file.data());
  std::filesystem::remove_all(dir_ / "db");

  MustRun(Convert({"-encode_type=jpg", "--gray", "--resize_height=3", "-resize_width", "4"}));
  datums = ReadDatums(dir_ / "db");
  const cv::Mat image = DecodeDatumToCVMatNative(datums[0].second);
  EXPECT_EQ(image.rows, 3);
  EXPECT_EQ(image.cols, 4);
  EXPECT_EQ(image.channels(), 1);
  EXPECT_EQ(datums[0].second.data().substr(0, 2), "\xff\xd8");  // a JPEG
}

TEST_F(DataToolsTest, ShufflesAsTheSeedSays) {
  vector<vector<int>> orders;
  for (const char* seed : {"-random_seed=1", "-random_seed=1", "-random_seed=2"}) {
    MustRun(Convert({"-shuffle", seed}));
    orders.emplace_back();
    std::multiset<int> labels;
    for (const auto& entry : ReadDatums(dir_ / "db")) {
      orders.back().push_back(std::stoi(entry.first.substr(9)));
      labels.insert(entry.second.label());
    }
    EXPECT_EQ(labels.count(3), 4u);
    std::filesystem::remove_all(dir_ / "db");
  }
  EXPECT_EQ(orders[0], orders[1]);
  EXPECT_NE(orders[0], orders[2]);
}

TEST_F(DataToolsTest, NamesAllImagesThatCannotBeReadAndMakesNoDatabase) {
  WriteText(dir_ / "text.png", "no image");
  WriteText(dir_ / "list.txt", list_ + "missing.png 1\ntext.png 2\n");
  const CommandResult result = RunCaffe(Convert({}));
  EXPECT_EQ(result.status, 1);
  for (const string& part :
       {"line 41, " + (dir_ / "missing.png") + ": cannot be read: No such file",
        "line 42, " + (dir_ / "text.png") + ": cannot be decoded as an image",
        string("2 of 42 images cannot be used")}) {
    EXPECT_NE(result.log.find(part), string::npos) << result.log;
  }
  ExpectNoDatabase();
  MustRun(Convert({"-skip_unreadable"}));
  EXPECT_EQ(ReadDatums(dir_ / "db").size(), 40u);
}

TEST_F(DataToolsTest, ChecksSizesIfAskedTo) {
  cv::imwrite(dir_ / "odd.png", RandomImage(3, 5, 8, 1));
  WriteText(dir_ / "list.txt", list_ + "odd.png 1\n");
  ExpectFails(Convert({"-check_size"}), "odd.png: is 3 x 5 x 8, the first image 3 x 6 x 8");
  ExpectNoDatabase();
  const CommandResult result = RunCaffe(Convert({}));
  EXPECT_EQ(result.status, 0);
  EXPECT_NE(result.log.find("the images have 2 different sizes"), string::npos);
}

TEST_F(DataToolsTest, ConvertingIsRefusedWhereItCannotEndWell) {
  ExpectFails(Convert({"-resize_width=3"}), "expected both of -resize_height and -resize_width");
  ExpectFails(Convert({"-backend=leveldb"}), "a LevelDB cannot be written");
  ExpectFails(Convert({"-encode_type=xyz"}), "cannot encode an image of 3 channel(s) as \"xyz\"");
  ExpectNoDatabase();
  std::filesystem::create_directory(dir_ / "db");
  WriteText(dir_ / "db/precious", "data");
  ExpectFails(Convert({}), "database " + (dir_ / "db") + ": exists already");
  EXPECT_TRUE(std::filesystem::exists(dir_ / "db/precious"));
  EXPECT_EQ(RunCaffe({"convert_imageset"}).status, 1);
}

TEST_F(DataToolsTest, TheMeanOfADatabaseIsWhatTransformParamTakes) {
  MustRun(Convert({"-encoded"}));
  const CommandResult result =
      RunCaffe({"compute_image_mean", dir_ / "db", dir_ / "mean.binaryproto"});
  ASSERT_EQ(result.status, 0) << result.log;
  BlobProto proto;
  ReadProtoFromBinaryFileOrDie(dir_ / "mean.binaryproto", &proto);
  Blob<double> mean;
  mean.FromProto(proto);
  ASSERT_EQ(mean.shape(), vector<int>({1, 3, 6, 8}));
  vector<double> channel_means(3, 0);
  for (int c = 0; c < 3; ++c) {
    for (int h = 0; h < 6; ++h) {
      for (int w = 0; w < 8; ++w) {
        double sum = 0;
        for (int i = 0; i < 40; ++i) sum += Image(i).at<cv::Vec3b>(h, w)[c];
        // Stored as float: 24 bits of numbers up to 255.
        EXPECT_NEAR(mean.data_at(0, c, h, w), sum / 40, 1e-4);
        channel_means[c] += sum / 40 / 48;
      }
    }
    std::ostringstream line;
    line << "mean_value channel [" << c << "]: " << channel_means[c];
    EXPECT_NE(result.log.find(line.str()), string::npos) << result.log;
  }
}

TEST_F(DataToolsTest, AMeanNeedsImagesOfOneSize) {
  WriteDatabase(dir_ / "sizes", {BytesDatum(1, 2, 3, 0).SerializeAsString(),
                                 BytesDatum(1, 3, 3, 0).SerializeAsString()});
  ExpectFails({"compute_image_mean", dir_ / "sizes", dir_ / "mean"},
              "record \"000001\" of the database " + (dir_ / "sizes") +
                  ": is 1 x 3 x 3, the first image 1 x 2 x 3");
  EXPECT_FALSE(std::filesystem::exists(dir_ / "mean"));
  WriteDatabase(dir_ / "empty", {});
  ExpectFails({"compute_image_mean", dir_ / "empty"}, "is empty");
  ExpectFails({"compute_image_mean", dir_ / "none"}, "cannot open");
}

namespace {

const char* const kFeatureNet =
    "name: 'features'"
    "layer { name: 'data' type: 'Data' top: 'data' top: 'label'"
    "  data_param { source: 'DB' batch_size: 3 backend: LMDB } }"
    "layer { name: 'ip' type: 'InnerProduct' bottom: 'data' top: 'ip'"
    "  inner_product_param { num_output: 4 weight_filler { type: 'xavier' } } }"
    "layer { name: 'loss' type: 'Silence' bottom: 'label' }";

}  // namespace

TEST_F(DataToolsTest, FeaturesBecomeDatumsInTheOrderOfTheData) {
  WriteBytesDatabase(dir_ / "images", 5, 1, 2, 2);
  string text = kFeatureNet;
  text.replace(text.find("DB"), 2, dir_ / "images");
  WriteText(dir_ / "net.prototxt", text);
  Caffe::set_random_seed(5);
  Net<float> net(dir_ / "net.prototxt", TEST);
  NetParameter weights;
  net.ToProto(&weights);
  WriteProtoToBinaryFile(weights, dir_ / "net.caffemodel");
  MustRun({"extract_features", dir_ / "net.caffemodel", dir_ / "net.prototxt", "ip,data",
           (dir_ / "ip_db") + "," + (dir_ / "data_db"), "2", "lmdb"});
  const auto features = ReadDatums(dir_ / "ip_db");
  const auto pixels = ReadDatums(dir_ / "data_db");
  ASSERT_EQ(features.size(), 6u);
  ASSERT_EQ(pixels.size(), 6u);
  for (int batch = 0; batch < 2; ++batch) {
    net.Forward();
    for (int i = 0; i < 3; ++i) {
      const auto& feature = features[3 * batch + i];
      EXPECT_EQ(feature.first, "000000000" + std::to_string(3 * batch + i));
      ASSERT_EQ(feature.second.channels(), 4);
      ASSERT_EQ(feature.second.float_data_size(), 4);
      for (int j = 0; j < 4; ++j) {
        EXPECT_EQ(feature.second.float_data(j), net.blob_by_name("ip")->cpu_data()[4 * i + j]);
      }
      EXPECT_EQ(pixels[3 * batch + i].second.float_data_size(), 4);
    }
  }
  const vector<string> words = {"extract_features", dir_ / "net.caffemodel", dir_ / "net.prototxt"};
  const auto fails = [&words](const vector<string>& rest, const string& part) {
    vector<string> all(words);
    all.insert(all.end(), rest.begin(), rest.end());
    ExpectFails(all, part);
  };
  fails({"ipp", dir_ / "x", "2", "lmdb"}, "no blob \"ipp\"; the nearest names are ip");
  fails({"ip,data", dir_ / "x", "2", "lmdb"}, "got 2 blob(s) and 1 database(s)");
  fails({"ip", dir_ / "ip_db", "2", "lmdb"}, "exists already");
  fails({"ip", dir_ / "x", "0", "lmdb"}, "NUM_BATCHES");
  fails({"ip", dir_ / "x", "2", "sqlite"}, "unknown database backend");
  EXPECT_FALSE(std::filesystem::exists(dir_ / "x"));
}

TEST(DatabaseWriterTest, ADatabaseAppearsWithCommitOnly) {
  const TempDir dir;
  {
    DatabaseWriter writer(dir / "a", "lmdb");
    writer.Put("k", "v");
  }
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
  DatabaseWriter writer(dir / "a/", "lmdb");
  // Several transactions.
  for (int i = 0; i < 70; ++i) writer.Put(RecordKey(i), string(1 << 20, 'x'));
  EXPECT_FALSE(std::filesystem::exists(dir / "a"));
  writer.Commit();
  EXPECT_EQ(LmdbReader(dir / "a").size(), 70u);
  EXPECT_CAFFE_ERROR(writer.Commit(), "committed twice");
  EXPECT_CAFFE_ERROR(DatabaseWriter(dir / "none/a", "lmdb"), "cannot make the folder");
}

TEST(ProgressTest, SecondsAreReadable) {
  EXPECT_EQ(DescribeSeconds(0.2), "0 s");
  EXPECT_EQ(DescribeSeconds(89), "89 s");
  EXPECT_EQ(DescribeSeconds(300), "5 min");
  EXPECT_EQ(DescribeSeconds(7800), "2 h 10 min");
}

}  // namespace caffe
