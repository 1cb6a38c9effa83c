#ifndef CAFFE_UTIL_HDF5_H_
#define CAFFE_UTIL_HDF5_H_

#include <hdf5.h>

#include <string>

#include "caffe/blob.hpp"
#include "caffe/common.hpp"

namespace caffe {

/** @brief An HDF5 identifier that is closed when it goes out of scope. */
class Hdf5Handle {
 public:
  typedef herr_t (*Closer)(hid_t);
  Hdf5Handle() = default;
  Hdf5Handle(hid_t id, Closer closer) : id_(id), closer_(closer) {}
  ~Hdf5Handle() { Close(); }
  Hdf5Handle(Hdf5Handle&& other) noexcept : id_(other.id_), closer_(other.closer_) {
    other.id_ = -1;
  }
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
    if (this != &other) {
      Close();
      id_ = other.id_;
      closer_ = other.closer_;
      other.id_ = -1;
    }
    return *this;
  }
  hid_t get() const { return id_; }
  bool is_open() const { return id_ >= 0; }
  void Close() {
    if (id_ >= 0) closer_(id_);
    id_ = -1;
  }

 private:
  hid_t id_ = -1;
  Closer closer_ = nullptr;
};

/*
 * All functions below throw Error "FILE: dataset NAME: …", where NAME is the
 * whole path in the file; HDF5's own messages do not reach stderr.
 */

/** @brief Whether the file begins as an HDF5 file does; false if it cannot be read. */
bool hdf5_is_hdf5(const string& filename);
/** @brief Opens for reading. @throws Error for a missing, truncated or foreign file. */
Hdf5Handle hdf5_open_file(const string& filename);
Hdf5Handle hdf5_open_group(hid_t loc_id, const string& name);
/** @brief Creates a group; for a name with slashes, those that it lies in as well. */
Hdf5Handle hdf5_create_group(hid_t loc_id, const string& name);
/** @brief Whether there is a dataset or group of this name, or path. */
bool hdf5_has(hid_t loc_id, const string& name);

/**
 * @brief Writes an HDF5 file atomically: it is composed in memory, and
 * Commit() writes it beside the target and renames (see AtomicFile).
 *
 * Without Commit() nothing is written.
 */
class Hdf5Writer {
 public:
  /** @throws Error at once if the target's folder is missing or is not writable. */
  explicit Hdf5Writer(const string& filename);
  /** @brief The root, for hdf5_save_* and hdf5_create_group; groups are closed before Commit(). */
  hid_t id() const { return file_.get(); }
  void Commit();

 private:
  string filename_;
  Hdf5Handle file_;
};

/**
 * @brief Reads a dataset of real or integer numbers into a blob's data.
 *
 * @param min_dim, max_dim the allowed number of axes, both included
 * @param reshape false: the blob must have the dataset's shape already
 */
template <typename Dtype>
void hdf5_load_nd_dataset(hid_t file_id, const char* dataset_name_, int min_dim, int max_dim,
                          Blob<Dtype>* blob, bool reshape = false);

/** @brief Checks the dataset and shapes the blob, without reading the values. */
template <typename Dtype>
void hdf5_load_nd_dataset_helper(hid_t file_id, const char* dataset_name_, int min_dim, int max_dim,
                                 Blob<Dtype>* blob, bool reshape);

/** @brief Writes a blob's data (or diff) as a new dataset of its element type. */
template <typename Dtype>
void hdf5_save_nd_dataset(const hid_t file_id, const string& dataset_name, const Blob<Dtype>& blob,
                          bool write_diff = false);

int hdf5_load_int(hid_t loc_id, const string& dataset_name);
void hdf5_save_int(hid_t loc_id, const string& dataset_name, int i);
/** @brief Fixed-length strings, as Caffe writes, and variable-length ones, as h5py writes. */
string hdf5_load_string(hid_t loc_id, const string& dataset_name);
void hdf5_save_string(hid_t loc_id, const string& dataset_name, const string& s);

/** @brief How many datasets and groups a group holds. */
int hdf5_get_num_links(hid_t loc_id);
string hdf5_get_name_by_idx(hid_t loc_id, int idx);

}  // namespace caffe

#endif  // CAFFE_UTIL_HDF5_H_
