#include "caffe/util/parameters.hpp"
#include "test_util.hpp"

namespace caffe {

TEST(ParametersTest, AreMadeAndFilled) {
  vector<shared_ptr<Blob<double>>> blobs;
  SetUpParameter("weight", 0, {2, 3}, ConstantFillerParameter(0.5F), &blobs);
  SetUpParameter("bias", 1, {}, ConstantFillerParameter(-1), &blobs);
  ASSERT_EQ(blobs.size(), 2U);
  EXPECT_EQ(blobs[0]->shape(), vector<int>({2, 3}));
  EXPECT_EQ(Values(*blobs[0]), vector<double>(6, 0.5));
  EXPECT_EQ(Values(*blobs[1]), vector<double>({-1}));
}

TEST(ParametersTest, ThatCameWithTheLayerKeepTheirValues) {
  vector<shared_ptr<Blob<double>>> blobs = {std::make_shared<Blob<double>>(1, 1, 2, 3)};
  const vector<double> values = RandomValues(6, 1);
  SetValues(values, blobs[0].get());
  SetUpParameter("weight", 0, {2, 3}, ConstantFillerParameter(0.5F), &blobs);
  EXPECT_EQ(blobs[0]->shape(), vector<int>({2, 3}));
  EXPECT_EQ(Values(*blobs[0]), values);
}

TEST(ParametersTest, Errors) {
  vector<shared_ptr<Blob<double>>> blobs = {std::make_shared<Blob<double>>(vector<int>{3, 2})};
  EXPECT_CAFFE_ERROR(SetUpParameter("weight", 0, {2, 3}, FillerParameter(), &blobs),
                     "the weight that came with the layer has the shape 3 2 (6), expected 2 3 (6)");
  EXPECT_CAFFE_ERROR(SetUpParameter("bias", 2, {3}, FillerParameter(), &blobs),
                     "parameter 2 (bias) comes after 1 others");
}

}  // namespace caffe
