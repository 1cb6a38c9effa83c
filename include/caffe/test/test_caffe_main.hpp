#ifndef CAFFE_TEST_TEST_CAFFE_MAIN_HPP_
#define CAFFE_TEST_TEST_CAFFE_MAIN_HPP_

#include <gtest/gtest.h>

#include "caffe/common.hpp"

namespace caffe {

/** @brief The base of tests that run in a given mode, for one element type. */
template <typename TypeParam>
class MultiDeviceTest : public ::testing::Test {
 public:
  typedef typename TypeParam::Dtype Dtype;

 protected:
  MultiDeviceTest() { Caffe::set_mode(TypeParam::device); }
  ~MultiDeviceTest() override = default;
};

typedef ::testing::Types<float, double> TestDtypes;

template <typename TypeParam>
struct CPUDevice {
  typedef TypeParam Dtype;
  static const Caffe::Brew device = Caffe::CPU;
};

template <typename Dtype>
class CPUDeviceTest : public MultiDeviceTest<CPUDevice<Dtype>> {};

#ifdef CPU_ONLY

typedef ::testing::Types<CPUDevice<float>, CPUDevice<double>> TestDtypesAndDevices;

#else

template <typename TypeParam>
struct GPUDevice {
  typedef TypeParam Dtype;
  static const Caffe::Brew device = Caffe::GPU;
};

template <typename Dtype>
class GPUDeviceTest : public MultiDeviceTest<GPUDevice<Dtype>> {};

typedef ::testing::Types<CPUDevice<float>, CPUDevice<double>, GPUDevice<float>, GPUDevice<double>>
    TestDtypesAndDevices;

#endif

/**
 * @brief EXPECT that the statement throws caffe::Error whose text has a part in it.
 *
 * Errors are part of the contract: a test names what a reader must find there.
 */
#define EXPECT_CAFFE_ERROR(statement, part)                                          \
  try {                                                                              \
    statement;                                                                       \
    ADD_FAILURE() << #statement " did not fail; expected an error with: " << (part); \
  } catch (const ::caffe::Error& caffe_error) {                                      \
    EXPECT_NE(::std::string(caffe_error.what()).find(part), ::std::string::npos)     \
        << "the error is: " << caffe_error.what() << "\nexpected in it: " << (part); \
  }

}  // namespace caffe

#endif  // CAFFE_TEST_TEST_CAFFE_MAIN_HPP_
