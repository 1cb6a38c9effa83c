#ifndef CAFFE_HDF5_DATA_LAYER_HPP_
#define CAFFE_HDF5_DATA_LAYER_HPP_

#include <string>
#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief Rows of HDF5 files; each top is the dataset of its name.
 *
 * `source` lists the files, one a line. In a file all datasets have the same
 * number of rows (first axis); the other axes are the same in all files. Rows
 * come file after file; with `shuffle` each epoch has its own order of the
 * files, and of the rows in each. A file is in memory while its rows are read.
 * In phase TRAIN, of solver_count solvers each takes every solver_count-th
 * row. transform_param is not for this layer, as in Caffe.
 *
 * All files are looked at in LayerSetUp. SaveState writes how many rows the
 * net has got, and the seed of the orders.
 * @throws Error naming the file and the dataset.
 */
template <typename Dtype>
class HDF5DataLayer : public Layer<Dtype> {
 public:
  explicit HDF5DataLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  /** @brief Nothing: the files shape the tops. */
  void Reshape(const vector<Blob<Dtype>*>& /*bottom*/,
               const vector<Blob<Dtype>*>& /*top*/) override {}
  void SaveState(LayerState* state) const override;
  void LoadState(const LayerState& state) override;

  const char* type() const override { return "HDF5Data"; }
  int ExactNumBottomBlobs() const override { return 0; }
  int MinTopBlobs() const override { return 1; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& /*top*/, const vector<bool>& /*propagate_down*/,
                    const vector<Blob<Dtype>*>& /*bottom*/) override {}

 private:
  struct File {
    string path;
    int rows = 0;
  };

  vector<vector<int>> ReadShapes(File* file) const;
  void CheckFiles(const vector<Blob<Dtype>*>& top);
  void BeginEpoch(uint64_t epoch);
  int GoTo(uint64_t place);
  void LoadFile(int index);

  vector<File> files_;
  uint64_t total_rows_ = 0;
  uint64_t seed_ = 0;
  uint64_t consumed_ = 0;

  bool has_epoch_ = false;
  uint64_t epoch_ = 0;
  vector<uint64_t> file_order_;  ///< of this epoch
  vector<uint64_t> first_row_;   ///< in the epoch, of the files in this order
  int loaded_file_ = -1;
  bool has_row_order_ = false;
  vector<uint64_t> row_order_;  ///< of the loaded file in this epoch
  vector<shared_ptr<Blob<Dtype>>> loaded_;
};

}  // namespace caffe

#endif  // CAFFE_HDF5_DATA_LAYER_HPP_
