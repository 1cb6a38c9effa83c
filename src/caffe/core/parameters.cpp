#include "caffe/util/parameters.hpp"

#include <algorithm>

#include "caffe/filler.hpp"

namespace caffe {

namespace {

vector<int> WithoutLeadingOnes(const vector<int>& shape) {
  return vector<int>(
      std::find_if(shape.begin(), shape.end(), [](int length) { return length != 1; }),
      shape.end());
}

}  // namespace

template <typename Dtype>
void SetUpParameter(const string& name, size_t index, const vector<int>& shape,
                    const FillerParameter& filler, vector<shared_ptr<Blob<Dtype>>>* blobs) {
  CHECK(index <= blobs->size()) << "parameter " << index << " (" << name << ") comes after "
                                << blobs->size() << " others";
  if (index < blobs->size()) {
    Blob<Dtype>* stored = (*blobs)[index].get();
    CHECK(WithoutLeadingOnes(stored->shape()) == WithoutLeadingOnes(shape))
        << "the " << name << " that came with the layer has the shape " << stored->shape_string()
        << ", expected " << Blob<Dtype>(shape).shape_string();
    stored->Reshape(shape);
    return;
  }
  auto blob = std::make_shared<Blob<Dtype>>(shape);
  shared_ptr<Filler<Dtype>>(GetFiller<Dtype>(filler))->Fill(blob.get());
  blobs->push_back(blob);
}

template void SetUpParameter<float>(const string&, size_t, const vector<int>&,
                                    const FillerParameter&, vector<shared_ptr<Blob<float>>>*);
template void SetUpParameter<double>(const string&, size_t, const vector<int>&,
                                     const FillerParameter&, vector<shared_ptr<Blob<double>>>*);

FillerParameter ConstantFillerParameter(float value) {
  FillerParameter filler;
  filler.set_type("constant");
  filler.set_value(value);
  return filler;
}

}  // namespace caffe
