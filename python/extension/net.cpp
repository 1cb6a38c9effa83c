// Nets and their layers.
#include <nanobind/stl/optional.h>

#include "bindings.hpp"
#include "caffe/layers/memory_data_layer.hpp"
#include "caffe/util/io.hpp"
#include "caffe/util/upgrade_proto.hpp"

namespace caffe {
namespace python {
namespace {

template <typename Dtype>
using NetPtr = shared_ptr<NetHandle<Dtype>>;

/** @param weights a file, or empty for none */
template <typename Dtype>
NetPtr<Dtype> MakeNet(const NetParameter& param, const string& weights) {
  if (weights.empty()) {
    return std::make_shared<NetHandle<Dtype>>(std::make_shared<Net<Dtype>>(param));
  }
  NetParameter values;
  Net<Dtype>::ReadWeights(weights, &values);
  WeightsReport report;
  try {
    const auto net = std::make_shared<Net<Dtype>>(param, values, &report);
    const auto handle = std::make_shared<NetHandle<Dtype>>(net);
    handle->weights_report = report;
    return handle;
  } catch (const Error& error) {
    const Net<Dtype> without_weights(param);  // throws if they were not to blame
    throw error.By(weights);
  }
}

template <typename Dtype>
NetPtr<Dtype> NetFromFile(const string& file, int phase, int level, const vector<string>& stages,
                          const string& weights) {
  NetParameter param;
  ReadNetParamsFromTextFileOrDie(file, &param);
  for (const string& stage : stages) param.mutable_state()->add_stage(stage);
  param.mutable_state()->set_phase(static_cast<Phase>(phase));
  param.mutable_state()->set_level(level);
  return MakeNet<Dtype>(param, weights);
}

template <typename Dtype>
NetPtr<Dtype> NetFromMessage(const nb::bytes& serialized, const string& weights) {
  NetParameter param = ParseMessage<NetParameter>(serialized);
  const nb::gil_scoped_release release;
  UpgradeNetAsNeeded("the NetParameter", &param);
  return MakeNet<Dtype>(param, weights);
}

template <typename Dtype>
nb::list WrapBlobs(NetHandle<Dtype>& handle) {
  nb::list wrapped;
  for (const shared_ptr<Blob<Dtype>>& blob : handle.net->blobs()) {
    wrapped.append(BlobHandle<Dtype>(blob.get(), handle.shared_from_this()));
  }
  return wrapped;
}

template <typename Dtype>
nb::list WrapLayers(NetHandle<Dtype>& handle) {
  nb::list wrapped;
  for (const shared_ptr<Layer<Dtype>>& layer : handle.net->layers()) {
    const nb::object instance = PythonLayerInstance(layer.get());
    if (instance.is_none()) {
      wrapped.append(LayerHandle<Dtype>{layer.get(), handle.shared_from_this()});
    } else {
      wrapped.append(instance);
    }
  }
  return wrapped;
}

template <typename Dtype>
WeightsReport CopyFromMessage(NetHandle<Dtype>& handle, const nb::bytes& serialized,
                              bool skip_mismatched) {
  NetParameter param = ParseMessage<NetParameter>(serialized);
  const nb::gil_scoped_release release;
  UpgradeNetAsNeeded("the NetParameter", &param);
  return handle.net->CopyTrainedLayersFrom(param, skip_mismatched);
}

template <typename Dtype>
void Save(const NetHandle<Dtype>& handle, const string& file) {
  NetParameter param;
  handle.net->ToProto(&param, false);
  WriteProtoToBinaryFile(param, file);
}

template <typename Dtype>
void AddCallback(NetHandle<Dtype>& handle, nb::handle python_net, const string& kind) {
  using Add = void (Net<Dtype>::*)(typename Net<Dtype>::Callback*);
  const std::map<string, Add> adders = {{"before_forward", &Net<Dtype>::add_before_forward},
                                        {"after_forward", &Net<Dtype>::add_after_forward},
                                        {"before_backward", &Net<Dtype>::add_before_backward},
                                        {"after_backward", &Net<Dtype>::add_after_backward}};
  const Add add = adders.at(kind);
  handle.callbacks.push_back(std::make_unique<NetCallback<Dtype>>(python_net, kind));
  ((*handle.net).*add)(handle.callbacks.back().get());
}

template <typename Dtype>
using InputArray = nb::ndarray<Dtype, nb::numpy, nb::c_contig, nb::device::cpu>;

/** The caller has checked types and shapes. */
template <typename Dtype>
void SetInputArrays(NetHandle<Dtype>& handle, int layer, const nb::object& data,
                    const nb::object& labels) {
  auto* memory_data = dynamic_cast<MemoryDataLayer<Dtype>*>(handle.net->layers().at(layer).get());
  CHECK(memory_data != nullptr) << handle.net->layers()[layer]->Who() << ": is no MemoryData layer";
  const auto values = nb::cast<InputArray<Dtype>>(data, false);
  const auto label_values = nb::cast<InputArray<Dtype>>(labels, false);
  memory_data->Reset(values.data(), label_values.data(), static_cast<int>(values.shape(0)));
  handle.input_arrays[layer] = {data, labels};
  using Arrays = decltype(handle.input_arrays);
  handle.borrowed = std::make_shared<const Arrays>(handle.input_arrays);
}

template <typename Dtype>
void BindLayer(nb::module_& module) {
  using Handle = LayerHandle<Dtype>;
  nb::class_<Handle>(module, TypedName<Dtype>("Layer").c_str())
      .def_prop_ro("type", [](const Handle& h) { return string(h.get().type()); })
      .def_prop_ro("name", [](const Handle& h) { return h.get().layer_param().name(); })
      .def_prop_ro("layer_param",
                   [](const Handle& h) { return SerializeMessage(h.get().layer_param()); })
      .def_prop_ro(
          "blobs", [](Handle& h) { return LayerBlobs<Dtype>{&h}; }, nb::keep_alive<0, 1>());
}

template <typename Dtype>
void BindStructure(nb::class_<NetHandle<Dtype>>& net) {
  using Handle = NetHandle<Dtype>;
  net.def_prop_ro("name", [](const Handle& h) { return h.net->name(); })
      .def_prop_ro("phase", [](const Handle& h) { return static_cast<int>(h.net->phase()); })
      .def_prop_ro("layer_names", [](const Handle& h) { return h.net->layer_names(); })
      .def_prop_ro("blob_names", [](const Handle& h) { return h.net->blob_names(); })
      .def_prop_ro("input_ids", [](const Handle& h) { return h.net->input_blob_indices(); })
      .def_prop_ro("output_ids", [](const Handle& h) { return h.net->output_blob_indices(); })
      .def_prop_ro("loss_weights", [](const Handle& h) { return h.net->blob_loss_weights(); })
      .def_prop_ro("layer_need_backward",
                   [](const Handle& h) { return h.net->layer_need_backward(); })
      .def_prop_ro("first_non_finite", [](const Handle& h) { return h.net->FirstNonFinite(); })
      .def("top_ids", [](const Handle& h, int layer) { return h.net->top_ids(layer); })
      .def("bottom_ids", [](const Handle& h, int layer) { return h.net->bottom_ids(layer); })
      .def("blobs", &WrapBlobs<Dtype>)
      .def("layers", &WrapLayers<Dtype>);
}

template <typename Dtype>
void BindWeights(nb::class_<NetHandle<Dtype>>& net) {
  using Handle = NetHandle<Dtype>;
  net.def(
         "copy_from",
         [](Handle& h, const string& file, bool skip_mismatched) {
           return h.net->CopyTrainedLayersFrom(file, skip_mismatched);
         },
         NoGil())
      .def("copy_from_message", &CopyFromMessage<Dtype>)
      .def(
          "load_hdf5",
          [](Handle& h, const string& file) { h.net->CopyTrainedLayersFromHDF5(file); }, NoGil())
      .def("save", &Save<Dtype>, NoGil())
      .def(
          "save_hdf5", [](const Handle& h, const string& file) { h.net->ToHDF5(file); }, NoGil())
      .def("share_with",
           [](Handle& h, const Handle& other) { h.net->ShareTrainedLayersWith(other.net.get()); });
}

}  // namespace

template <typename Dtype>
void BindNet(nb::module_& module) {
  using Handle = NetHandle<Dtype>;
  BindLayer<Dtype>(module);
  nb::class_<Handle> net(module, TypedName<Dtype>("Net").c_str());
  BindStructure(net);
  BindWeights(net);
  net.def_static("from_file", &NetFromFile<Dtype>, NoGil())
      .def_static("from_message", &NetFromMessage<Dtype>)
      .def(
          "forward", [](Handle& h, int start, int end) { return h.net->ForwardFromTo(start, end); },
          NoGil())
      .def(
          "backward", [](Handle& h, int start, int end) { h.net->BackwardFromTo(start, end); },
          NoGil())
      .def(
          "reshape", [](Handle& h) { h.net->Reshape(); }, NoGil())
      .def("clear_param_diffs", [](Handle& h) { h.net->ClearParamDiffs(); })
      .def("update", [](Handle& h) { h.net->Update(); })
      .def("set_debug_info", [](Handle& h, bool on) { h.net->set_debug_info(on); })
      .def("set_release_memory",
           [](Handle& h, bool on, const vector<string>& keep) {
             h.net->set_release_memory(on, keep);
           })
      .def_prop_ro("release_memory", [](const Handle& h) { return h.net->release_memory(); })
      .def_prop_ro("weights_report", [](const Handle& h) { return h.weights_report; })
      .def("set_input_arrays", &SetInputArrays<Dtype>)
      .def("add_callback", &AddCallback<Dtype>);
}

template void BindNet<float>(nb::module_& module);
template void BindNet<double>(nb::module_& module);

}  // namespace python
}  // namespace caffe
