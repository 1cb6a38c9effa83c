// What train, test and time have in common.
#ifndef CAFFE_TOOLS_NET_FLAGS_HPP_
#define CAFFE_TOOLS_NET_FLAGS_HPP_

#include <string>
#include <vector>

#include "caffe/proto/caffe.pb.h"
#include "tools/arguments.hpp"

namespace caffe {

/** @brief -gpu, -level, -stage and -precision, with `flags` before them. */
std::vector<Flag> WithNetFlags(std::vector<Flag> flags);

/** @brief Sets the mode: the CPU. @throws Error for -gpu, which this build cannot serve. */
void UseDevice(const Arguments& arguments);

/** @brief TRAIN or TEST from -phase, else `default_phase`. @throws Error for another word. */
Phase PhaseFrom(const Arguments& arguments, Phase default_phase);

/**
 * @brief Whether -precision is given, and what it says.
 * @throws Error for another word than fp32 or bf16.
 */
bool PrecisionFrom(const Arguments& arguments, Precision* precision);

/** @brief The net of -model, for this phase, -level and -stage; of -precision unless it says its
 * own. */
NetParameter ReadNet(const Arguments& arguments, Phase phase);

/** @brief The value of a flag that must be given. @throws Error naming it. */
std::string RequiredText(const Arguments& arguments, const std::string& flag);

}  // namespace caffe

#endif  // CAFFE_TOOLS_NET_FLAGS_HPP_
