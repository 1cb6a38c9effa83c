#ifndef CAFFE_RECORD_DATA_LAYER_HPP_
#define CAFFE_RECORD_DATA_LAYER_HPP_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "caffe/layers/base_data_layer.hpp"

namespace caffe {

/**
 * @brief The base of layers that read a collection of records: a database, a list of images.
 *
 * Records come one after the other, epoch after epoch; a batch may span two
 * epochs. With `shuffle` each epoch has an order of its own. In phase TRAIN,
 * of solver_count solvers each takes every solver_count-th record. Workers
 * (data_param: num_workers; by default half of the processors, 4 at most)
 * make batches ahead (data_param: prefetch). What a batch holds depends on the
 * seed alone, which is drawn in LayerSetUp, not on the number of workers.
 *
 * LayerSetUp reads the first record, for the shape; threads start, and the
 * collection stays open, from the first Forward on. SaveState writes how many
 * records the net has got, and the seed; LoadState goes on from there.
 *
 * A derived layer calls Open in its DataLayerSetUp. To shuffle alike, solvers
 * must have the same seed: give all the state of one.
 */
template <typename Dtype>
class RecordDataLayer : public BaseDataLayer<Dtype> {
 public:
  explicit RecordDataLayer(const LayerParameter& param) : BaseDataLayer<Dtype>(param) {}

  void SaveState(LayerState* state) const override;
  void LoadState(const LayerState& state) override;

  int ExactNumBottomBlobs() const override { return 0; }

 protected:
  typedef std::function<std::unique_ptr<RecordSource>()> SourceOpener;

  struct Options {
    google::protobuf::uint32 batch_size = 0;
    google::protobuf::uint32 rand_skip = 0;  ///< leave out up to so many records at the start
    bool shuffle = false;
    bool replace_broken = false;  ///< see RecordReader; otherwise a broken record is an error
  };

  /** @brief Says where records come from and what becomes of them, and shapes the tops. */
  void Open(const Options& options, const SourceOpener& opener,
            shared_ptr<const RecordLoader<Dtype>> loader, const vector<Blob<Dtype>*>& top);
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

 private:
  RecordOrder OrderOf(uint64_t num_records) const;
  std::unique_ptr<RecordStream> OpenStream();
  std::unique_ptr<RecordReader<Dtype>> MakeReader();
  void StartPipeline();

  int batch_size_ = 0;
  Options options_;
  SourceOpener opener_;
  shared_ptr<const RecordLoader<Dtype>> loader_;
  shared_ptr<RecordReport> report_;  ///< of broken records, if they are replaced
  vector<int> item_shape_;
  uint64_t seed_ = 0;
  uint64_t num_records_ = 0;  ///< in the collection, when it was opened last
  uint64_t consumed_ = 0;     ///< records that the net has got
  std::unique_ptr<RecordPipeline<Dtype>> pipeline_;
};

}  // namespace caffe

#endif  // CAFFE_RECORD_DATA_LAYER_HPP_
