#include <sys/stat.h>
#include <unistd.h>

#include <random>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/util/atomic_file.hpp"
#include "caffe/util/hdf5.hpp"
#include "caffe/util/io.hpp"
#include "caffe/util/upgrade_proto.hpp"

namespace caffe {
namespace {

NetParameter SmallNet() {
  NetParameter net;
  net.set_name("small");
  for (const char* name : {"ip1", "ip2"}) {
    LayerParameter* layer = net.add_layer();
    layer->set_name(name);
    layer->set_type("InnerProduct");
    layer->mutable_inner_product_param()->set_num_output(3);
    BlobProto* blob = layer->add_blobs();
    blob->mutable_shape()->add_dim(4);
    for (int i = 0; i < 4; ++i) blob->add_data(0.25f * static_cast<float>(i));
  }
  return net;
}

SolverState SmallState() {
  SolverState state;
  state.set_iter(5);
  state.set_learned_net("half_iter_5.caffemodel");
  state.add_history()->add_data(0.5f);
  state.set_current_step(1);
  return state;
}

Datum SmallDatum() {
  Datum datum;
  datum.set_channels(1);
  datum.set_height(1);
  datum.set_width(2);
  datum.set_data(string("\0\x80", 2));
  datum.set_label(3);
  return datum;
}

class IOTest : public ::testing::Test {
 protected:
  IOTest() {
    MakeTempDir(&folder_);
    path_ = folder_ + "/file";
  }
  template <typename Proto>
  string Written(const Proto& proto) {
    WriteProtoToBinaryFile(proto, path_);
    return path_;
  }
  /** Without the flush to the disk, which takes long a thousand times. */
  void WriteQuickly(const string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }
  string folder_, path_;
};

TEST_F(IOTest, TemporaryNames) {
  string folder, other, name;
  MakeTempDir(&folder);
  MakeTempDir(&other);
  EXPECT_NE(folder, other);
  struct stat info{};
  ASSERT_EQ(stat(folder.c_str(), &info), 0);
  EXPECT_TRUE(S_ISDIR(info.st_mode));
  MakeTempFilename(&name);
  EXPECT_NE(stat(name.c_str(), &info), 0);
  WriteFileAtomically(name, "there is a folder for it");
}

TEST_F(IOTest, BinaryAndTextRoundTrips) {
  const NetParameter net = SmallNet();
  NetParameter read;
  WriteProtoToBinaryFile(net, path_);
  ReadNetParamsFromBinaryFileOrDie(path_, &read);
  EXPECT_EQ(read.SerializeAsString(), net.SerializeAsString());
  read.Clear();
  EXPECT_TRUE(ReadProtoFromBinaryFile(path_, &read));
  EXPECT_EQ(read.SerializeAsString(), net.SerializeAsString());
  WriteProtoToTextFile(net, path_);
  ReadNetParamsFromTextFileOrDie(path_, &read);
  EXPECT_EQ(read.SerializeAsString(), net.SerializeAsString());
  read.Clear();
  EXPECT_TRUE(ReadProtoFromTextFile(path_, &read));
  EXPECT_EQ(read.SerializeAsString(), net.SerializeAsString());
}

TEST_F(IOTest, FormsThatDoNotThrow) {
  NetParameter net;
  net.set_name("kept");
  EXPECT_FALSE(ReadProtoFromTextFile(folder_ + "/missing", &net));
  EXPECT_FALSE(ReadProtoFromBinaryFile(folder_ + "/missing", &net));
  WriteFileAtomically(path_, "nane: 1");
  EXPECT_FALSE(ReadProtoFromTextFile(path_, &net));
  EXPECT_FALSE(ReadProtoFromBinaryFile(path_, &net));
  EXPECT_EQ(net.name(), "kept");
}

TEST_F(IOTest, MissingFileFolderAndEmptyFile) {
  NetParameter net;
  const string missing = folder_ + "/missing.prototxt";
  for (const auto read : {ReadNetParamsFromTextFileOrDie, ReadNetParamsFromBinaryFileOrDie}) {
    EXPECT_CAFFE_ERROR(read(missing, &net),
                       missing + ": cannot be read: No such file or directory");
    EXPECT_CAFFE_ERROR(read(folder_, &net), folder_ + ": cannot be read: it is a folder");
    WriteFileAtomically(path_, "");
    EXPECT_CAFFE_ERROR(read(path_, &net), path_ + ": is empty, expected");
  }
  WriteFileAtomically(path_, "name: \"nothing\"  # no layers\n");
  EXPECT_CAFFE_ERROR(ReadNetParamsFromTextFileOrDie(path_, &net), path_ + ": has no layers");
  SolverParameter solver;
  EXPECT_CAFFE_ERROR(ReadSolverParamsFromTextFileOrDie(missing, &solver),
                     missing + ": cannot be read: No such file or directory");
}

TEST_F(IOTest, ErrorsInTextNameTheFile) {
  WriteFileAtomically(path_, "name: \"x\"\nlayer { typ: \"Data\" }\n");
  NetParameter net;
  EXPECT_CAFFE_ERROR(ReadNetParamsFromTextFileOrDie(path_, &net),
                     path_ + ":2:9: LayerParameter has no field \"typ\"");
}

TEST_F(IOTest, BinaryGivenAsTextAndTextAsBinary) {
  NetParameter net;
  SolverParameter solver;
  EXPECT_CAFFE_ERROR(ReadNetParamsFromTextFileOrDie(Written(SmallNet()), &net),
                     path_ +
                         ": holds the weights of a net (.caffemodel), expected a NetParameter "
                         "as text");
  EXPECT_CAFFE_ERROR(ReadSolverParamsFromTextFileOrDie(Written(SmallState()), &solver),
                     "holds the state of a solver (.solverstate), expected a SolverParameter");
  WriteProtoToTextFile(SmallNet(), path_);
  EXPECT_CAFFE_ERROR(ReadNetParamsFromBinaryFileOrDie(path_, &net),
                     path_ + ": holds text, expected the weights of a net (.caffemodel)");
  WriteFileAtomically(path_, string("\xff\xfen\0a\0m\0e\0", 10));
  EXPECT_CAFFE_ERROR(ReadNetParamsFromTextFileOrDie(path_, &net), "is UTF-16");
}

TEST_F(IOTest, KindsAreTold) {
  BlobProto blob;
  blob.add_data(1.5f);
  BlobProtoVector blobs;
  *blobs.add_blobs() = blob;
  AnnotatedDatum annotated;
  *annotated.mutable_datum() = SmallDatum();
  annotated.add_annotation_group()->set_group_label(1);
  NetParameter v1;
  v1.set_name("v1");
  v1.add_layers()->set_type(V1LayerParameter::RELU);
  NetParameter nameless = SmallNet();
  nameless.clear_name();
  EXPECT_EQ(DetectFileKind(Written(SmallNet())), FileKind::kNet);
  EXPECT_EQ(DetectFileKind(Written(v1)), FileKind::kNet);
  EXPECT_EQ(DetectFileKind(Written(nameless)), FileKind::kNet);
  EXPECT_EQ(DetectFileKind(Written(SmallState())), FileKind::kSolverState);
  EXPECT_EQ(DetectFileKind(Written(blob)), FileKind::kBlob);
  EXPECT_EQ(DetectFileKind(Written(blobs)), FileKind::kBlobVector);
  EXPECT_EQ(DetectFileKind(Written(SmallDatum())), FileKind::kDatum);
  EXPECT_EQ(DetectFileKind(Written(annotated)), FileKind::kAnnotatedDatum);
  Hdf5Writer(path_).Commit();
  EXPECT_EQ(DetectFileKind(path_), FileKind::kHdf5);
  EXPECT_TRUE(hdf5_is_hdf5(path_));
  WriteFileAtomically(path_, "name: \"text\"");
  EXPECT_EQ(DetectFileKind(path_), FileKind::kText);
  WriteFileAtomically(path_, string("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16));
  EXPECT_EQ(DetectFileKind(path_), FileKind::kUnknown);
}

TEST_F(IOTest, UnpackedValuesAreTheSameKind) {
  // Writers that do not know "packed" write each value with its own tag.
  WriteFileAtomically(path_, string("\x08\x01\x2d\0\0\x80\x3f\x2d\0\0\0\x40", 12));
  EXPECT_EQ(DetectFileKind(path_), FileKind::kBlob);
  BlobProto blob;
  ReadProtoFromBinaryFileOrDie(path_, &blob);
  ASSERT_EQ(blob.data_size(), 2);
  EXPECT_EQ(blob.data(1), 2.f);
}

TEST_F(IOTest, AnotherKindIsNamed) {
  NetParameter net;
  SolverState state;
  Datum datum;
  EXPECT_CAFFE_ERROR(ReadNetParamsFromBinaryFileOrDie(Written(SmallState()), &net),
                     path_ +
                         ": holds the state of a solver (.solverstate), expected the weights "
                         "of a net (.caffemodel)");
  EXPECT_CAFFE_ERROR(ReadProtoFromBinaryFileOrDie(Written(SmallNet()), &state),
                     path_ +
                         ": holds the weights of a net (.caffemodel), expected the state of "
                         "a solver (.solverstate)");
  NetParameter nameless = SmallNet();
  nameless.clear_name();
  EXPECT_CAFFE_ERROR(ReadProtoFromBinaryFileOrDie(Written(nameless), &state),
                     "holds the weights of a net");
  EXPECT_CAFFE_ERROR(ReadProtoFromBinaryFileOrDie(Written(SmallNet()), &datum),
                     "holds the weights of a net (.caffemodel), expected a Datum");
  Hdf5Writer(path_).Commit();
  EXPECT_CAFFE_ERROR(ReadNetParamsFromBinaryFileOrDie(path_, &net), "holds HDF5 data");
  NetParameter empty;
  empty.set_name("no layers, so no weights");
  EXPECT_CAFFE_ERROR(ReadNetParamsFromBinaryFileOrDie(Written(empty), &net),
                     "holds binary data of an unknown kind, expected the weights of a net");
}

TEST_F(IOTest, ForeignFile) {
  NetParameter net;
  net.set_name("kept");
  WriteFileAtomically(path_, string("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16));
  EXPECT_CAFFE_ERROR(ReadNetParamsFromBinaryFileOrDie(path_, &net),
                     path_ + ": holds binary data of an unknown kind");
  EXPECT_EQ(net.name(), "kept");
}

TEST_F(IOTest, FieldsOfOtherBranchesAreNoObstacle) {
  NetParameter net = SmallNet(), read;
  google::protobuf::UnknownFieldSet* unknown =
      net.mutable_layer(0)->GetReflection()->MutableUnknownFields(net.mutable_layer(0));
  unknown->AddLengthDelimited(8150266, "roi_pooling_param of py-faster-rcnn");
  ReadNetParamsFromBinaryFileOrDie(Written(net), &read);
  EXPECT_EQ(read.layer_size(), 2);
}

TEST_F(IOTest, TruncationAtEveryByte) {
  const string bytes = SmallNet().SerializeAsString();
  NetParameter net;
  int wrong = 0;
  for (size_t size = 0; size < bytes.size(); ++size) {
    WriteQuickly(bytes.substr(0, size));
    try {
      ReadNetParamsFromBinaryFileOrDie(path_, &net);
      // Protobuf's files have no end mark: cut between two layers, the first is a whole file.
      ++wrong;
      EXPECT_EQ(net.layer_size(), 1) << size;
    } catch (const Error&) {
    }
  }
  EXPECT_EQ(wrong, 1);
  WriteFileAtomically(path_, bytes.substr(0, bytes.size() - 5));
  EXPECT_CAFFE_ERROR(ReadNetParamsFromBinaryFileOrDie(path_, &net),
                     "is truncated: it ends in the field \"layer\", 5 bytes short");
}

TEST_F(IOTest, RandomMutationsOfBinary) {
  std::mt19937 random(5);
  const string whole[] = {SmallNet().SerializeAsString(), SmallState().SerializeAsString(),
                          SmallDatum().SerializeAsString()};
  for (int round = 0; round < 400; ++round) {
    string bytes = whole[round % 3];
    for (int change = 0; change <= round % 5; ++change) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    WriteQuickly(bytes);
    NetParameter net;
    SolverState state;
    Datum datum;
    try {
      ReadNetParamsFromBinaryFileOrDie(path_, &net);
    } catch (const Error& error) {
      EXPECT_EQ(error.who(), path_);
    }
    EXPECT_NO_FATAL_FAILURE(ReadProtoFromBinaryFile(path_, &state));
    EXPECT_NO_FATAL_FAILURE(ReadProtoFromBinaryFile(path_, &datum));
  }
}

TEST_F(IOTest, PipesCanBeRead) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const string bytes = SmallNet().SerializeAsString();
  ASSERT_EQ(write(ends[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  close(ends[1]);
  NetParameter net;
  ReadNetParamsFromBinaryFileOrDie("/dev/fd/" + std::to_string(ends[0]), &net);
  close(ends[0]);
  EXPECT_EQ(net.layer_size(), 2);
}

TEST_F(IOTest, WritersNameTheFile) {
  const string path = folder_ + "/missing/net";
  EXPECT_CAFFE_ERROR(WriteProtoToTextFile(SmallNet(), path), path + ": cannot create a file");
  EXPECT_CAFFE_ERROR(WriteProtoToBinaryFile(SmallNet(), path), path + ": cannot create a file");
  ClipParameter clip;
  clip.set_min(0);
  EXPECT_CAFFE_ERROR(WriteProtoToBinaryFile(clip, path_), "lacks required fields: max");
}

TEST(FormatTest, FillsWithZeros) {
  EXPECT_EQ(format_int(7), "7");
  EXPECT_EQ(format_int(7, 3), "007");
  EXPECT_EQ(format_int(12345, 3), "12345");
}

}  // namespace
}  // namespace caffe
