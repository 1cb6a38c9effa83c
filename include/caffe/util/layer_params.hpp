#ifndef CAFFE_UTIL_LAYER_PARAMS_HPP_
#define CAFFE_UTIL_LAYER_PARAMS_HPP_

#include <memory>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/filler.hpp"

namespace caffe {

/** @brief A parameter that a layer needs: what it is called, its shape, and how it starts. */
struct ParamPlan {
  const char* name;  ///< for errors: "weights"
  vector<int> shape;
  FillerParameter filler;
};

/**
 * @brief Makes and fills a layer's parameters, unless it came with some.
 * @throws Error if it came with another number of parameters, or with other shapes.
 */
template <typename Dtype>
void SetUpParams(const vector<ParamPlan>& plans, vector<shared_ptr<Blob<Dtype>>>* blobs) {
  if (!blobs->empty()) {
    CHECK(blobs->size() == plans.size())
        << "was given " << blobs->size() << " parameter(s), expected " << plans.size();
    for (size_t i = 0; i < plans.size(); ++i) {
      const Blob<Dtype>& given = *(*blobs)[i];
      Blob<Dtype> expected;
      expected.Reshape(plans[i].shape);
      CHECK(given.shape() == expected.shape())
          << "the " << plans[i].name << " given have the shape " << given.shape_string()
          << ", expected " << expected.shape_string();
    }
    return;
  }
  for (const ParamPlan& plan : plans) {
    blobs->push_back(std::make_shared<Blob<Dtype>>(plan.shape));
    const std::unique_ptr<Filler<Dtype>> filler(GetFiller<Dtype>(plan.filler));
    filler->Fill(blobs->back().get());
  }
}

}  // namespace caffe

#endif  // CAFFE_UTIL_LAYER_PARAMS_HPP_
