#include "caffe/solver_factory.hpp"

#include "caffe/layer_factory.hpp"
#include "caffe/solver.hpp"
#include "caffe/util/upgrade_proto.hpp"

namespace caffe {

template <typename Dtype>
typename SolverRegistry<Dtype>::CreatorRegistry& SolverRegistry<Dtype>::Registry() {
  static CreatorRegistry* registry = new CreatorRegistry;  // outlives every static registerer
  return *registry;
}

template <typename Dtype>
void SolverRegistry<Dtype>::AddCreator(const string& type, Creator creator) {
  CHECK(Registry().emplace(type, creator).second)
      << "solver type \"" << type << "\" is registered already";
}

template <typename Dtype>
Solver<Dtype>* SolverRegistry<Dtype>::CreateSolver(const SolverParameter& param) {
  SolverParameter upgraded(param);
  UpgradeSolverAsNeeded("the solver", &upgraded);
  const auto entry = Registry().find(upgraded.type());
  if (entry == Registry().end()) {
    std::ostringstream nearest;
    for (const string& name : NearestNames(upgraded.type(), SolverTypeList()))
      nearest << " " << name;
    LOG(FATAL) << "unknown solver type \"" << upgraded.type() << "\"; the nearest known types are"
               << nearest.str();
  }
  return entry->second(upgraded);
}

template <typename Dtype>
vector<string> SolverRegistry<Dtype>::SolverTypeList() {
  vector<string> types;
  for (const auto& entry : Registry()) types.push_back(entry.first);
  return types;
}

INSTANTIATE_CLASS(SolverRegistry);

}  // namespace caffe
