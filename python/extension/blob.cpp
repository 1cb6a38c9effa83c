#include "bindings.hpp"

namespace caffe {
namespace python {
namespace {

/** What a NumPy view keeps alive: the memory, even if the blob moves on to another, and the net. */
struct ViewOwner {
  shared_ptr<SyncedMemory> memory;
  shared_ptr<void> owner;
};

template <typename Dtype>
nb::ndarray<nb::numpy, Dtype> View(const BlobHandle<Dtype>& handle, bool diff) {
  Blob<Dtype>& blob = handle.get();
  static Dtype no_elements;
  Dtype* values = &no_elements;
  auto* owner = new ViewOwner{nullptr, handle.owner};
  nb::capsule capsule(owner, [](void* p) noexcept { delete static_cast<ViewOwner*>(p); });
  if (blob.count() > 0) {
    values = diff ? blob.mutable_cpu_diff() : blob.mutable_cpu_data();
    owner->memory = diff ? blob.diff() : blob.data();
  }
  const vector<size_t> shape(blob.shape().begin(), blob.shape().end());
  return nb::ndarray<nb::numpy, Dtype>(values, shape.size(), shape.data(), capsule);
}

vector<int> ShapeFromArguments(const nb::args& arguments) {
  vector<int> shape;
  const bool one_sequence = arguments.size() == 1 && !nb::isinstance<nb::int_>(arguments[0]) &&
                            PySequence_Check(arguments[0].ptr());
  const nb::object dims = one_sequence ? nb::object(arguments[0]) : nb::object(arguments);
  for (nb::handle dim : dims) shape.push_back(nb::cast<int>(nb::int_(dim)));
  return shape;
}

}  // namespace

template <>
const char* TypeSuffix<float>() {
  return "Float";
}
template <>
const char* TypeSuffix<double>() {
  return "Double";
}

template <typename Dtype>
void BindBlob(nb::module_& module) {
  using Handle = BlobHandle<Dtype>;
  nb::class_<Handle, AnyBlob>(module, (string("Blob") + TypeSuffix<Dtype>()).c_str())
      .def_prop_ro("data", [](const Handle& b) { return View(b, false); }, nb::rv_policy::reference)
      .def_prop_ro("diff", [](const Handle& b) { return View(b, true); }, nb::rv_policy::reference)
      .def_prop_ro("shape", [](const Handle& b) { return nb::tuple(nb::cast(b.get().shape())); })
      .def_prop_ro("count", [](const Handle& b) { return b.get().count(); })
      .def_prop_ro("num", [](const Handle& b) { return b.get().num(); })
      .def_prop_ro("channels", [](const Handle& b) { return b.get().channels(); })
      .def_prop_ro("height", [](const Handle& b) { return b.get().height(); })
      .def_prop_ro("width", [](const Handle& b) { return b.get().width(); })
      .def("reshape", [](const Handle& b, const nb::args& dims) {
        b.get().Reshape(ShapeFromArguments(dims));
      })
      .def("__repr__", [](const Handle& b) {
        return string("<Blob") + TypeSuffix<Dtype>() + " " + b.get().shape_string() + ">";
      });
}

template void BindBlob<float>(nb::module_& module);
template void BindBlob<double>(nb::module_& module);

}  // namespace python
}  // namespace caffe
