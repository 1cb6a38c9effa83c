// Solvers.
#include "caffe/solver.hpp"

#include "bindings.hpp"
#include "caffe/util/upgrade_proto.hpp"

namespace caffe {
namespace python {
namespace {

/** Runs the Python callbacks of a solver. */
template <typename Dtype>
class SolverCallback : public Solver<Dtype>::Callback {
 public:
  explicit SolverCallback(nb::handle python_solver) : caller_(python_solver) {}

 protected:
  void on_start() override { caller_.Call("on_start", 0); }
  void on_gradients_ready() override { caller_.Call("on_gradients_ready", 0); }

 private:
  WeakCaller caller_;
};

/** A solver as Python holds it; its nets each keep the solver alive. */
template <typename Dtype>
struct SolverHandle {
  explicit SolverHandle(const SolverParameter& param)
      : solver(SolverRegistry<Dtype>::CreateSolver(param)) {
    net = std::make_shared<NetHandle<Dtype>>(solver->net(), solver);
    for (const shared_ptr<Net<Dtype>>& test_net : solver->test_nets()) {
      test_nets.push_back(std::make_shared<NetHandle<Dtype>>(test_net, solver));
    }
    solver->SetActionFunction(&StopOnSignal);
  }
  SolverHandle(const SolverHandle&) = delete;
  SolverHandle& operator=(const SolverHandle&) = delete;

  /** Python notes Ctrl-C but can only raise it once it is asked. */
  static SolverAction::Enum StopOnSignal() {
    const nb::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    return SolverAction::NONE;
  }

  std::unique_ptr<SolverCallback<Dtype>> callback;
  shared_ptr<Solver<Dtype>> solver;
  shared_ptr<NetHandle<Dtype>> net;
  vector<shared_ptr<NetHandle<Dtype>>> test_nets;
};

template <typename Dtype>
shared_ptr<SolverHandle<Dtype>> MakeSolver(SolverParameter param, const string& type) {
  if (!type.empty()) param.set_type(type);
  return std::make_shared<SolverHandle<Dtype>>(param);
}

template <typename Dtype>
shared_ptr<SolverHandle<Dtype>> SolverFromFile(const string& file, const string& type) {
  SolverParameter param;
  ReadSolverParamsFromTextFileOrDie(file, &param);
  return MakeSolver<Dtype>(param, type);
}

template <typename Dtype>
shared_ptr<SolverHandle<Dtype>> SolverFromMessage(const nb::bytes& serialized, const string& type) {
  SolverParameter param = ParseMessage<SolverParameter>(serialized);
  const nb::gil_scoped_release release;
  UpgradeSolverAsNeeded("the SolverParameter", &param);
  return MakeSolver<Dtype>(param, type);
}

}  // namespace

template <typename Dtype>
void BindSolver(nb::module_& module) {
  using Handle = SolverHandle<Dtype>;
  nb::class_<Handle>(module, TypedName<Dtype>("Solver").c_str())
      .def_static("from_file", &SolverFromFile<Dtype>, NoGil())
      .def_static("from_message", &SolverFromMessage<Dtype>)
      .def_prop_ro("type", [](const Handle& h) { return string(h.solver->type()); })
      .def_prop_ro("param", [](const Handle& h) { return SerializeMessage(h.solver->param()); })
      .def_prop_ro("iter", [](const Handle& h) { return h.solver->iter(); })
      .def_prop_ro("smoothed_loss", [](const Handle& h) { return h.solver->smoothed_loss(); })
      .def_prop_ro("net", [](const Handle& h) { return h.net; })
      .def_prop_ro("test_nets", [](const Handle& h) { return h.test_nets; })
      .def(
          "step", [](Handle& h, int iterations) { h.solver->Step(iterations); }, NoGil())
      .def(
          "solve", [](Handle& h, const string& state) { h.solver->Solve(state); }, NoGil())
      .def(
          "restore", [](Handle& h, const string& state) { h.solver->Restore(state.c_str()); },
          NoGil())
      .def(
          "snapshot", [](Handle& h) { h.solver->Snapshot(); }, NoGil())
      .def(
          "apply_update", [](Handle& h) { h.solver->ApplyUpdate(); }, NoGil())
      .def(
          "load_weights",
          [](Handle& h, const string& files, bool skip_mismatched) {
            h.solver->LoadWeights(files, skip_mismatched);
          },
          NoGil())
      .def("add_callback", [](Handle& h, nb::handle python_solver) {
        h.callback = std::make_unique<SolverCallback<Dtype>>(python_solver);
        h.solver->add_callback(h.callback.get());
      });
}

template void BindSolver<float>(nb::module_& module);
template void BindSolver<double>(nb::module_& module);

}  // namespace python
}  // namespace caffe
