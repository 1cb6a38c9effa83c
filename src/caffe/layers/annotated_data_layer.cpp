#include "caffe/layers/annotated_data_layer.hpp"

#include <algorithm>
#include <opencv2/core/utility.hpp>

#include "caffe/data/annotated_image.hpp"
#include "caffe/data/annotated_transform.hpp"
#include "caffe/util/label_map.hpp"

namespace caffe {

namespace {

/** Records that are looked at to find what a database holds. */
constexpr uint64_t kSample = 10;

struct Contents {
  bool has_boxes = false;
  bool is_gray = false;
};

/** Leaves out broken records, which are reported when it is their turn. */
Contents Inspect(const string& path) {
  LmdbSource source(path, false);
  Contents contents;
  uint64_t grays = 0, images = 0;
  for (uint64_t i = 0; i < std::min(source.size(), kSample); ++i) {
    Record record;
    source.Read(i, &record);
    try {
      const AnnotatedDatum datum = ParseAnnotatedDatum(record.value);
      contents.has_boxes |= datum.has_type() || datum.annotation_group_size() > 0;
      grays += DecodeAnnotated(datum, ImageColor::kNative).channels() == 1 ? 1 : 0;
      ++images;
    } catch (const Error&) {
      continue;
    }
  }
  contents.is_gray = images > 0 && grays == images;
  return contents;
}

template <typename Dtype>
class AnnotatedLoader : public RecordLoader<Dtype> {
 public:
  AnnotatedLoader(const AugmentSpec& spec, bool has_boxes, const string& who)
      : spec_(spec), has_boxes_(has_boxes), report_(who) {}

  /** From now on each box's label must be in this map. */
  void SetLabelMap(const string& file) {
    label_map_file_ = file;
    names_ = ReadLabelMap(file);
  }

  void Load(const Record& record, std::mt19937* random, BatchItem<Dtype>* item) const override {
    const AnnotatedDatum datum = ParseAnnotatedDatum(record.value);
    const cv::Mat image = DecodeAnnotated(datum, spec_.transform.color);
    vector<AnnotatedBox> boxes;
    if (has_boxes_) boxes = ReadBoxes(record, datum);
    const AugmentedImage result = Augment(spec_, image, boxes, random);
    Dtype* values = item->Data({result.image.channels(), result.crop.height, result.crop.width});
    WriteTransformed(spec_.transform, result.crop, ImageView<uint8_t>(result.image), values);
    if (has_boxes_) {
      AppendLabelRows(item->index(), result.boxes, item->Rows());
    } else {
      item->SetLabel(static_cast<Dtype>(datum.datum().label()));
    }
  }

  void Complete(const vector<vector<Dtype>>& rows, Batch<Dtype>* batch) const override {
    if (!has_boxes_) return;
    size_t count = 0;
    for (const vector<Dtype>& row : rows) count += row.size();
    Blob<Dtype>& label = batch->label_;
    label.Reshape({1, 1, std::max(static_cast<int>(count / kLabelRow), 1), kLabelRow});
    Dtype* values = label.mutable_cpu_data();
    if (count == 0) std::fill_n(values, kLabelRow, static_cast<Dtype>(-1));
    for (const vector<Dtype>& row : rows) values = std::copy(row.begin(), row.end(), values);
  }

 private:
  vector<AnnotatedBox> ReadBoxes(const Record& record, const AnnotatedDatum& datum) const {
    string complaint;
    vector<AnnotatedBox> boxes = BoxesOf(datum, &complaint);
    if (!complaint.empty()) {
      report_.Warn(record.index, "record \"" + record.key + "\": " + complaint);
    }
    for (const AnnotatedBox& object : boxes) {
      CHECK(names_.empty() || names_.count(object.label) > 0)
          << "has the label " << object.label << ", which is not in the label map "
          << label_map_file_ << "; its largest label is " << names_.rbegin()->first;
    }
    return boxes;
  }

  AugmentSpec spec_;
  bool has_boxes_;
  string label_map_file_;
  ClassNames names_;             ///< of label_map_file; empty if there is none
  mutable RecordReport report_;  ///< of boxes that are left out
};

}  // namespace

template <typename Dtype>
void AnnotatedDataLayer<Dtype>::DataLayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                                               const vector<Blob<Dtype>*>& top) {
  // Workers have an image each: OpenCV's threads within one would only be in their way.
  cv::setNumThreads(1);
  const DataParameter& param = this->layer_param_.data_param();
  const AnnotatedDataParameter& annotated = this->layer_param_.annotated_data_param();
  const string source = param.source();
  const bool shuffle = param.shuffle();
  typename RecordDataLayer<Dtype>::Options options;
  options.batch_size = param.batch_size();
  options.rand_skip = param.rand_skip();
  options.shuffle = shuffle;
  options.replace_broken = true;
  const auto opener = [source, shuffle] {
    return std::unique_ptr<RecordSource>(new LmdbSource(source, shuffle));
  };
  const Contents contents = Inspect(source);
  const bool has_boxes = contents.has_boxes || annotated.has_anno_type();
  TransformSpec transform = this->data_transformer_->spec();
  if (param.force_encoded_color()) transform.color = ImageColor::kColor;
  if (transform.color == ImageColor::kNative) {
    transform.color = contents.is_gray ? ImageColor::kGray : ImageColor::kColor;
  }
  const AugmentSpec spec =
      MakeAugmentSpec(transform, this->transform_param_, annotated.batch_sampler());
  const auto loader = std::make_shared<AnnotatedLoader<Dtype>>(spec, has_boxes, this->Who());
  if (annotated.has_label_map_file()) loader->SetLabelMap(annotated.label_map_file());
  this->Open(options, opener, loader, top);
  if (has_boxes && this->output_labels_) top[1]->Reshape({1, 1, 1, kLabelRow});
  if (param.backend() != DataParameter_DB_LMDB) db::ReportBackend(source);
}

INSTANTIATE_CLASS(AnnotatedDataLayer);
REGISTER_LAYER_CLASS(AnnotatedData);

}  // namespace caffe
