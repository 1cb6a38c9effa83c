#include <hdf5_hl.h>

#include <random>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/util/atomic_file.hpp"
#include "caffe/util/hdf5.hpp"
#include "caffe/util/io.hpp"

#if defined(__SANITIZE_ADDRESS__)
// HDF5 1.10 itself forgets some memory when it gives up on a damaged file.
extern "C" const char* __lsan_default_suppressions() { return "leak:libhdf5"; }
#endif

namespace caffe {
namespace {

class HDF5Test : public ::testing::Test {
 protected:
  HDF5Test() { MakeTempFilename(&path_); }
  /** A file of two blobs in groups, an int and a string. */
  void WriteSample() const {
    Blob<float> blob(vector<int>{2, 3});
    for (int i = 0; i < 6; ++i) {
      blob.mutable_cpu_data()[i] = 0.5f * static_cast<float>(i);
      blob.mutable_cpu_diff()[i] = static_cast<float>(-i);
    }
    Hdf5Writer writer(path_);
    {
      const Hdf5Handle data = hdf5_create_group(writer.id(), "data");
      const Hdf5Handle layer = hdf5_create_group(data.get(), "conv1/3x3");
      hdf5_save_nd_dataset(layer.get(), "0", blob);
      hdf5_save_nd_dataset(layer.get(), "diff", blob, true);
    }
    hdf5_save_int(writer.id(), "iter", -5);
    hdf5_save_string(writer.id(), "learned_net", "a.caffemodel");
    writer.Commit();
  }
  static string Bytes(const string& path) {
    std::ifstream file(path, std::ios::binary);
    return string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  string path_;
};

TEST_F(HDF5Test, RoundTrip) {
  WriteSample();
  const Hdf5Handle file = hdf5_open_file(path_);
  EXPECT_EQ(hdf5_load_int(file.get(), "iter"), -5);
  EXPECT_EQ(hdf5_load_string(file.get(), "learned_net"), "a.caffemodel");
  Blob<double> blob;
  hdf5_load_nd_dataset(file.get(), "data/conv1/3x3/0", 1, 4, &blob, true);
  EXPECT_EQ(blob.shape(), (vector<int>{2, 3}));
  EXPECT_EQ(blob.cpu_data()[5], 2.5);
  hdf5_load_nd_dataset(file.get(), "data/conv1/3x3/diff", 1, 4, &blob);
  EXPECT_EQ(blob.cpu_data()[5], -5);
}

TEST_F(HDF5Test, ShapesOfEveryKind) {
  const vector<vector<int>> shapes = {{}, {1}, {0, 3}, {1, 2, 1, 2, 1, 2}};
  for (const vector<int>& shape : shapes) {
    Blob<double> blob(shape), read;
    for (int i = 0; i < blob.count(); ++i) blob.mutable_cpu_data()[i] = i + 0.1;
    Hdf5Writer writer(path_);
    hdf5_save_nd_dataset(writer.id(), "x", blob);
    writer.Commit();
    const Hdf5Handle file = hdf5_open_file(path_);
    hdf5_load_nd_dataset(file.get(), "x", 0, 6, &read, true);
    EXPECT_EQ(read.shape(), shape);
    for (int i = 0; i < blob.count(); ++i) EXPECT_EQ(read.cpu_data()[i], blob.cpu_data()[i]);
  }
}

TEST_F(HDF5Test, Names) {
  WriteSample();
  const Hdf5Handle file = hdf5_open_file(path_);
  ASSERT_EQ(hdf5_get_num_links(file.get()), 3);
  EXPECT_EQ(hdf5_get_name_by_idx(file.get(), 0), "data");
  EXPECT_EQ(hdf5_get_name_by_idx(file.get(), 2), "learned_net");
  EXPECT_CAFFE_ERROR(hdf5_get_name_by_idx(file.get(), 3), path_ + ": there is no name 3 in /");
  EXPECT_CAFFE_ERROR(hdf5_get_name_by_idx(file.get(), -1), "there is no name -1");
  EXPECT_TRUE(hdf5_has(file.get(), "iter"));
  EXPECT_FALSE(hdf5_has(file.get(), "history"));
  EXPECT_TRUE(hdf5_has(file.get(), "data/conv1/3x3/0"));
  EXPECT_FALSE(hdf5_has(file.get(), "nothing/conv1/0"));
  EXPECT_FALSE(hdf5_has(file.get(), "iter/0"));
}

TEST_F(HDF5Test, IntegersAndVariableStrings) {
  // What h5py and Caffe's tools write: bytes and 64-bit integers, strings of any length.
  const hid_t file = H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t shape[] = {2, 2};
  const unsigned char bytes[] = {0, 1, 128, 255};
  H5LTmake_dataset(file, "bytes", 2, shape, H5T_NATIVE_UCHAR, bytes);
  const long long large = 1LL << 40;
  const hsize_t one = 1;
  H5LTmake_dataset(file, "large", 1, &one, H5T_NATIVE_LLONG, &large);
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t set = H5Dcreate2(file, "text", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const char* text = "of any length";
  H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &text);
  H5Dclose(set);
  H5Sclose(space);
  H5Tclose(type);
  H5Fclose(file);
  const Hdf5Handle opened = hdf5_open_file(path_);
  Blob<float> blob;
  hdf5_load_nd_dataset(opened.get(), "bytes", 1, 4, &blob, true);
  EXPECT_EQ(blob.cpu_data()[3], 255.f);
  EXPECT_EQ(hdf5_load_string(opened.get(), "text"), "of any length");
  EXPECT_CAFFE_ERROR(hdf5_load_int(opened.get(), "large"),
                     path_ + ": dataset /large: is 1099511627776, not an int");
}

TEST_F(HDF5Test, ErrorsNameFileAndDataset) {
  WriteSample();
  const Hdf5Handle file = hdf5_open_file(path_);
  const Hdf5Handle group = hdf5_open_group(file.get(), "data/conv1/3x3");
  Blob<float> blob(vector<int>{3, 2});
  EXPECT_CAFFE_ERROR(hdf5_load_nd_dataset(file.get(), "data/none", 1, 4, &blob),
                     path_ + ": dataset /data/none: there is none of this name");
  EXPECT_CAFFE_ERROR(hdf5_load_nd_dataset(group.get(), "0", 3, 4, &blob),
                     path_ + ": dataset /data/conv1/3x3/0: has 2 axes, expected 3 to 4");
  EXPECT_CAFFE_ERROR(hdf5_load_nd_dataset(group.get(), "0", 1, 4, &blob),
                     "dataset /data/conv1/3x3/0: has shape 2 3, the blob has 3 2");
  EXPECT_CAFFE_ERROR(hdf5_load_nd_dataset(file.get(), "learned_net", 0, 4, &blob),
                     "dataset /learned_net: does not hold real or integer numbers");
  EXPECT_CAFFE_ERROR(hdf5_load_nd_dataset(file.get(), "data", 1, 4, &blob),
                     "dataset /data: cannot be opened");
  EXPECT_CAFFE_ERROR(hdf5_load_int(group.get(), "0"), "is not one integer");
  EXPECT_CAFFE_ERROR(hdf5_load_string(file.get(), "iter"), "dataset /iter: is not one string");
  EXPECT_CAFFE_ERROR(hdf5_open_group(file.get(), "history"),
                     path_ + ": there is no group /history");
  EXPECT_CAFFE_ERROR(hdf5_save_int(file.get(), "new", 1), "dataset /new: cannot be created");
  EXPECT_EQ(blob.shape(), (vector<int>{3, 2}));
}

TEST_F(HDF5Test, WriterRefusesAtOnce) {
  EXPECT_CAFFE_ERROR(Hdf5Writer("/missing folder/x.h5"),
                     "/missing folder/x.h5: cannot create a file in the folder /missing folder");
  WriteSample();
  Hdf5Writer writer(path_);
  hdf5_save_int(writer.id(), "iter", 1);
  EXPECT_CAFFE_ERROR(hdf5_save_int(writer.id(), "iter", 2), "dataset /iter: cannot be created");
  writer.Commit();
  EXPECT_CAFFE_ERROR(writer.Commit(), "committed twice");
}

TEST_F(HDF5Test, WithoutCommitTheOldFileStays) {
  WriteSample();
  const string before = Bytes(path_);
  {
    Hdf5Writer writer(path_);
    hdf5_save_int(writer.id(), "iter", 1);
  }
  EXPECT_EQ(Bytes(path_), before);
}

TEST_F(HDF5Test, ForeignAndMissingFiles) {
  EXPECT_CAFFE_ERROR(hdf5_open_file(path_), path_ + ": cannot be read: No such file");
  EXPECT_FALSE(hdf5_is_hdf5(path_));
  WriteFileAtomically(path_, "text");
  EXPECT_CAFFE_ERROR(hdf5_open_file(path_), path_ + ": holds text, expected HDF5 data");
  SolverState state;
  state.set_iter(1);
  state.set_learned_net("x");
  WriteProtoToBinaryFile(state, path_);
  EXPECT_CAFFE_ERROR(hdf5_open_file(path_), "holds the state of a solver (.solverstate), expected");
}

/** Reads all there is: an Error or success, never a crash. */
void ReadAll(const string& path) {
  try {
    const Hdf5Handle file = hdf5_open_file(path);
    const int links = hdf5_get_num_links(file.get());
    for (int i = 0; i < links && i < 10; ++i) hdf5_get_name_by_idx(file.get(), i);
    Blob<float> blob;
    hdf5_load_nd_dataset(file.get(), "data/conv1/3x3/0", 0, 32, &blob, true);
    hdf5_load_int(file.get(), "iter");
    hdf5_load_string(file.get(), "learned_net");
  } catch (const Error&) {
  }
}

TEST_F(HDF5Test, TruncationAtEveryByte) {
  WriteSample();
  const string bytes = Bytes(path_);
  // Every byte of the first and last ones; of the long middle, some.
  for (size_t size = 0; size < bytes.size(); size += size < 128 ? 1 : 61) {
    std::ofstream(path_, std::ios::binary) << bytes.substr(0, size);
    EXPECT_CAFFE_ERROR(hdf5_open_file(path_), path_ + ": ");
  }
}

TEST_F(HDF5Test, RandomMutations) {
  WriteSample();
  const string bytes = Bytes(path_);
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    string mutated = bytes;
    for (int change = 0; change <= round % 4; ++change) {
      mutated[random() % mutated.size()] = static_cast<char>(random());
    }
    std::ofstream(path_, std::ios::binary) << mutated;
    ReadAll(path_);
  }
}

}  // namespace
}  // namespace caffe
