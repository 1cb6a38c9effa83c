#ifndef CAFFE_TESTS_ONEDNN_NET_TEST_UTIL_HPP_
#define CAFFE_TESTS_ONEDNN_NET_TEST_UTIL_HPP_

#include <cmath>
#include <string>

#include "caffe/net.hpp"
#include "onednn_test_util.hpp"

namespace caffe {

/** @brief A net of this text that computes all gradients. */
template <typename Dtype>
shared_ptr<Net<Dtype>> NetFrom(const string& text, Phase phase = TRAIN) {
  NetParameter param;
  CHECK(google::protobuf::TextFormat::ParseFromString(text, &param)) << "not a net: " << text;
  param.mutable_state()->set_phase(phase);
  param.set_force_backward(true);
  return std::make_shared<Net<Dtype>>(param);
}

inline string ConvLayer(const string& name, const string& bottom, const string& fields) {
  return "layer { name: '" + name + "' type: 'Convolution' bottom: '" + bottom + "' top: '" + name +
         "' convolution_param { " + fields + " } }\n";
}

/** @brief A layer named TOP_TYPE, in place if bottom is top. */
inline string PlainLayer(const string& type, const string& bottom, const string& top,
                         const string& fields = "") {
  return "layer { name: '" + top + "_" + type + "' type: '" + type + "' bottom: '" + bottom +
         "' top: '" + top + "' " + fields + " }\n";
}

/** @brief The same random parameters and inputs in both. */
inline void FillAlike(Net<double>* plain, Net<float>* fast, unsigned seed) {
  for (size_t i = 0; i < plain->params().size(); ++i) {
    const int inputs = std::max(1, plain->params()[i]->count() / plain->params()[i]->shape(0));
    const float bound = std::sqrt(6.0F / static_cast<float>(inputs));  // keeps values around 1
    const vector<float> values = RandomValues<float>(
        plain->params()[i]->count(), seed + static_cast<unsigned>(i), -bound, bound);
    SetValues(values, fast->params()[i].get());
    SetValues(AsDoubles(values), plain->params()[i].get());
  }
  const vector<float> data = RandomValues<float>(plain->blob_by_name("data")->count(), seed + 99);
  SetValues(data, fast->blob_by_name("data").get());
  SetValues(AsDoubles(data), plain->blob_by_name("data").get());
}

}  // namespace caffe

#endif  // CAFFE_TESTS_ONEDNN_NET_TEST_UTIL_HPP_
