#include "caffe/util/io.hpp"

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/util/hdf5.hpp"
#include "caffe/util/upgrade_proto.hpp"

namespace caffe {
namespace {

NetParameter SmallNet() {
  NetParameter net;
  net.set_name("small");
  LayerParameter* layer = net.add_layer();
  layer->set_name("ip");
  layer->set_type("InnerProduct");
  layer->add_blobs()->add_data(0.25f);
  return net;
}

TEST(IOTest, BinaryAndTextRoundTrips) {
  string path;
  MakeTempFilename(&path);
  const NetParameter net = SmallNet();
  NetParameter read;
  WriteProtoToBinaryFile(net, path);
  ReadNetParamsFromBinaryFileOrDie(path, &read);
  EXPECT_EQ(read.SerializeAsString(), net.SerializeAsString());
  WriteProtoToTextFile(net, path);
  ReadNetParamsFromTextFileOrDie(path, &read);
  EXPECT_EQ(read.SerializeAsString(), net.SerializeAsString());
}

TEST(IOTest, HDF5RoundTrip) {
  string path;
  MakeTempFilename(&path);
  Blob<float> blob(vector<int>{2, 3});
  for (int i = 0; i < 6; ++i) blob.mutable_cpu_data()[i] = static_cast<float>(i);
  Hdf5Writer writer(path);
  {
    const Hdf5Handle group = hdf5_create_group(writer.id(), "data");
    hdf5_save_nd_dataset(group.get(), "0", blob);
  }
  hdf5_save_int(writer.id(), "iter", 7);
  hdf5_save_string(writer.id(), "name", "net");
  writer.Commit();
  const Hdf5Handle file = hdf5_open_file(path);
  EXPECT_EQ(hdf5_load_int(file.get(), "iter"), 7);
  EXPECT_EQ(hdf5_load_string(file.get(), "name"), "net");
  Blob<double> read;
  hdf5_load_nd_dataset(file.get(), "data/0", 1, 4, &read, true);
  EXPECT_EQ(read.shape(), blob.shape());
  EXPECT_EQ(read.cpu_data()[5], 5.0);
}

}  // namespace
}  // namespace caffe
