// caffe device_query
#include <omp.h>

#include "caffe/caffe.hpp"
#include "tools/net_flags.hpp"
#include "tools/subcommand.hpp"

namespace caffe {

namespace {

int DeviceQuery(const Arguments& arguments) {
  UseDevice(arguments);
  LOG(INFO) << "This build runs on the CPU: " << omp_get_num_procs() << " processor(s), "
            << omp_get_max_threads() << " thread(s) to a layer. It has no CUDA.";
  return 0;
}

}  // namespace

Subcommand DeviceQueryCommand() {
  Subcommand command;
  command.name = "device_query";
  command.summary = "show what this build can run on";
  command.usage = "[-gpu IDS]";
  command.examples = "  caffe device_query\n";
  command.flags = {{"gpu", Flag::kString, "", "the devices to show; this build has no CUDA"}};
  command.run = DeviceQuery;
  return command;
}

}  // namespace caffe
