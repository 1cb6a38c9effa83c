#include "caffe/backend/onednn_channels.hpp"
#include "caffe/layers/concat_layer.hpp"
#include "caffe/util/strips.hpp"

namespace caffe {
namespace onednn {

namespace {

using Tag = dnnl::memory::format_tag;

/** How channels lie together: in blocks of 16 or 8, or all of them (nhwc). */
struct JoinLayout {
  Tag tag = Tag::undef;
  ElementType type = ElementType::f32;
  int block = 0;  // 0: all channels
};

/** The join of a layout; its tag is undef if there is none. */
JoinLayout JoinOf(const Layout& layout) {
  const ElementType type = TypeOf(layout);
  switch (const Tag tag = TagOf(layout)) {
    case Tag::nChw16c:
      return {tag, type, 16};
    case Tag::nChw8c:
      return {tag, type, 8};
    case Tag::nhwc:
      return {tag, type, 0};
    default:
      return JoinLayout();
  }
}

/**
 * Concat of channels in the backend's layout: that of the first bottom which lies there, if all
 * bottoms but the last fill its blocks.
 */
class OnednnConcatLayer : public ConcatLayer<float> {
 public:
  explicit OnednnConcatLayer(const LayerParameter& param) : ConcatLayer<float>(param) {}

 protected:
  void Forward_cpu(const vector<Blob<float>*>& bottom, const vector<Blob<float>*>& top) override {
    join_ = Find(bottom);
    if (join_.tag == Tag::undef) {
      ConcatLayer<float>::Forward_cpu(bottom, top);
      return;
    }
    inputs_.resize(bottom.size());
    Output output(top[0]->data().get(), LayoutOf(*top[0]));
    WithElements(LayoutOf(*top[0]), [&](auto element) {
      typedef decltype(element) Element;
      Element* joined = Stored<Element>(output.memory());
      for (size_t i = 0; i < bottom.size(); ++i) {
        const dnnl::memory part = inputs_[i].Read(bottom[i]->data().get(), LayoutOf(*bottom[i]));
        const int length = Length(*bottom[i]);
        CopyStrips(StripShape{Rows(*top[0]), length, length, Length(*top[0])},
                   Stored<Element>(part), joined);
        joined += length;
      }
    });
    output.Commit();
  }

  void Backward_cpu(const vector<Blob<float>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<float>*>& bottom) override {
    if (join_.tag == Tag::undef) {
      ConcatLayer<float>::Backward_cpu(top, propagate_down, bottom);
      return;
    }
    const dnnl::memory top_diff = top_diff_.Read(top[0]->diff().get(), LayoutOf(*top[0]));
    WithElements(LayoutOf(*top[0]), [&](auto element) {
      typedef decltype(element) Element;
      const Element* joined = Stored<Element>(top_diff);
      for (size_t i = 0; i < bottom.size(); ++i) {
        const int length = Length(*bottom[i]);
        if (propagate_down[i]) {
          Output output(bottom[i]->diff().get(), LayoutOf(*bottom[i]));
          CopyStrips(StripShape{Rows(*top[0]), length, Length(*top[0]), length}, joined,
                     Stored<Element>(output.memory()));
          output.Commit();
        }
        joined += length;
      }
    });
  }

 private:
  JoinLayout Find(const vector<Blob<float>*>& bottom) const {
    JoinLayout join;
    if (concat_axis_ != 1) return join;
    for (const Blob<float>* blob : bottom) {
      const OnednnMemory* copy = BackendCopy(*blob->data(), DimsOf(blob->shape()));
      if (copy == nullptr) continue;
      join = JoinOf(copy->layout());
      break;
    }
    for (size_t i = 0; i < bottom.size(); ++i) {
      const int channels = join.tag == Tag::undef ? 0 : bottom[i]->shape(1);
      const bool fills = join.block == 0 || channels % join.block == 0 || i + 1 == bottom.size();
      if (channels == 0 || !fills) return JoinLayout();
    }
    return join;
  }

  Layout LayoutOf(const Blob<float>& blob) const {
    return Layout(DimsOf(blob.shape()), join_.type, join_.tag);
  }
  /** Elements of a blob that stay together: an image, or the channels of a position. */
  int Length(const Blob<float>& blob) const {
    if (join_.block == 0) return blob.shape(1);
    return (blob.shape(1) + join_.block - 1) / join_.block * join_.block * blob.count(2);
  }
  int Rows(const Blob<float>& blob) const {
    return join_.block == 0 ? blob.shape(0) * blob.count(2) : blob.shape(0);
  }

  JoinLayout join_;  // of the last Forward; undef if it was the plain one
  vector<Input> inputs_;
  Input top_diff_;
};

const OverrideRegisterer g_concat("Concat", [](const LayerParameter& param) {
  return shared_ptr<Layer<float>>(new OnednnConcatLayer(param));
});

}  // namespace

}  // namespace onednn
}  // namespace caffe
