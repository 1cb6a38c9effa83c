#include <gtest/gtest.h>

#include "caffe/blob.hpp"
#include "caffe/test/test_caffe_main.hpp"

namespace caffe {

TEST(BlobTest, ReshapeKeepsMemoryThatIsLargeEnough) {
  Blob<double> blob(2, 3, 4, 5);
  const double* data = blob.cpu_data();
  blob.Reshape({3, 4});
  EXPECT_EQ(blob.cpu_data(), data);
  EXPECT_EQ(blob.shape_string(), "3 4 (12)");
}

TEST(BlobTest, ABlobThatSharedSmallMemoryGetsItsOwnWhenItGrows) {
  Blob<double> large(std::vector<int>{100}), small(std::vector<int>{10});
  large.Reshape({10});
  large.ShareData(small);
  large.Reshape({100});
  EXPECT_EQ(large.data()->size(), 100 * sizeof(double));
  large.Reshape({10});
  large.ShareDiff(small);
  large.Reshape({100});
  EXPECT_EQ(large.diff()->size(), 100 * sizeof(double));
}

TEST(BlobTest, ErrorsNameTheShape) {
  Blob<double> blob(std::vector<int>{2, 3});
  EXPECT_CAFFE_ERROR(blob.shape(2), "axis 2 out of range for a blob of shape 2 3 (6)");
  EXPECT_CAFFE_ERROR(blob.Reshape({-1}), "length -1");
  EXPECT_CAFFE_ERROR(blob.Reshape({65536, 65536}), "exceeds");
}

}  // namespace caffe
