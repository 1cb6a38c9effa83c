#include <sys/stat.h>

#include "caffe/util/io.hpp"
#include "caffe/util/upgrade_proto.hpp"

namespace caffe {
namespace {

const char* SolverTypeName(SolverParameter_SolverType type) {
  switch (type) {
    case SolverParameter::SGD:
      return "SGD";
    case SolverParameter::NESTEROV:
      return "Nesterov";
    case SolverParameter::ADAGRAD:
      return "AdaGrad";
    case SolverParameter::RMSPROP:
      return "RMSProp";
    case SolverParameter::ADADELTA:
      return "AdaDelta";
    case SolverParameter::ADAM:
      return "Adam";
  }
  throw Error("unknown solver_type " + std::to_string(static_cast<int>(type)));
}

bool IsFolder(const string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

string WithoutExtension(const string& path) {
  const size_t dot = path.rfind('.');
  const size_t slash = path.rfind('/');
  const bool has_extension = dot != string::npos && (slash == string::npos || dot > slash + 1);
  return has_extension && dot > 0 ? path.substr(0, dot) : path;
}

}  // namespace

bool SolverNeedsTypeUpgrade(const SolverParameter& solver_param) {
  return solver_param.has_solver_type();
}

bool UpgradeSolverType(SolverParameter* solver_param) {
  if (!solver_param->has_solver_type()) return true;
  const string type = SolverTypeName(solver_param->solver_type());
  CHECK(!solver_param->has_type())
      << "the solver gives both type (\"" << solver_param->type() << "\") and the old solver_type ("
      << SolverParameter::SolverType_Name(solver_param->solver_type()) << "); keep type";
  solver_param->set_type(type);
  solver_param->clear_solver_type();
  return true;
}

bool UpgradeSolverAsNeeded(const string& param_file, SolverParameter* param) {
  if (SolverNeedsTypeUpgrade(*param)) {
    try {
      UpgradeSolverType(param);
    } catch (const Error& error) {
      throw error.By(param_file);
    }
    LOG(WARNING) << param_file << ": upgraded the old solver_type to type: \"" << param->type()
                 << "\"";
  }
  if (param->has_net_param()) UpgradeNetAsNeeded(param_file, param->mutable_net_param());
  if (param->has_train_net_param()) {
    UpgradeNetAsNeeded(param_file, param->mutable_train_net_param());
  }
  for (NetParameter& net : *param->mutable_test_net_param()) UpgradeNetAsNeeded(param_file, &net);
  return true;
}

void UpgradeSnapshotPrefixProperty(const string& param_file, SolverParameter* param) {
  const string own = WithoutExtension(param_file);
  if (!param->has_snapshot_prefix()) {
    param->set_snapshot_prefix(own);
  } else if (IsFolder(param->snapshot_prefix())) {
    const size_t slash = own.rfind('/');
    param->set_snapshot_prefix(param->snapshot_prefix() + "/" +
                               (slash == string::npos ? own : own.substr(slash + 1)));
  }
}

void ReadSolverParamsFromTextFileOrDie(const string& param_file, SolverParameter* param) {
  SolverParameter read;
  ReadProtoFromTextFileOrDie(param_file, &read);
  UpgradeSolverAsNeeded(param_file, &read);
  UpgradeSnapshotPrefixProperty(param_file, &read);
  param->Swap(&read);
}

}  // namespace caffe
