#include <google/protobuf/descriptor.pb.h>

#include "bindings.hpp"
#include "caffe/layer_factory.hpp"

namespace caffe {
namespace python {
namespace {

/** The schema that this runtime was compiled with: no file can fall out of step with it. */
nb::bytes SchemaDescriptor() {
  google::protobuf::FileDescriptorProto schema;
  NetParameter::descriptor()->file()->CopyTo(&schema);
  return SerializeMessage(schema);
}

void BindGlobals(nb::module_& module) {
  module.def("schema_descriptor", &SchemaDescriptor);
  module.def("layer_type_list", [] { return LayerRegistry<float>::LayerTypeList(); });
  module.def("load_plugin", [](const string& path) { return LoadPlugin(path); });
  module.def("set_random_seed", [](unsigned int seed) { Caffe::set_random_seed(seed); });
  module.def("set_mode_cpu", [] { Caffe::set_mode(Caffe::CPU); });
  module.def("set_mode_gpu", [] { Caffe::set_mode(Caffe::GPU); });
  module.def("set_device", [](int device) { Caffe::SetDevice(device); });
}

}  // namespace
}  // namespace python
}  // namespace caffe

NB_MODULE(_caffe, module) {
  using namespace caffe::python;  // NOLINT(build/namespaces)
  // A script that ends with nets in its globals has leaked nothing.
  nb::set_leak_warnings(false);
  nb::exception<caffe::Error>(module, "Error", PyExc_RuntimeError);
  nb::class_<AnyBlob>(module, "Blob");
  BindBlob<float>(module);
  BindBlob<double>(module);
  BindNet<float>(module);
  BindNet<double>(module);
  BindGlobals(module);
}
