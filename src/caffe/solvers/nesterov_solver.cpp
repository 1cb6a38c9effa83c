#include <typeinfo>

#include "caffe/sgd_solvers.hpp"
#include "caffe/solvers/update_rules.hpp"

namespace caffe {

template <typename Dtype>
void NesterovSolver<Dtype>::RunRule(const ParamUpdate<Dtype>& update) const {
  RunWithOneHistory(update, NesterovRule<Dtype>{static_cast<Dtype>(this->param_.momentum())});
}

template <typename Dtype>
bool NesterovSolver<Dtype>::IsBuiltIn() const {
  return typeid(*this) == typeid(NesterovSolver<Dtype>);
}

INSTANTIATE_CLASS(NesterovSolver);
REGISTER_SOLVER_CLASS(Nesterov);

}  // namespace caffe
