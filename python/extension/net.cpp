#include "bindings.hpp"

namespace caffe {
namespace python {
namespace {

using NoGil = nb::call_guard<nb::gil_scoped_release>;

template <typename Dtype>
using NetPtr = shared_ptr<NetHandle<Dtype>>;

template <typename Dtype>
NetPtr<Dtype> NetFromFile(const string& file, Phase phase, int level,
                          const vector<string>& stages) {
  return std::make_shared<NetHandle<Dtype>>(
      std::make_shared<Net<Dtype>>(file, phase, level, &stages));
}

template <typename Dtype>
NetPtr<Dtype> NetFromMessage(const nb::bytes& serialized) {
  const NetParameter param = ParseMessage<NetParameter>(serialized);
  const nb::gil_scoped_release release;
  return std::make_shared<NetHandle<Dtype>>(std::make_shared<Net<Dtype>>(param));
}

template <typename Dtype>
std::shared_ptr<BlobHandle<Dtype>> Wrap(const shared_ptr<Blob<Dtype>>& blob,
                                        const shared_ptr<void>& owner) {
  return std::make_shared<BlobHandle<Dtype>>(blob, owner);
}

template <typename Dtype>
nb::list WrapAll(const vector<shared_ptr<Blob<Dtype>>>& blobs, const shared_ptr<void>& owner) {
  nb::list wrapped;
  for (const shared_ptr<Blob<Dtype>>& blob : blobs) wrapped.append(Wrap(blob, owner));
  return wrapped;
}

template <typename Dtype>
void BindLayer(nb::module_& module) {
  using Handle = LayerHandle<Dtype>;
  nb::class_<Handle>(module, (string("Layer") + TypeSuffix<Dtype>()).c_str())
      .def_prop_ro("type", [](const Handle& h) { return string(h.layer->type()); })
      .def_prop_ro("blobs", [](const Handle& h) { return WrapAll(h.layer->blobs(), h.owner); });
}

template <typename Dtype>
nb::list WrapLayers(NetHandle<Dtype>& handle) {
  nb::list wrapped;
  for (const shared_ptr<Layer<Dtype>>& layer : handle.net->layers()) {
    wrapped.append(LayerHandle<Dtype>{layer, handle.shared_from_this()});
  }
  return wrapped;
}

}  // namespace

template <typename Dtype>
void BindNet(nb::module_& module) {
  using Handle = NetHandle<Dtype>;
  BindLayer<Dtype>(module);
  nb::class_<Handle>(module, (string("Net") + TypeSuffix<Dtype>()).c_str())
      .def_static("from_file",
                  [](const string& file, int phase, int level, const vector<string>& stages) {
                    return NetFromFile<Dtype>(file, static_cast<Phase>(phase), level, stages);
                  },
                  NoGil())
      .def_static("from_message", &NetFromMessage<Dtype>)
      .def_prop_ro("name", [](const Handle& h) { return h.net->name(); })
      .def_prop_ro("phase", [](const Handle& h) { return static_cast<int>(h.net->phase()); })
      .def_prop_ro("layer_names", [](const Handle& h) { return h.net->layer_names(); })
      .def_prop_ro("blob_names", [](const Handle& h) { return h.net->blob_names(); })
      .def_prop_ro("input_ids", [](const Handle& h) { return h.net->input_blob_indices(); })
      .def_prop_ro("output_ids", [](const Handle& h) { return h.net->output_blob_indices(); })
      .def_prop_ro("loss_weights", [](const Handle& h) { return h.net->blob_loss_weights(); })
      .def("top_ids", [](const Handle& h, int layer) { return h.net->top_ids(layer); })
      .def("bottom_ids", [](const Handle& h, int layer) { return h.net->bottom_ids(layer); })
      .def("blobs", [](Handle& h) { return WrapAll(h.net->blobs(), h.shared_from_this()); })
      .def("layers", [](Handle& h) { return WrapLayers(h); })
      .def("forward", [](Handle& h, int start, int end) { return h.net->ForwardFromTo(start, end); },
           NoGil())
      .def("backward", [](Handle& h, int start, int end) { h.net->BackwardFromTo(start, end); },
           NoGil())
      .def("reshape", [](Handle& h) { h.net->Reshape(); }, NoGil())
      .def("clear_param_diffs", [](Handle& h) { h.net->ClearParamDiffs(); })
      .def("update", [](Handle& h) { h.net->Update(); });
}

template void BindNet<float>(nb::module_& module);
template void BindNet<double>(nb::module_& module);

}  // namespace python
}  // namespace caffe
