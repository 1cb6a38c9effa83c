#include "caffe/layers/data_layer.hpp"

namespace caffe {

namespace {

Datum ParseDatum(const string& bytes) {
  Datum datum;
  CHECK(datum.ParseFromString(bytes))
      << "cannot be parsed as a Datum (" << bytes.size() << " bytes)";
  return datum;
}

template <typename Dtype>
class DatumLoader : public RecordLoader<Dtype> {
 public:
  explicit DatumLoader(const TransformSpec& spec) : spec_(spec) {}

  void Load(const Record& record, std::mt19937* random, BatchItem<Dtype>* item) const override {
    const Datum datum = ParseDatum(record.value);
    VisitPixels(datum, spec_.color, [&](const auto& image) {
      const CropMirror crop =
          DrawCropMirror(spec_, image.height, image.width, RandomIntegerOf(random));
      Dtype* values = item->Data({image.channels, crop.height, crop.width});
      WriteTransformed(spec_, crop, image, values);
    });
    item->SetLabel(static_cast<Dtype>(datum.label()));
  }

 private:
  TransformSpec spec_;
};

}  // namespace

template <typename Dtype>
void DataLayer<Dtype>::DataLayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                                      const vector<Blob<Dtype>*>& top) {
  const DataParameter& param = this->layer_param_.data_param();
  typename RecordDataLayer<Dtype>::Options options;
  options.batch_size = param.batch_size();
  options.rand_skip = param.rand_skip();
  options.shuffle = param.shuffle();
  const string source = param.source();
  const bool shuffle = param.shuffle();
  const auto opener = [source, shuffle] {
    return std::unique_ptr<RecordSource>(new LmdbSource(source, shuffle));
  };
  TransformSpec spec = this->data_transformer_->spec();
  if (param.force_encoded_color()) spec.color = ImageColor::kColor;
  this->Open(options, opener, std::make_shared<DatumLoader<Dtype>>(spec), top);
  if (param.backend() != DataParameter_DB_LMDB) db::ReportBackend(source);
}

INSTANTIATE_CLASS(DataLayer);
REGISTER_LAYER_CLASS(Data);

}  // namespace caffe
