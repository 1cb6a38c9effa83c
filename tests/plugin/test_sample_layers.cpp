// A test as Caffe's own are written: nothing here is of this runtime.
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/filler.hpp"
#include "caffe/layers/cosine_similarity_layer.hpp"
#include "caffe/layers/mish_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "gtest/gtest.h"

namespace caffe {

template <typename TypeParam>
class MishLayerTest : public MultiDeviceTest<TypeParam> {
  typedef typename TypeParam::Dtype Dtype;

 protected:
  MishLayerTest() : blob_bottom_(new Blob<Dtype>(2, 3, 4, 5)), blob_top_(new Blob<Dtype>()) {
    Caffe::set_random_seed(1701);
    FillerParameter filler_param;
    filler_param.set_std(2);
    GaussianFiller<Dtype> filler(filler_param);
    filler.Fill(this->blob_bottom_);
    blob_bottom_vec_.push_back(blob_bottom_);
    blob_top_vec_.push_back(blob_top_);
  }
  virtual ~MishLayerTest() {
    delete blob_bottom_;
    delete blob_top_;
  }

  Blob<Dtype>* const blob_bottom_;
  Blob<Dtype>* const blob_top_;
  vector<Blob<Dtype>*> blob_bottom_vec_;
  vector<Blob<Dtype>*> blob_top_vec_;
};

TYPED_TEST_CASE(MishLayerTest, TestDtypesAndDevices);

TYPED_TEST(MishLayerTest, TestForward) {
  typedef typename TypeParam::Dtype Dtype;
  LayerParameter layer_param;
  shared_ptr<Layer<Dtype>> layer(new MishLayer<Dtype>(layer_param));
  layer->SetUp(this->blob_bottom_vec_, this->blob_top_vec_);
  EXPECT_EQ(this->blob_top_->num(), 2);
  EXPECT_EQ(this->blob_top_->channels(), 3);
  EXPECT_EQ(this->blob_top_->height(), 4);
  EXPECT_EQ(this->blob_top_->width(), 5);
  layer->Forward(this->blob_bottom_vec_, this->blob_top_vec_);
  const Dtype* x = this->blob_bottom_->cpu_data();
  const Dtype* y = this->blob_top_->cpu_data();
  for (int i = 0; i < this->blob_bottom_->count(); ++i) {
    EXPECT_NEAR(y[i], x[i] * tanh(log(1 + exp(x[i]))), 1e-5);
  }
}

TYPED_TEST(MishLayerTest, TestGradient) {
  typedef typename TypeParam::Dtype Dtype;
  LayerParameter layer_param;
  MishLayer<Dtype> layer(layer_param);
  GradientChecker<Dtype> checker(1e-2, 1e-3);
  checker.CheckGradientEltwise(&layer, this->blob_bottom_vec_, this->blob_top_vec_);
}

template <typename TypeParam>
class CosineSimilarityLayerTest : public MultiDeviceTest<TypeParam> {
  typedef typename TypeParam::Dtype Dtype;

 protected:
  CosineSimilarityLayerTest()
      : blob_bottom_a_(new Blob<Dtype>(4, 3, 1, 2)),
        blob_bottom_b_(new Blob<Dtype>(4, 6, 1, 1)),
        blob_top_(new Blob<Dtype>()) {
    Caffe::set_random_seed(1701);
    FillerParameter filler_param;
    GaussianFiller<Dtype> filler(filler_param);
    filler.Fill(this->blob_bottom_a_);
    filler.Fill(this->blob_bottom_b_);
    blob_bottom_vec_.push_back(blob_bottom_a_);
    blob_bottom_vec_.push_back(blob_bottom_b_);
    blob_top_vec_.push_back(blob_top_);
  }
  virtual ~CosineSimilarityLayerTest() {
    delete blob_bottom_a_;
    delete blob_bottom_b_;
    delete blob_top_;
  }

  Blob<Dtype>* const blob_bottom_a_;
  Blob<Dtype>* const blob_bottom_b_;
  Blob<Dtype>* const blob_top_;
  vector<Blob<Dtype>*> blob_bottom_vec_;
  vector<Blob<Dtype>*> blob_top_vec_;
};

TYPED_TEST_CASE(CosineSimilarityLayerTest, TestDtypesAndDevices);

TYPED_TEST(CosineSimilarityLayerTest, TestForward) {
  typedef typename TypeParam::Dtype Dtype;
  // b = a for the first vector, b = -2 a for the second.
  for (int i = 0; i < 6; ++i) {
    this->blob_bottom_b_->mutable_cpu_data()[i] = this->blob_bottom_a_->cpu_data()[i];
    this->blob_bottom_b_->mutable_cpu_data()[6 + i] = -2 * this->blob_bottom_a_->cpu_data()[6 + i];
  }
  LayerParameter layer_param;
  CosineSimilarityLayer<Dtype> layer(layer_param);
  layer.SetUp(this->blob_bottom_vec_, this->blob_top_vec_);
  layer.Forward(this->blob_bottom_vec_, this->blob_top_vec_);
  EXPECT_EQ(this->blob_top_->count(), 4);
  EXPECT_NEAR(this->blob_top_->cpu_data()[0], 1, 1e-5);
  EXPECT_NEAR(this->blob_top_->cpu_data()[1], -1, 1e-5);
  for (int n = 2; n < 4; ++n) {
    EXPECT_LT(fabs(this->blob_top_->cpu_data()[n]), 1);
  }
}

TYPED_TEST(CosineSimilarityLayerTest, TestGradient) {
  typedef typename TypeParam::Dtype Dtype;
  LayerParameter layer_param;
  CosineSimilarityLayer<Dtype> layer(layer_param);
  GradientChecker<Dtype> checker(1e-2, 1e-3);
  checker.CheckGradientExhaustive(&layer, this->blob_bottom_vec_, this->blob_top_vec_);
}

TYPED_TEST(CosineSimilarityLayerTest, TestGradientOfOneBottom) {
  typedef typename TypeParam::Dtype Dtype;
  LayerParameter layer_param;
  CosineSimilarityLayer<Dtype> layer(layer_param);
  GradientChecker<Dtype> checker(1e-2, 1e-3);
  checker.CheckGradient(&layer, this->blob_bottom_vec_, this->blob_top_vec_, 1);
}

}  // namespace caffe
