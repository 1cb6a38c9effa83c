#include "caffe/layers/hdf5_data_layer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "caffe/data/records.hpp"
#include "caffe/util/hdf5.hpp"

namespace caffe {

namespace {

vector<string> ReadFileList(const string& source) {
  CHECK(!source.empty()) << "hdf5_data_param has no source";
  std::ifstream list(source);
  CHECK(list.good()) << "list " << source << ": cannot be read: " << std::strerror(errno);
  vector<string> files;
  string line;
  while (std::getline(list, line)) {
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) line.pop_back();
    if (!line.empty()) files.push_back(line);
  }
  CHECK(!files.empty()) << "list " << source << ": names no file";
  return files;
}

string Describe(const vector<int>& row) {
  if (row.empty()) return "one number";
  std::ostringstream out;
  for (size_t i = 0; i < row.size(); ++i) out << (i > 0 ? " x " : "") << row[i];
  return out.str();
}

/** Errors of the HDF5 functions name their file themselves; ours let the layer be named too. */
template <typename Function>
void WithoutOrigin(const Function& function) {
  try {
    function();
  } catch (const Error& error) {
    throw Error(error.what(), error.where());
  }
}

}  // namespace

template <typename Dtype>
vector<vector<int>> HDF5DataLayer<Dtype>::ReadShapes(File* file) const {
  vector<vector<int>> shapes;
  WithoutOrigin([&] {
    const Hdf5Handle handle = hdf5_open_file(file->path);
    for (const string& name : this->layer_param_.top()) {
      Blob<Dtype> blob;
      hdf5_load_nd_dataset_helper(handle.get(), name.c_str(), 1, kMaxBlobAxes, &blob, true);
      shapes.push_back(blob.shape());
    }
  });
  file->rows = shapes[0][0];
  CHECK(file->rows > 0) << file->path << ": dataset " << this->layer_param_.top(0)
                        << ": has no rows";
  for (size_t i = 1; i < shapes.size(); ++i) {
    CHECK(shapes[i][0] == file->rows)
        << file->path << ": the dataset " << this->layer_param_.top(static_cast<int>(i)) << " has "
        << shapes[i][0] << " rows, " << this->layer_param_.top(0) << " has " << file->rows;
  }
  for (vector<int>& shape : shapes) shape.erase(shape.begin());
  return shapes;
}

template <typename Dtype>
void HDF5DataLayer<Dtype>::CheckFiles(const vector<Blob<Dtype>*>& top) {
  const int batch_size = static_cast<int>(this->layer_param_.hdf5_data_param().batch_size());
  const vector<vector<int>> expected = ReadShapes(&files_[0]);
  for (size_t i = 0; i < top.size(); ++i) {
    vector<int> shape = expected[i];
    shape.insert(shape.begin(), batch_size);
    top[i]->Reshape(shape);
  }
  total_rows_ = 0;
  for (File& file : files_) {
    const vector<vector<int>> shapes = ReadShapes(&file);
    for (size_t i = 0; i < shapes.size(); ++i) {
      CHECK(shapes[i] == expected[i])
          << file.path << ": the rows of the dataset "
          << this->layer_param_.top(static_cast<int>(i)) << " have the shape "
          << Describe(shapes[i]) << ", in " << files_[0].path << " " << Describe(expected[i]);
    }
    total_rows_ += static_cast<uint64_t>(file.rows);
  }
}

template <typename Dtype>
void HDF5DataLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                                      const vector<Blob<Dtype>*>& top) {
  const HDF5DataParameter& param = this->layer_param_.hdf5_data_param();
  CHECK(!this->layer_param_.has_transform_param())
      << "transform_param does not apply to HDF5 data; put what it says into the files";
  CHECK(param.batch_size() > 0 && param.batch_size() <= 1000000000U)
      << "hdf5_data_param batch_size must be at least 1, got " << param.batch_size();
  CHECK(this->layer_param_.top_size() == static_cast<int>(top.size()))
      << "expected the names of " << top.size() << " tops, got " << this->layer_param_.top_size();
  files_.clear();
  for (const string& path : ReadFileList(param.source())) {
    files_.emplace_back();
    files_.back().path = path;
  }
  CheckFiles(top);
  seed_ = caffe_rng_rand();
  consumed_ = 0;
  has_epoch_ = false;
  loaded_file_ = -1;
  LOG(INFO) << this->Who() << ": " << total_rows_ << " rows in " << files_.size() << " file(s)";
}

template <typename Dtype>
void HDF5DataLayer<Dtype>::BeginEpoch(uint64_t epoch) {
  if (has_epoch_ && epoch_ == epoch) return;
  const bool shuffle = this->layer_param_.hdf5_data_param().shuffle();
  std::mt19937 random = EpochRandom(seed_, epoch);
  file_order_ = Permutation(files_.size(), shuffle ? &random : nullptr);
  first_row_.clear();
  uint64_t row = 0;
  for (const uint64_t file : file_order_) {
    first_row_.push_back(row);
    row += static_cast<uint64_t>(files_[file].rows);
  }
  has_epoch_ = true;
  has_row_order_ = false;
  epoch_ = epoch;
}

template <typename Dtype>
void HDF5DataLayer<Dtype>::LoadFile(int index) {
  if (loaded_file_ == index) return;
  const File& file = files_[index];
  loaded_file_ = -1;
  loaded_.resize(this->layer_param_.top_size());
  WithoutOrigin([&] {
    const Hdf5Handle handle = hdf5_open_file(file.path);
    for (size_t i = 0; i < loaded_.size(); ++i) {
      if (!loaded_[i]) loaded_[i] = std::make_shared<Blob<Dtype>>();
      hdf5_load_nd_dataset(handle.get(), this->layer_param_.top(static_cast<int>(i)).c_str(), 1,
                           kMaxBlobAxes, loaded_[i].get(), true);
      CHECK(loaded_[i]->shape(0) == file.rows) << file.path << ": was changed: it had " << file.rows
                                               << " rows, now " << loaded_[i]->shape(0);
    }
  });
  loaded_file_ = index;
  has_row_order_ = false;
}

/** Has the file loaded that holds this place of the endless walk. @return the row in it. */
template <typename Dtype>
int HDF5DataLayer<Dtype>::GoTo(uint64_t place) {
  BeginEpoch(place / total_rows_);
  const uint64_t row = place % total_rows_;
  const size_t turn =
      std::upper_bound(first_row_.begin(), first_row_.end(), row) - first_row_.begin() - 1;
  const uint64_t file = file_order_[turn];
  LoadFile(static_cast<int>(file));
  if (!has_row_order_) {
    std::mt19937 random = RecordRandom(seed_, epoch_, file);
    const bool shuffle = this->layer_param_.hdf5_data_param().shuffle();
    row_order_ = Permutation(static_cast<uint64_t>(files_[file].rows), shuffle ? &random : nullptr);
    has_row_order_ = true;
  }
  return static_cast<int>(row_order_[row - first_row_[turn]]);
}

template <typename Dtype>
void HDF5DataLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& /*bottom*/,
                                       const vector<Blob<Dtype>*>& top) {
  const bool share = this->phase_ == TRAIN;
  const uint64_t count = share ? static_cast<uint64_t>(Caffe::solver_count()) : 1;
  const uint64_t rank = share ? static_cast<uint64_t>(Caffe::solver_rank()) : 0;
  const int batch_size = static_cast<int>(this->layer_param_.hdf5_data_param().batch_size());
  for (int n = 0; n < batch_size; ++n) {
    const int row = GoTo(rank + (consumed_ + static_cast<uint64_t>(n)) * count);
    for (size_t i = 0; i < top.size(); ++i) {
      const int size = top[i]->count(1);
      CHECK(loaded_[i]->count(1) == size)
          << "rows of " << size << " numbers expected, the file has " << loaded_[i]->count(1);
      caffe_copy(size, loaded_[i]->cpu_data() + static_cast<size_t>(row) * size,
                 top[i]->mutable_cpu_data() + static_cast<size_t>(n) * size);
    }
  }
  consumed_ += static_cast<uint64_t>(batch_size);
}

template <typename Dtype>
void HDF5DataLayer<Dtype>::SaveState(LayerState* state) const {
  WriteStreamState({seed_, total_rows_, consumed_}, state);
}

template <typename Dtype>
void HDF5DataLayer<Dtype>::LoadState(const LayerState& state) {
  const StreamState saved = ReadStreamState(state, total_rows_, this->Who());
  seed_ = saved.seed;
  consumed_ = saved.consumed;
  has_epoch_ = false;
}

INSTANTIATE_CLASS(HDF5DataLayer);
REGISTER_LAYER_CLASS(HDF5Data);

}  // namespace caffe
