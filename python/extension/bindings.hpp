#ifndef CAFFE_PYTHON_EXTENSION_BINDINGS_HPP_
#define CAFFE_PYTHON_EXTENSION_BINDINGS_HPP_

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/net.hpp"

// As hidden as nanobind, whose types are members here.
#pragma GCC visibility push(hidden)

namespace caffe {
namespace python {

namespace nb = nanobind;

/** For calls that run layers or read files: other Python threads go on meanwhile. */
using NoGil = nb::call_guard<nb::gil_scoped_release>;

/** @brief "NetFloat", "NetDouble": the Python name of a template's instance. */
template <typename Dtype>
string TypedName(const string& name);

/** @brief A message from the bytes of Python's message. @throws Error if they are none. */
template <typename Message>
Message ParseMessage(const nb::bytes& serialized) {
  Message message;
  CHECK(message.ParseFromArray(serialized.data(), static_cast<int>(serialized.size())))
      << "these " << serialized.size() << " bytes are no serialized " << message.GetTypeName();
  return message;
}

template <typename Message>
nb::bytes SerializeMessage(const Message& message) {
  const string bytes = message.SerializeAsString();
  return nb::bytes(bytes.data(), bytes.size());
}

/** @brief What isinstance(x, caffe.Blob) asks for. */
struct AnyBlob {};

/** @brief What must live as long as a blob is used: the net, or the blob itself. */
struct BlobOwner {
  virtual ~BlobOwner() = default;
  /** Memory that blobs show and do not own; views hold what was here when they were made. */
  shared_ptr<const void> borrowed;
};

/**
 * @brief A blob as Python holds it; the pointer is null once a blob that was
 * only lent, to a Python layer, is gone.
 */
template <typename Dtype>
struct BlobHandle : AnyBlob {
  BlobHandle(Blob<Dtype>* blob_in, shared_ptr<BlobOwner> owner_in)
      : blob(blob_in), owner(std::move(owner_in)) {}
  Blob<Dtype>& get() const {
    CHECK(blob != nullptr) << "this blob belonged to a net that no longer exists";
    return *blob;
  }
  Blob<Dtype>* blob;
  shared_ptr<BlobOwner> owner;
};

/** @brief A layer as Python holds it; as for blobs, null if it was lent and is gone. */
template <typename Dtype>
struct LayerHandle {
  Layer<Dtype>& get() const {
    CHECK(layer != nullptr) << "this layer belonged to a net that no longer exists";
    return *layer;
  }
  Layer<Dtype>* layer;
  shared_ptr<BlobOwner> owner;
};

/** @brief The parameters of a layer, as a sequence that grows by add_blob. */
template <typename Dtype>
struct LayerBlobs {
  LayerHandle<Dtype>* layer;
};

/**
 * @brief Calls back a Python object that it does not keep alive.
 *
 * A net's callbacks know the net; held strongly from C++, they and the net
 * would keep each other, out of the garbage collector's sight.
 */
class WeakCaller {
 public:
  explicit WeakCaller(nb::handle target);
  ~WeakCaller();
  WeakCaller(const WeakCaller&) = delete;
  WeakCaller& operator=(const WeakCaller&) = delete;
  /** @brief target._run_callbacks(kind, argument), if the target still lives; takes the GIL. */
  void Call(const string& kind, int argument) const;

 private:
  PyObject* reference_;
};

/** @brief Runs the Python callbacks of one kind ("before_forward") of a net. */
template <typename Dtype>
class NetCallback : public Net<Dtype>::Callback {
 public:
  NetCallback(nb::handle python_net, const string& kind) : caller_(python_net), kind_(kind) {}

 protected:
  void run(int layer) override { caller_.Call(kind_, layer); }

 private:
  WeakCaller caller_;
  string kind_;
};

/**
 * @brief A net as Python holds it, with all that must live as long as it runs:
 * its callbacks, and the arrays that its MemoryData layers read.
 *
 * Every blob and view keeps this alive. `owner` is the solver of a solver's net.
 */
template <typename Dtype>
struct NetHandle : BlobOwner, std::enable_shared_from_this<NetHandle<Dtype>> {
  explicit NetHandle(shared_ptr<Net<Dtype>> net_in, shared_ptr<void> owner_in = nullptr)
      : owner(std::move(owner_in)), net(std::move(net_in)) {}
  NetHandle(const NetHandle&) = delete;
  NetHandle& operator=(const NetHandle&) = delete;
  shared_ptr<void> owner;
  vector<std::unique_ptr<NetCallback<Dtype>>> callbacks;
  /** By layer index; `borrowed` holds them for the views. */
  std::map<int, std::pair<nb::object, nb::object>> input_arrays;
  /** What became of the weights that the net was made with. */
  std::optional<WeightsReport> weights_report;
  shared_ptr<Net<Dtype>> net;
};

/** @brief The Python object behind a layer of type Python, or None for another layer. */
template <typename Dtype>
nb::object PythonLayerInstance(Layer<Dtype>* layer);
/** @brief Adds the layer type Python, which the runtime alone does not know. */
void RegisterPythonLayers();

template <typename Dtype>
void BindBlob(nb::module_& module);
template <typename Dtype>
void BindNet(nb::module_& module);
template <typename Dtype>
void BindSolver(nb::module_& module);

}  // namespace python
}  // namespace caffe

#pragma GCC visibility pop

#endif  // CAFFE_PYTHON_EXTENSION_BINDINGS_HPP_
