#include "caffe/layers/image_data_layer.hpp"

#include "caffe/data/image_list.hpp"

namespace caffe {

namespace {

template <typename Dtype>
class ImageFileLoader : public RecordLoader<Dtype> {
 public:
  ImageFileLoader(const ImageDataParameter& param, const TransformSpec& spec,
                  shared_ptr<const vector<ListedImage>> images)
      : param_(param), spec_(spec), images_(std::move(images)) {}

  void Load(const Record& record, std::mt19937* random, BatchItem<Dtype>* item) const override {
    const ListedImage& listed = images_->at(record.index);
    const cv::Mat image =
        ReadImage(param_.root_folder() + listed.path, static_cast<int>(param_.new_height()),
                  static_cast<int>(param_.new_width()),
                  param_.is_color() ? ImageColor::kColor : ImageColor::kGray);
    const CropMirror crop = DrawCropMirror(spec_, image.rows, image.cols, RandomIntegerOf(random));
    Dtype* values = item->Data({image.channels(), crop.height, crop.width});
    WriteTransformed(spec_, crop, ImageView<uint8_t>(image), values);
    item->SetLabel(static_cast<Dtype>(listed.label));
  }

 private:
  ImageDataParameter param_;
  TransformSpec spec_;
  shared_ptr<const vector<ListedImage>> images_;
};

}  // namespace

template <typename Dtype>
void ImageDataLayer<Dtype>::DataLayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                                           const vector<Blob<Dtype>*>& top) {
  const ImageDataParameter& param = this->layer_param_.image_data_param();
  CHECK((param.new_height() > 0) == (param.new_width() > 0))
      << "expected both of new_height and new_width, or none; got " << param.new_height() << " and "
      << param.new_width();
  CHECK(param.new_height() <= 100000 && param.new_width() <= 100000)
      << "new_height " << param.new_height() << " and new_width " << param.new_width()
      << " are too large";
  typename RecordDataLayer<Dtype>::Options options;
  options.batch_size = param.batch_size();
  options.rand_skip = param.rand_skip();
  options.shuffle = param.shuffle();
  const string list = param.source();
  const auto images = std::make_shared<const vector<ListedImage>>(ReadImageList(list));
  const auto opener = [list, images] {
    return std::unique_ptr<RecordSource>(new ImageListSource(list, images));
  };
  this->Open(
      options, opener,
      std::make_shared<ImageFileLoader<Dtype>>(param, this->data_transformer_->spec(), images),
      top);
}

INSTANTIATE_CLASS(ImageDataLayer);
REGISTER_LAYER_CLASS(ImageData);

}  // namespace caffe
