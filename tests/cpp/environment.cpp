// What all tests run with: nothing that depends on the machine's speed or on files of its user.
#include <cstdlib>

namespace {

const int g_no_measurement = setenv("CAFFE_CONV_ALGORITHM", "default", 0);

}  // namespace
