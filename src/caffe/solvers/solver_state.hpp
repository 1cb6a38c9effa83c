// The files of a solver's state.
#ifndef CAFFE_SOLVERS_SOLVER_STATE_HPP_
#define CAFFE_SOLVERS_SOLVER_STATE_HPP_

#include <string>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/**
 * @brief Writes a state, atomically. As HDF5: Caffe's datasets (iter,
 * learned_net, current_step, history/0 …), and the fields that Caffe does not
 * have as protobuf text in the dataset "progress".
 */
template <typename Dtype>
void WriteSolverState(const SolverState& state, const string& file,
                      SolverParameter::SnapshotFormat format);

/**
 * @brief Reads a state from a binary or HDF5 file, whichever it is.
 * @throws Error for any other kind of file (weights are named as such), for a
 * damaged one, and for one without the iteration or the weights' file.
 */
template <typename Dtype>
SolverState ReadSolverState(const string& file);

/** @throws Error unless the state has one blob of the right shape for each of `history`. */
template <typename Dtype>
void CheckHistory(const SolverState& state, const vector<shared_ptr<Blob<Dtype>>>& history,
                  const string& solver_type);

/**
 * @brief Where the state's weights are: at the stored path, or beside the state.
 * @throws Error naming both, if they are at neither.
 */
string FindLearnedNet(const SolverState& state, const string& state_file);

}  // namespace caffe

#endif  // CAFFE_SOLVERS_SOLVER_STATE_HPP_
