#include "caffe/layers/hdf5_output_layer.hpp"

#include <algorithm>

#include "caffe/util/hdf5.hpp"

namespace caffe {

namespace {

hid_t NativeType(float /*of_this_type*/) { return H5T_NATIVE_FLOAT; }
hid_t NativeType(double /*of_this_type*/) { return H5T_NATIVE_DOUBLE; }

template <typename Dtype>
vector<hsize_t> Dimensions(const Blob<Dtype>& blob) {
  return vector<hsize_t>(blob.shape().begin(), blob.shape().end());
}

/** A dataset without rows, which can grow. */
template <typename Dtype>
Hdf5Handle CreateDataset(hid_t file, const char* name, const Blob<Dtype>& blob) {
  vector<hsize_t> empty = Dimensions(blob);
  vector<hsize_t> most = empty;
  vector<hsize_t> chunk = empty;
  const hsize_t row_bytes = static_cast<hsize_t>(blob.count(1)) * sizeof(Dtype);
  // Chunks of about a megabyte: HDF5 keeps one in memory.
  chunk[0] = std::max<hsize_t>(1, std::min<hsize_t>(chunk[0], (1U << 20U) / row_bytes));
  empty[0] = 0;
  most[0] = H5S_UNLIMITED;
  const Hdf5Handle space(H5Screate_simple(blob.num_axes(), empty.data(), most.data()), H5Sclose);
  const Hdf5Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_chunk(properties.get(), blob.num_axes(), chunk.data());
  return Hdf5Handle(H5Dcreate2(file, name, NativeType(Dtype()), space.get(), H5P_DEFAULT,
                               properties.get(), H5P_DEFAULT),
                    H5Dclose);
}

template <typename Dtype>
void CheckRows(const char* name, const vector<hsize_t>& stored, const Blob<Dtype>& blob) {
  const vector<hsize_t> given = Dimensions(blob);
  const bool same = stored.size() == given.size() &&
                    std::equal(stored.begin() + 1, stored.end(), given.begin() + 1);
  std::ostringstream expected;
  for (size_t i = 1; i < stored.size(); ++i) expected << " " << stored[i];
  CHECK(same) << "the rows of \"" << name << "\" had the shape" << expected.str()
              << " before, now the bottom has the shape " << blob.shape_string();
}

vector<hsize_t> StoredDimensions(hid_t dataset) {
  const Hdf5Handle space(H5Dget_space(dataset), H5Sclose);
  vector<hsize_t> dimensions(std::max(0, H5Sget_simple_extent_ndims(space.get())));
  H5Sget_simple_extent_dims(space.get(), dimensions.data(), nullptr);
  return dimensions;
}

/** The dataset, made if there is none, with rows of the blob's shape. */
template <typename Dtype>
Hdf5Handle OpenDataset(hid_t file, const char* name, const Blob<Dtype>& blob) {
  Hdf5Handle dataset = hdf5_has(file, name)
                           ? Hdf5Handle(H5Dopen2(file, name, H5P_DEFAULT), H5Dclose)
                           : CreateDataset(file, name, blob);
  CHECK(dataset.is_open()) << "the dataset \"" << name << "\" cannot be made";
  CheckRows(name, StoredDimensions(dataset.get()), blob);
  return dataset;
}

template <typename Dtype>
void AppendRows(hid_t dataset, const Blob<Dtype>& blob) {
  vector<hsize_t> stored = StoredDimensions(dataset);
  const vector<hsize_t> rows = Dimensions(blob);
  vector<hsize_t> start(rows.size(), 0);
  start[0] = stored[0];
  stored[0] += rows[0];
  bool written = H5Dset_extent(dataset, stored.data()) >= 0;
  const Hdf5Handle target(H5Dget_space(dataset), H5Sclose);
  const Hdf5Handle source(H5Screate_simple(blob.num_axes(), rows.data(), nullptr), H5Sclose);
  written = written && H5Sselect_hyperslab(target.get(), H5S_SELECT_SET, start.data(), nullptr,
                                           rows.data(), nullptr) >= 0;
  written = written && H5Dwrite(dataset, NativeType(Dtype()), source.get(), target.get(),
                                H5P_DEFAULT, blob.cpu_data()) >= 0;
  CHECK(written) << "the rows cannot be written; is the disk full?";
}

}  // namespace

template <typename Dtype>
void HDF5OutputLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                                        const vector<Blob<Dtype>*>& /*top*/) {
  file_name_ = this->layer_param_.hdf5_output_param().file_name();
  CHECK(!file_name_.empty()) << "hdf5_output_param has no file_name";
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // errors are ours to tell
  const Hdf5Handle file(H5Fcreate(file_name_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT),
                        H5Fclose);
  CHECK(file.is_open()) << file_name_ << ": cannot be written";
}

template <typename Dtype>
void HDF5OutputLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                         const vector<Blob<Dtype>*>& /*top*/) {
  for (const Blob<Dtype>* blob : bottom) {
    CHECK(blob->num_axes() > 0 && blob->count() > 0)
        << "a bottom has the shape " << blob->shape_string() << "; expected rows of numbers";
  }
  CHECK(bottom[0]->shape(0) == bottom[1]->shape(0))
      << "expected as many labels as rows of data, got " << bottom[1]->shape(0) << " and "
      << bottom[0]->shape(0);
  const Hdf5Handle file(H5Fopen(file_name_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose);
  CHECK(file.is_open()) << file_name_ << ": cannot be written";
  // Both are opened, and their shapes checked, before anything is written.
  const Hdf5Handle data = OpenDataset(file.get(), "data", *bottom[0]);
  const Hdf5Handle label = OpenDataset(file.get(), "label", *bottom[1]);
  AppendRows(data.get(), *bottom[0]);
  AppendRows(label.get(), *bottom[1]);
  CHECK(H5Fflush(file.get(), H5F_SCOPE_LOCAL) >= 0)
      << file_name_ << ": cannot be written; is the disk full?";
}

template <typename Dtype>
void HDF5OutputLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& /*top*/,
                                          const vector<bool>& propagate_down,
                                          const vector<Blob<Dtype>*>& bottom) {
  for (size_t i = 0; i < bottom.size(); ++i) {
    if (!propagate_down[i]) continue;
    caffe_set(bottom[i]->count(), Dtype(0), bottom[i]->mutable_cpu_diff());
  }
}

INSTANTIATE_CLASS(HDF5OutputLayer);
REGISTER_LAYER_CLASS(HDF5Output);

}  // namespace caffe
