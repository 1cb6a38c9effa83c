#ifndef CAFFE_PYTHON_EXTENSION_BINDINGS_HPP_
#define CAFFE_PYTHON_EXTENSION_BINDINGS_HPP_

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <string>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/net.hpp"

namespace caffe {
namespace python {

namespace nb = nanobind;

/** @brief The suffix of a bound template's Python name: NetFloat, NetDouble. */
template <typename Dtype>
const char* TypeSuffix();

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

/**
 * @brief A blob as Python holds it.
 *
 * `owner` is whatever must live as long as the blob is used (the net). The
 * pointer is null once a blob that was only lent, to a Python layer, is gone.
 */
template <typename Dtype>
struct BlobHandle : AnyBlob {
  BlobHandle(shared_ptr<Blob<Dtype>> blob_in, shared_ptr<void> owner_in)
      : blob(std::move(blob_in)), owner(std::move(owner_in)) {}
  Blob<Dtype>& get() const {
    CHECK(blob) << "this blob belonged to a layer that no longer exists";
    return *blob;
  }
  shared_ptr<Blob<Dtype>> blob;
  shared_ptr<void> owner;
};

/** @brief A layer of a net, as Python holds it. */
template <typename Dtype>
struct LayerHandle {
  shared_ptr<Layer<Dtype>> layer;
  shared_ptr<void> owner;
};

/**
 * @brief A net as Python holds it, with the arrays that its MemoryData layers read.
 *
 * Every view of its blobs keeps this alive.
 */
template <typename Dtype>
struct NetHandle : std::enable_shared_from_this<NetHandle<Dtype>> {
  explicit NetHandle(shared_ptr<Net<Dtype>> net_in, shared_ptr<void> owner_in = nullptr)
      : net(std::move(net_in)), owner(std::move(owner_in)) {}
  shared_ptr<Net<Dtype>> net;
  shared_ptr<void> owner;
};

template <typename Dtype>
void BindBlob(nb::module_& module);
template <typename Dtype>
void BindNet(nb::module_& module);

}  // namespace python
}  // namespace caffe

#endif  // CAFFE_PYTHON_EXTENSION_BINDINGS_HPP_
