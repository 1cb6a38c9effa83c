// Layers whose code is a Python class.
#include "bindings.hpp"
#include "caffe/layer_factory.hpp"

namespace caffe {
namespace python {
namespace {

/** Python lists of a layer's blobs, made once for the same blobs. */
template <typename Dtype>
class LentBlobs {
 public:
  const nb::list& For(const vector<Blob<Dtype>*>& blobs) {
    if (list_.is_valid() && blobs == blobs_) return list_;
    Invalidate();
    list_ = nb::list();
    blobs_ = blobs;
    for (Blob<Dtype>* blob : blobs) list_.append(BlobHandle<Dtype>(blob, nullptr));
    return list_;
  }
  /** Whoever still holds one of them gets an error from it, not freed memory. */
  void Invalidate() {
    if (!list_.is_valid()) return;
    for (const nb::handle blob : list_) {
      BlobHandle<Dtype>* handle = nullptr;
      if (nb::try_cast(blob, handle)) handle->blob = nullptr;
    }
    list_ = nb::steal<nb::list>(nb::handle());
  }

 private:
  vector<Blob<Dtype>*> blobs_;
  nb::list list_ = nb::steal<nb::list>(nb::handle());
};

/**
 * Adds "in layer NAME (MODULE.CLASS), METHOD" to an exception that passes by,
 * and logs it: Python 3.10 and the caffe command do not show such notes.
 */
void NameLayer(const nb::python_error& error, const LayerParameter& param, const char* method) {
  const string text = "in layer " + param.name() + " (" + param.python_param().module() + "." +
                      param.python_param().layer() + "), " + method;
  nb::module_::import_("caffe.python_layer").attr("add_note")(error.value(), text);
  LOG(ERROR) << nb::cast<string>(error.type().attr("__name__")) << " " << text;
}

template <typename Dtype>
class PythonLayer : public Layer<Dtype> {
 public:
  explicit PythonLayer(const LayerParameter& param) : Layer<Dtype>(param) {
    Guard("construction", [&] {
      handle_ = nb::cast(LayerHandle<Dtype>{this, nullptr});
      instance_ = nb::module_::import_("caffe.python_layer")
                      .attr("make_layer")(SerializeMessage(param), handle_);
    });
  }
  ~PythonLayer() override {
    // After the interpreter's end its objects are gone: nothing is left to free.
    if (Py_IsInitialized() == 0) {
      instance_.release();
      handle_.release();
      return;
    }
    const nb::gil_scoped_acquire gil;
    nb::cast<LayerHandle<Dtype>*>(handle_)->layer = nullptr;
    bottoms_.Invalidate();
    tops_.Invalidate();
    instance_.reset();
    handle_.reset();
  }

  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override {
    Call("setup", bottom, top);
  }
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override {
    Call("reshape", bottom, top);
  }
  const char* type() const override { return "Python"; }
  const nb::object& instance() const { return instance_; }

  void SaveState(LayerState* state) const override {
    Guard("save_state", [&] {
      if (!nb::hasattr(instance_, "save_state")) return;
      const nb::bytes data = nb::cast<nb::bytes>(instance_.attr("save_state")());
      state->set_data(data.c_str(), data.size());
    });
  }
  void LoadState(const LayerState& state) override {
    Guard("load_state", [&] {
      if (!state.has_data() || !nb::hasattr(instance_, "load_state")) return;
      instance_.attr("load_state")(nb::bytes(state.data().data(), state.data().size()));
    });
  }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override {
    Call("forward", bottom, top);
  }
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override {
    Guard("backward", [&] {
      nb::list wanted;
      for (const bool propagate : propagate_down) wanted.append(propagate);
      instance_.attr("backward")(tops_.For(top), wanted, bottoms_.For(bottom));
    });
  }

 private:
  template <typename Function>
  void Guard(const char* method, const Function& function) const {
    const nb::gil_scoped_acquire gil;
    try {
      function();
    } catch (const nb::python_error& error) {
      NameLayer(error, this->layer_param_, method);
      throw;
    }
  }
  void Call(const char* method, const vector<Blob<Dtype>*>& bottom,
            const vector<Blob<Dtype>*>& top) {
    Guard(method, [&] { instance_.attr(method)(bottoms_.For(bottom), tops_.For(top)); });
  }

  nb::object handle_;
  nb::object instance_;
  LentBlobs<Dtype> bottoms_;
  LentBlobs<Dtype> tops_;
};

template <typename Dtype>
shared_ptr<Layer<Dtype>> MakePythonLayer(const LayerParameter& param) {
  return std::make_shared<PythonLayer<Dtype>>(param);
}

}  // namespace

template <typename Dtype>
nb::object PythonLayerInstance(Layer<Dtype>* layer) {
  const auto* python_layer = dynamic_cast<const PythonLayer<Dtype>*>(layer);
  return python_layer == nullptr ? nb::none() : python_layer->instance();
}

void RegisterPythonLayers() {
  LayerRegistry<float>::AddCreator("Python", &MakePythonLayer<float>);
  LayerRegistry<double>::AddCreator("Python", &MakePythonLayer<double>);
}

WeakCaller::WeakCaller(nb::handle target) : reference_(PyWeakref_NewRef(target.ptr(), nullptr)) {
  if (reference_ == nullptr) throw nb::python_error();
}

WeakCaller::~WeakCaller() {
  if (Py_IsInitialized() == 0) return;
  const nb::gil_scoped_acquire gil;
  Py_DECREF(reference_);
}

void WeakCaller::Call(const string& kind, int argument) const {
  const nb::gil_scoped_acquire gil;
  const nb::object target = nb::borrow(reference_)();
  if (!target.is_none()) target.attr("_run_callbacks")(kind, argument);
}

template nb::object PythonLayerInstance<float>(Layer<float>* layer);
template nb::object PythonLayerInstance<double>(Layer<double>* layer);

}  // namespace python
}  // namespace caffe
