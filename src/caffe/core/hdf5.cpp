#include "caffe/util/hdf5.hpp"

#include <climits>
#include <type_traits>

#include "caffe/core/io_files.hpp"
#include "caffe/util/atomic_file.hpp"

namespace caffe {
namespace {

/** HDF5 prints its stack of errors unless told not to; ours say it in a line. */
void Quiet() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

extern "C" herr_t KeepDeepest(unsigned, const H5E_error2_t* entry, void* text) {
  if (entry->desc != nullptr) *static_cast<string*>(text) = entry->desc;
  return 0;
}

/** ": REASON", HDF5's innermost one; or empty. */
string Reason() {
  string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, KeepDeepest, &reason);
  return reason.empty() ? "" : ": " + reason;
}

template <typename Get>
string NameFrom(const Get& get) {
  const ssize_t length = get(nullptr, 0);
  if (length <= 0) return "";
  string name(static_cast<size_t>(length) + 1, '\0');
  get(&name[0], name.size());
  name.resize(static_cast<size_t>(length));
  return name;
}

string FileName(hid_t id) {
  return NameFrom([id](char* buffer, size_t size) { return H5Fget_name(id, buffer, size); });
}

/** "/data/conv1/0" for "0" in that group. */
string FullName(hid_t id, const string& name) {
  const string group =
      NameFrom([id](char* buffer, size_t size) { return H5Iget_name(id, buffer, size); });
  return (group.empty() || group == "/" ? "/" : group + "/") + name;
}

[[noreturn]] void FailAt(hid_t loc_id, const string& name, const string& message) {
  throw Error("dataset " + FullName(loc_id, name) + ": " + message, "", FileName(loc_id));
}

struct Dataset {
  Hdf5Handle id, type, space;
  vector<hsize_t> shape;
};

Dataset OpenDataset(hid_t loc_id, const string& name) {
  Quiet();
  Dataset set;
  set.id = Hdf5Handle(H5Dopen2(loc_id, name.c_str(), H5P_DEFAULT), H5Dclose);
  if (!set.id.is_open()) {
    const bool is_missing = !hdf5_has(loc_id, name);
    FailAt(loc_id, name, is_missing ? "there is none of this name" : "cannot be opened" + Reason());
  }
  set.type = Hdf5Handle(H5Dget_type(set.id.get()), H5Tclose);
  set.space = Hdf5Handle(H5Dget_space(set.id.get()), H5Sclose);
  const int axes = H5Sget_simple_extent_ndims(set.space.get());
  if (!set.type.is_open() || axes < 0) FailAt(loc_id, name, "cannot be read" + Reason());
  set.shape.resize(static_cast<size_t>(axes));
  H5Sget_simple_extent_dims(set.space.get(), set.shape.data(), nullptr);
  return set;
}

vector<int> BlobShapeOf(hid_t loc_id, const string& name, const Dataset& set) {
  vector<int> shape;
  double count = 1;
  for (const hsize_t dim : set.shape) {
    count *= static_cast<double>(dim);
    if (dim > INT_MAX || count > INT_MAX) FailAt(loc_id, name, "is too large for a blob");
    shape.push_back(static_cast<int>(dim));
  }
  return shape;
}

string ShapeString(const vector<int>& shape) {
  string text;
  for (const int dim : shape) text += std::to_string(dim) + " ";
  return text.empty() ? "()" : text.substr(0, text.size() - 1);
}

template <typename Dtype>
hid_t NativeType() {
  return std::is_same<Dtype, float>::value ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE;
}

/** Creates a dataset and writes its values. */
void SaveDataset(hid_t loc_id, const string& name, hid_t type, const Hdf5Handle& space,
                 const void* values) {
  const Hdf5Handle set(
      H5Dcreate2(loc_id, name.c_str(), type, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
      H5Dclose);
  if (!set.is_open()) FailAt(loc_id, name, "cannot be created" + Reason());
  if (H5Dwrite(set.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) {
    FailAt(loc_id, name, "cannot be written" + Reason());
  }
}

}  // namespace

bool hdf5_is_hdf5(const string& filename) {
  try {
    return DetectFileKind(filename) == FileKind::kHdf5;
  } catch (const Error&) {
    return false;
  }
}

Hdf5Handle hdf5_open_file(const string& filename) {
  Quiet();
  const FileKind kind = DetectFileKind(filename);
  if (kind != FileKind::kHdf5) {
    throw Error("holds " + FileKindName(kind) + ", expected HDF5 data", "", filename);
  }
  Hdf5Handle file(H5Fopen(filename.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  if (!file.is_open()) {
    throw Error("is truncated, damaged or in use" + Reason(), "", filename);
  }
  return file;
}

Hdf5Handle hdf5_open_group(hid_t loc_id, const string& name) {
  Quiet();
  Hdf5Handle group(H5Gopen2(loc_id, name.c_str(), H5P_DEFAULT), H5Gclose);
  if (!group.is_open()) {
    throw Error("there is no group " + FullName(loc_id, name), "", FileName(loc_id));
  }
  return group;
}

Hdf5Handle hdf5_create_group(hid_t loc_id, const string& name) {
  Quiet();
  // A layer's name may have slashes in it: "inception/1x1" is a group in a group.
  const Hdf5Handle link(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  H5Pset_create_intermediate_group(link.get(), 1);
  Hdf5Handle group(H5Gcreate2(loc_id, name.c_str(), link.get(), H5P_DEFAULT, H5P_DEFAULT),
                   H5Gclose);
  if (!group.is_open()) {
    throw Error("group " + FullName(loc_id, name) + " cannot be created" + Reason(), "",
                FileName(loc_id));
  }
  return group;
}

bool hdf5_has(hid_t loc_id, const string& name) {
  Quiet();
  return H5Lexists(loc_id, name.c_str(), H5P_DEFAULT) > 0;
}

Hdf5Writer::Hdf5Writer(const string& filename) : filename_(filename) {
  Quiet();
  const AtomicFile probe(filename);  // an unwritable place is said before the work is done
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  // In memory: HDF5 does not survive a full disk (its close fails, and again at exit).
  const size_t growth = 16u << 20;
  H5Pset_fapl_core(access.get(), growth, false);
  file_ =
      Hdf5Handle(H5Fcreate(filename.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()), H5Fclose);
  if (!file_.is_open()) throw Error("HDF5 cannot start a file" + Reason(), "", filename);
}

void Hdf5Writer::Commit() {
  CHECK(file_.is_open()) << filename_ << ": committed twice";
  const bool is_flushed = H5Fflush(file_.get(), H5F_SCOPE_GLOBAL) >= 0;
  const ssize_t size = is_flushed ? H5Fget_file_image(file_.get(), nullptr, 0) : -1;
  if (size < 0) throw Error("HDF5 cannot finish the file" + Reason(), "", filename_);
  string image(static_cast<size_t>(size), '\0');
  if (H5Fget_file_image(file_.get(), &image[0], image.size()) < 0) {
    throw Error("HDF5 cannot finish the file" + Reason(), "", filename_);
  }
  file_.Close();
  WriteFileAtomically(filename_, image);
}

template <typename Dtype>
void hdf5_load_nd_dataset_helper(hid_t file_id, const char* dataset_name_, int min_dim, int max_dim,
                                 Blob<Dtype>* blob, bool reshape) {
  const Dataset set = OpenDataset(file_id, dataset_name_);
  const int axes = static_cast<int>(set.shape.size());
  if (axes < min_dim || axes > max_dim) {
    FailAt(file_id, dataset_name_,
           "has " + std::to_string(axes) + " axes, expected " + std::to_string(min_dim) + " to " +
               std::to_string(max_dim));
  }
  const H5T_class_t type = H5Tget_class(set.type.get());
  if (type != H5T_FLOAT && type != H5T_INTEGER) {
    FailAt(file_id, dataset_name_, "does not hold real or integer numbers");
  }
  const vector<int> shape = BlobShapeOf(file_id, dataset_name_, set);
  if (reshape) {
    blob->Reshape(shape);
  } else if (shape != blob->shape()) {
    FailAt(file_id, dataset_name_,
           "has shape " + ShapeString(shape) + ", the blob has " + ShapeString(blob->shape()));
  }
}

template <typename Dtype>
void hdf5_load_nd_dataset(hid_t file_id, const char* dataset_name_, int min_dim, int max_dim,
                          Blob<Dtype>* blob, bool reshape) {
  hdf5_load_nd_dataset_helper(file_id, dataset_name_, min_dim, max_dim, blob, reshape);
  if (blob->count() == 0) return;
  const Dataset set = OpenDataset(file_id, dataset_name_);
  if (H5Dread(set.id.get(), NativeType<Dtype>(), H5S_ALL, H5S_ALL, H5P_DEFAULT,
              blob->mutable_cpu_data()) < 0) {
    FailAt(file_id, dataset_name_, "cannot be read" + Reason());
  }
}

template <typename Dtype>
void hdf5_save_nd_dataset(const hid_t file_id, const string& dataset_name, const Blob<Dtype>& blob,
                          bool write_diff) {
  Quiet();
  const vector<hsize_t> shape(blob.shape().begin(), blob.shape().end());
  const Hdf5Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
                         H5Sclose);
  const Dtype* values = nullptr;
  if (blob.count() > 0) values = write_diff ? blob.cpu_diff() : blob.cpu_data();
  SaveDataset(file_id, dataset_name, NativeType<Dtype>(), space, values);
}

int hdf5_load_int(hid_t loc_id, const string& dataset_name) {
  const Dataset set = OpenDataset(loc_id, dataset_name);
  const bool is_integer = H5Tget_class(set.type.get()) == H5T_INTEGER;
  if (!is_integer || H5Sget_simple_extent_npoints(set.space.get()) != 1) {
    FailAt(loc_id, dataset_name, "is not one integer");
  }
  long long value = 0;
  if (H5Dread(set.id.get(), H5T_NATIVE_LLONG, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value) < 0) {
    FailAt(loc_id, dataset_name, "cannot be read" + Reason());
  }
  if (value < INT_MIN || value > INT_MAX) {
    FailAt(loc_id, dataset_name, "is " + std::to_string(value) + ", not an int");
  }
  return static_cast<int>(value);
}

void hdf5_save_int(hid_t loc_id, const string& dataset_name, int i) {
  Quiet();
  const hsize_t one = 1;
  const Hdf5Handle space(H5Screate_simple(1, &one, nullptr), H5Sclose);
  SaveDataset(loc_id, dataset_name, H5T_NATIVE_INT, space, &i);
}

string hdf5_load_string(hid_t loc_id, const string& dataset_name) {
  const Dataset set = OpenDataset(loc_id, dataset_name);
  const bool is_string = H5Tget_class(set.type.get()) == H5T_STRING;
  if (!is_string || H5Sget_simple_extent_npoints(set.space.get()) != 1) {
    FailAt(loc_id, dataset_name, "is not one string");
  }
  if (H5Tis_variable_str(set.type.get()) > 0) {
    char* value = nullptr;
    if (H5Dread(set.id.get(), set.type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, &value) < 0) {
      FailAt(loc_id, dataset_name, "cannot be read" + Reason());
    }
    const string text(value == nullptr ? "" : value);
    H5free_memory(value);
    return text;
  }
  string text(H5Tget_size(set.type.get()), '\0');
  if (H5Dread(set.id.get(), set.type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, &text[0]) < 0) {
    FailAt(loc_id, dataset_name, "cannot be read" + Reason());
  }
  return text.substr(0, text.find('\0'));
}

void hdf5_save_string(hid_t loc_id, const string& dataset_name, const string& s) {
  Quiet();
  const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), s.size() + 1);
  const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  SaveDataset(loc_id, dataset_name, type.get(), space, s.c_str());
}

int hdf5_get_num_links(hid_t loc_id) {
  Quiet();
  H5G_info_t info;
  if (H5Gget_info(loc_id, &info) < 0) {
    throw Error("the names in " + FullName(loc_id, "") + " cannot be counted" + Reason(), "",
                FileName(loc_id));
  }
  return static_cast<int>(info.nlinks);
}

string hdf5_get_name_by_idx(hid_t loc_id, int idx) {
  Quiet();
  const string name = NameFrom([=](char* buffer, size_t size) {
    return H5Lget_name_by_idx(loc_id, ".", H5_INDEX_NAME, H5_ITER_NATIVE, static_cast<hsize_t>(idx),
                              buffer, size, H5P_DEFAULT);
  });
  if (idx < 0 || name.empty()) {
    throw Error("there is no name " + std::to_string(idx) + " in " + FullName(loc_id, ""), "",
                FileName(loc_id));
  }
  return name;
}

#define INSTANTIATE_HDF5(Dtype)                                                                \
  template void hdf5_load_nd_dataset_helper<Dtype>(hid_t, const char*, int, int, Blob<Dtype>*, \
                                                   bool);                                      \
  template void hdf5_load_nd_dataset<Dtype>(hid_t, const char*, int, int, Blob<Dtype>*, bool); \
  template void hdf5_save_nd_dataset<Dtype>(const hid_t, const string&, const Blob<Dtype>&, bool)

INSTANTIATE_HDF5(float);
INSTANTIATE_HDF5(double);

}  // namespace caffe
