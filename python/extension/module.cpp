#include <google/protobuf/descriptor.pb.h>

#include "bindings.hpp"
#include "caffe/layer_factory.hpp"
#include "tools/command.hpp"

namespace caffe {
namespace python {
namespace {

/** The schema that this runtime was compiled with: no file can fall out of step with it. */
nb::bytes SchemaDescriptor() {
  google::protobuf::FileDescriptorProto schema;
  NetParameter::descriptor()->file()->CopyTo(&schema);
  return SerializeMessage(schema);
}

/** The caffe command in this process. Its Python layers run here; Ctrl-C is the command's. */
int Command(vector<string> arguments) {
  vector<char*> pointers;
  for (string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  return CommandMain(static_cast<int>(arguments.size()), pointers.data());
}

void BindReport(nb::module_& module) {
  nb::class_<WeightsReport>(module, "WeightsReport")
      .def_ro("loaded", &WeightsReport::loaded)
      .def_ro("skipped", &WeightsReport::skipped)
      .def_ro("missing", &WeightsReport::missing)
      .def_ro("mismatched", &WeightsReport::mismatched)
      .def("__str__", &WeightsReport::Summary);
}

/** The process's state: mode, random numbers, solver rank, log. */
void BindGlobals(nb::module_& module) {
  module.attr("__version__") = CAFFE_VERSION;
  module.def("schema_descriptor", &SchemaDescriptor);
  module.def("layer_type_list", [] { return LayerRegistry<float>::LayerTypeList(); });
  module.def("load_plugin", [](const string& path) { return LoadPlugin(path); });
  module.def("set_random_seed", [](unsigned int seed) { Caffe::set_random_seed(seed); });
  module.def("set_mode_cpu", [] { Caffe::set_mode(Caffe::CPU); });
  module.def("set_mode_gpu", [] { Caffe::set_mode(Caffe::GPU); });
  module.def("set_device", [](int device) { Caffe::SetDevice(device); });
  module.def("solver_count", [] { return Caffe::solver_count(); });
  module.def("set_solver_count", [](int count) { Caffe::set_solver_count(count); });
  module.def("solver_rank", [] { return Caffe::solver_rank(); });
  module.def("set_solver_rank", [](int rank) { Caffe::set_solver_rank(rank); });
  module.def("set_multiprocess", [](bool value) { Caffe::set_multiprocess(value); });
  module.def("command", &Command, NoGil());
  module.def("log", [](const string& message) { LOG(INFO) << message; });
  module.def("set_log_level",
             [](int severity) { logging::SetMinSeverity(static_cast<LogSeverity>(severity)); });
  module.def("set_log_file", [](const string& path) { logging::SetLogFile(path); });
}

}  // namespace
}  // namespace python
}  // namespace caffe

NB_MODULE(_caffe, module) {
  using namespace caffe::python;  // NOLINT(build/namespaces)
  // A script that ends with nets in its globals has leaked nothing.
  nb::set_leak_warnings(false);
  nb::exception<caffe::Error>(module, "Error", PyExc_RuntimeError).attr("__module__") = "caffe";
  // The bindings of classes are made by objects that live for a line.
  // NOLINTNEXTLINE(bugprone-unused-raii)
  nb::class_<AnyBlob>(module, "Blob");
  BindReport(module);
  BindBlob<float>(module);
  BindBlob<double>(module);
  BindNet<float>(module);
  BindNet<double>(module);
  BindSolver<float>(module);
  BindSolver<double>(module);
  BindGlobals(module);
  RegisterPythonLayers();
}
