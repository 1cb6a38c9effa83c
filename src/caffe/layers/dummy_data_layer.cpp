#include "caffe/layers/dummy_data_layer.hpp"

namespace caffe {

namespace {

void CheckGiven(const char* field, int given, int num_top) {
  CHECK(given == 1 || given == num_top)
      << "dummy_data_param has " << given << " of " << field << " for " << num_top
      << " top blob(s); expected one for all, or one for each";
}

vector<int> LegacyShape(const DummyDataParameter& param, int i) {
  const auto length = [i](const google::protobuf::RepeatedField<google::protobuf::uint32>& field) {
    const unsigned value = field.Get(field.size() == 1 ? 0 : i);
    CHECK(value <= static_cast<unsigned>(INT_MAX)) << "the length " << value << " is too large";
    return static_cast<int>(value);
  };
  return {length(param.num()), length(param.channels()), length(param.height()),
          length(param.width())};
}

}  // namespace

template <typename Dtype>
void DummyDataLayer<Dtype>::ShapeTops(const vector<Blob<Dtype>*>& top) const {
  const DummyDataParameter& param = this->layer_param_.dummy_data_param();
  const int num_top = static_cast<int>(top.size());
  const bool legacy =
      param.num_size() + param.channels_size() + param.height_size() + param.width_size() > 0;
  CHECK(!legacy || param.shape_size() == 0)
      << "dummy_data_param has shape and num, channels, height or width; expected one form";
  if (legacy) {
    CheckGiven("num", param.num_size(), num_top);
    CheckGiven("channels", param.channels_size(), num_top);
    CheckGiven("height", param.height_size(), num_top);
    CheckGiven("width", param.width_size(), num_top);
  } else {
    CheckGiven("shape", param.shape_size(), num_top);
  }
  for (int i = 0; i < num_top; ++i) {
    if (legacy) {
      top[i]->Reshape(LegacyShape(param, i));
    } else {
      top[i]->Reshape(param.shape(param.shape_size() == 1 ? 0 : i));
    }
  }
}

template <typename Dtype>
void DummyDataLayer<Dtype>::MakeFillers(int num_top) {
  const DummyDataParameter& param = this->layer_param_.dummy_data_param();
  if (param.data_filler_size() > 0) CheckGiven("data_filler", param.data_filler_size(), num_top);
  FillerParameter zero;
  zero.set_type("constant");
  fillers_.clear();
  refill_.clear();
  for (int i = 0; i < num_top; ++i) {
    if (i > 0 && param.data_filler_size() <= 1) {
      fillers_.push_back(fillers_[0]);
      refill_.push_back(refill_[0]);
      continue;
    }
    const FillerParameter& filler = param.data_filler_size() == 0 ? zero : param.data_filler(i);
    fillers_.emplace_back(GetFiller<Dtype>(filler));
    refill_.push_back(filler.type() != "constant");
  }
}

template <typename Dtype>
void DummyDataLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                                       const vector<Blob<Dtype>*>& top) {
  ShapeTops(top);
  MakeFillers(static_cast<int>(top.size()));
  for (size_t i = 0; i < top.size(); ++i) {
    if (!refill_[i]) fillers_[i]->Fill(top[i]);
  }
}

template <typename Dtype>
void DummyDataLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& /*bottom*/,
                                        const vector<Blob<Dtype>*>& top) {
  for (size_t i = 0; i < top.size(); ++i) {
    if (refill_[i]) fillers_[i]->Fill(top[i]);
  }
}

INSTANTIATE_CLASS(DummyDataLayer);
REGISTER_LAYER_CLASS(DummyData);

}  // namespace caffe
