#ifndef CAFFE_TOOLS_COMMAND_HPP_
#define CAFFE_TOOLS_COMMAND_HPP_

namespace caffe {

/**
 * @brief The status by which CommandMain says that a net has Python layers and
 * that this process has no interpreter to run them; nothing was trained yet.
 */
const int kExitNeedsPython = 75;

/**
 * @brief The caffe command, as a function: `caffe train -solver FILE` and its kin.
 *
 * Errors are logged as one line; they never leave this function.
 * @return the exit status: 0, 1 for an error, or kExitNeedsPython.
 */
int CommandMain(int argc, char** argv);

}  // namespace caffe

#endif  // CAFFE_TOOLS_COMMAND_HPP_
