#include <gtest/gtest.h>

#include <atomic>

// As a prefetching layer written for Caffe 1.0 includes and uses them.
#include "caffe/blob.hpp"
#include "caffe/data_transformer.hpp"
#include "caffe/internal_thread.hpp"
#include "caffe/layer.hpp"
#include "caffe/layers/base_data_layer.hpp"
#include "caffe/proto/caffe.pb.h"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/util/benchmark.hpp"
#include "caffe/util/io.hpp"
#include "caffe/util/rng.hpp"

namespace caffe {

namespace {

/** Counts: batch b holds b, b + 0.5 in data and −b as its label. */
template <typename Dtype>
class CountingDataLayer : public BasePrefetchingDataLayer<Dtype> {
 public:
  explicit CountingDataLayer(const LayerParameter& param)
      : BasePrefetchingDataLayer<Dtype>(param) {}
  virtual ~CountingDataLayer() { this->StopInternalThread(); }
  virtual void DataLayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                              const vector<Blob<Dtype>*>& top) {
    vector<int> shape(1, 2);
    this->transformed_data_.Reshape(shape);
    top[0]->Reshape(shape);
    for (int i = 0; i < static_cast<int>(this->prefetch_.size()); ++i) {
      this->prefetch_[i]->data_.Reshape(shape);
    }
    if (this->output_labels_) {
      vector<int> label_shape(1, 1);
      top[1]->Reshape(label_shape);
      for (int i = 0; i < static_cast<int>(this->prefetch_.size()); ++i) {
        this->prefetch_[i]->label_.Reshape(label_shape);
      }
    }
  }
  virtual inline const char* type() const { return "CountingData"; }
  virtual inline int ExactNumBottomBlobs() const { return 0; }

  int fail_at = -1;
  std::atomic<int> rank{-1};

 protected:
  virtual void load_batch(Batch<Dtype>* batch) {
    CHECK(batch->data_.count());
    CHECK_NE(count_, fail_at);
    rank = Caffe::solver_rank();
    Dtype* data = batch->data_.mutable_cpu_data();
    data[0] = Dtype(count_);
    data[1] = Dtype(count_ + 0.5);
    if (this->output_labels_) batch->label_.mutable_cpu_data()[0] = Dtype(-count_);
    ++count_;
  }
  int count_ = 0;
};

}  // namespace

TEST(BasePrefetchingDataLayerTest, ALayerWrittenForCaffeGivesItsBatchesInTurn) {
  LayerParameter param;
  param.set_name("counting");
  Blob<float> data, label;
  {
    CountingDataLayer<float> layer(param);
    layer.SetUp({}, {&data, &label});
    Caffe::set_solver_rank(3);
    for (int i = 0; i < 20; ++i) {
      layer.Forward({}, {&data, &label});
      ASSERT_EQ(data.cpu_data()[0], i);
      ASSERT_EQ(data.cpu_data()[1], i + 0.5F);
      ASSERT_EQ(label.cpu_data()[0], -i);
    }
    Caffe::set_solver_rank(0);
    EXPECT_EQ(layer.rank, 3);
  }
  EXPECT_EQ(data.cpu_data()[0], 19);
}

TEST(BasePrefetchingDataLayerTest, AnErrorInTheThreadIsThrownByForwardWithTheLayersName) {
  LayerParameter param;
  param.set_name("counting");
  Blob<float> data;
  CountingDataLayer<float> layer(param);
  layer.fail_at = 2;
  layer.SetUp({}, {&data});
  layer.Forward({}, {&data});
  layer.Forward({}, {&data});
  EXPECT_CAFFE_ERROR(layer.Forward({}, {&data}), "counting (CountingData): ");
}

}  // namespace caffe
