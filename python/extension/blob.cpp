// Blobs as NumPy views, and the parameters of a layer as a sequence of them.
#include "bindings.hpp"

namespace caffe {
namespace python {

template <>
string TypedName<float>(const string& name) {
  return name + "Float";
}
template <>
string TypedName<double>(const string& name) {
  return name + "Double";
}

namespace {

/** What a view keeps alive: the memory, even if the blob moves on to another, and the net. */
struct ViewOwner {
  explicit ViewOwner(const shared_ptr<BlobOwner>& owner)
      : owner(owner), borrowed(owner ? owner->borrowed : nullptr) {}
  ViewOwner(const ViewOwner&) = delete;
  ViewOwner& operator=(const ViewOwner&) = delete;
  ~ViewOwner() {
    if (memory) memory->UnpinHost();
  }
  /** The array may be read and written at any time, between any two steps of the net. */
  void Keep(const shared_ptr<SyncedMemory>& viewed) {
    viewed->PinHost();
    memory = viewed;
  }

  shared_ptr<SyncedMemory> memory;
  shared_ptr<BlobOwner> owner;
  shared_ptr<const void> borrowed;
};

template <typename Dtype>
nb::ndarray<nb::numpy, Dtype> View(const BlobHandle<Dtype>& handle, bool diff) {
  Blob<Dtype>& blob = handle.get();
  static Dtype no_elements;
  Dtype* values = &no_elements;
  auto owner = std::make_unique<ViewOwner>(handle.owner);
  if (blob.count() > 0) {
    diff ? blob.cpu_diff() : blob.cpu_data();  // throws if they were given back
    values = diff ? blob.mutable_cpu_diff() : blob.mutable_cpu_data();
    owner->Keep(diff ? blob.diff() : blob.data());
  }
  const nb::capsule capsule(owner.release(),
                            [](void* p) noexcept { delete static_cast<ViewOwner*>(p); });
  const vector<size_t> shape(blob.shape().begin(), blob.shape().end());
  return nb::ndarray<nb::numpy, Dtype>(values, shape.size(), shape.data(), capsule);
}

/** reshape(2, 3) and reshape((2, 3)) alike. */
vector<int> ShapeFromArguments(const nb::args& arguments) {
  const bool one_sequence = arguments.size() == 1 && PySequence_Check(arguments[0].ptr()) != 0;
  const nb::object dims = one_sequence ? nb::object(arguments[0]) : nb::object(arguments);
  vector<int> shape;
  for (const nb::handle dim : dims) {
    // __index__: NumPy's integers count, floats do not.
    const nb::object number = nb::steal(PyNumber_Index(dim.ptr()));
    if (!number.is_valid()) throw nb::python_error();
    shape.push_back(nb::cast<int>(number));
  }
  return shape;
}

template <typename Dtype>
BlobHandle<Dtype> BlobAt(const LayerBlobs<Dtype>& blobs, int index) {
  const vector<shared_ptr<Blob<Dtype>>>& all = blobs.layer->get().blobs();
  const int size = static_cast<int>(all.size());
  if (index < -size || index >= size) {
    const string message = "blob " + std::to_string(index) + " of " + std::to_string(size);
    throw nb::index_error(message.c_str());
  }
  const shared_ptr<Blob<Dtype>>& blob = all[index < 0 ? index + size : index];
  // A Python layer does not own its net; its parameters live by themselves.
  shared_ptr<BlobOwner> owner = blobs.layer->owner;
  if (!owner) {
    owner = std::make_shared<BlobOwner>();
    owner->borrowed = blob;
  }
  return BlobHandle<Dtype>(blob.get(), owner);
}

template <typename Dtype>
void BindLayerBlobs(nb::module_& module) {
  using Blobs = LayerBlobs<Dtype>;
  nb::class_<Blobs>(module, TypedName<Dtype>("LayerBlobs").c_str())
      .def("__len__", [](const Blobs& b) { return b.layer->get().blobs().size(); })
      .def("__getitem__", &BlobAt<Dtype>)
      .def("add_blob", [](const Blobs& b, const nb::args& dims) {
        b.layer->get().blobs().push_back(std::make_shared<Blob<Dtype>>(ShapeFromArguments(dims)));
      });
}

}  // namespace

template <typename Dtype>
void BindBlob(nb::module_& module) {
  using Handle = BlobHandle<Dtype>;
  nb::class_<Handle, AnyBlob>(module, TypedName<Dtype>("Blob").c_str())
      .def_prop_ro(
          "data", [](const Handle& b) { return View(b, false); }, nb::rv_policy::reference)
      .def_prop_ro(
          "diff", [](const Handle& b) { return View(b, true); }, nb::rv_policy::reference)
      .def_prop_ro("shape", [](const Handle& b) { return nb::tuple(nb::cast(b.get().shape())); })
      .def_prop_ro("count", [](const Handle& b) { return b.get().count(); })
      .def_prop_ro("num", [](const Handle& b) { return b.get().num(); })
      .def_prop_ro("channels", [](const Handle& b) { return b.get().channels(); })
      .def_prop_ro("height", [](const Handle& b) { return b.get().height(); })
      .def_prop_ro("width", [](const Handle& b) { return b.get().width(); })
      .def("reshape",
           [](const Handle& b, const nb::args& dims) { b.get().Reshape(ShapeFromArguments(dims)); })
      .def("__repr__", [](const Handle& b) {
        return "<" + TypedName<Dtype>("Blob") + " " + b.get().shape_string() + ">";
      });
  BindLayerBlobs<Dtype>(module);
}

template void BindBlob<float>(nb::module_& module);
template void BindBlob<double>(nb::module_& module);

}  // namespace python
}  // namespace caffe
