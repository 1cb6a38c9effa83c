#ifndef CAFFE_SOLVER_FACTORY_HPP_
#define CAFFE_SOLVER_FACTORY_HPP_

#include <map>
#include <string>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

template <typename Dtype>
class Solver;

/**
 * @brief Makes solvers from SolverParameter.type; REGISTER_SOLVER_CLASS(Name)
 * in NameSolver's .cpp adds the type "Name".
 */
template <typename Dtype>
class SolverRegistry {
 public:
  typedef Solver<Dtype>* (*Creator)(const SolverParameter&);
  typedef std::map<string, Creator> CreatorRegistry;

  static CreatorRegistry& Registry();
  /** @throws Error if the type is registered already. */
  static void AddCreator(const string& type, Creator creator);
  /** @brief The caller owns the solver. @throws Error for an unknown type, naming the nearest. */
  static Solver<Dtype>* CreateSolver(const SolverParameter& param);
  static vector<string> SolverTypeList();

 private:
  SolverRegistry() = delete;
};

template <typename Dtype>
class SolverRegisterer {
 public:
  SolverRegisterer(const string& type, typename SolverRegistry<Dtype>::Creator creator) {
    SolverRegistry<Dtype>::AddCreator(type, creator);
  }
};

}  // namespace caffe

#define REGISTER_SOLVER_CREATOR(type, creator)                                       \
  static ::caffe::SolverRegisterer<float> g_creator_f_##type(#type, creator<float>); \
  static ::caffe::SolverRegisterer<double> g_creator_d_##type(#type, creator<double>)

#define REGISTER_SOLVER_CLASS(type)                                              \
  template <typename Dtype>                                                      \
  ::caffe::Solver<Dtype>* Creator_##type##Solver(const SolverParameter& param) { \
    return new type##Solver<Dtype>(param);                                       \
  }                                                                              \
  REGISTER_SOLVER_CREATOR(type, Creator_##type##Solver)

#endif  // CAFFE_SOLVER_FACTORY_HPP_
