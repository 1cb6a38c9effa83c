#ifndef CAFFE_UTIL_UPGRADE_PROTO_H_
#define CAFFE_UTIL_UPGRADE_PROTO_H_

#include <string>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/*
 * Nets have been written in three formats: V0 (2013: `layers { layer { … } }`),
 * V1 (2014: `layers { type: CONVOLUTION }`) and today's (`layer { type:
 * "Convolution" }`). Older ones are brought up to date when they are read, with
 * a warning that says what was done.
 */

/**
 * @brief Reads a net and upgrades it.
 * @throws Error naming the file (and line and column) for whatever is wrong
 * with it, a file without any layer included.
 */
void ReadNetParamsFromTextFileOrDie(const string& param_file, NetParameter* param);
/** @brief The same for a .caffemodel; another kind of file is named for what it is. */
void ReadNetParamsFromBinaryFileOrDie(const string& param_file, NetParameter* param);
/**
 * @brief Reads a solver and upgrades it.
 *
 * Without a snapshot_prefix it gets the file's own path without the extension;
 * a prefix that is a folder gets the file's name added.
 */
void ReadSolverParamsFromTextFileOrDie(const string& param_file, SolverParameter* param);

/** @brief Whether UpgradeNetAsNeeded would change anything. */
bool NetNeedsUpgrade(const NetParameter& net_param);
/**
 * @brief Applies all of the upgrades below, each with a warning naming the file.
 * @return true; what cannot be upgraded is an Error that says what to do
 */
bool UpgradeNetAsNeeded(const string& param_file, NetParameter* param);

/** @name V0 to V1 */
///@{
bool NetNeedsV0ToV1Upgrade(const NetParameter& net_param);
/** @throws Error for a field that its layer type did not have, or an unknown type. */
bool UpgradeV0Net(const NetParameter& v0_net_param, NetParameter* net_param);
/** @brief Turns each V0 `padding` layer into the `pad` of the conv or pool layers it feeds. */
void UpgradeV0PaddingLayers(const NetParameter& param, NetParameter* param_upgraded_pad);
bool UpgradeV0LayerParameter(const V1LayerParameter& v0_layer_connection,
                             V1LayerParameter* layer_param);
V1LayerParameter_LayerType UpgradeV0LayerType(const string& type);
///@}

/** @name Data transformations that stood in the V1 data layers' own parameters */
///@{
bool NetNeedsDataUpgrade(const NetParameter& net_param);
/** @brief Moves scale, mean_file, crop_size and mirror to transform_param. */
void UpgradeNetDataTransformation(NetParameter* net_param);
///@}

/** @name V1 to today's format */
///@{
bool NetNeedsV1ToV2Upgrade(const NetParameter& net_param);
bool UpgradeV1Net(const NetParameter& v1_net_param, NetParameter* net_param);
bool UpgradeV1LayerParameter(const V1LayerParameter& v1_layer_param, LayerParameter* layer_param);
/** @brief "Convolution" for CONVOLUTION; "" for NONE. */
const char* UpgradeV1LayerType(const V1LayerParameter_LayerType type);
///@}

/** @name Inputs given as fields of the net (`input:`, `input_shape`, `input_dim`) */
///@{
bool NetNeedsInputUpgrade(const NetParameter& net_param);
/**
 * @brief Puts an Input layer named "input" before the others.
 *
 * Weights files of old carry the names of inputs without shapes; there the
 * names are dropped. In a net that has no weights that is an Error.
 */
void UpgradeNetInput(NetParameter* net_param);
///@}

/** @name BatchNorm layers that gave their three statistics learning rates */
///@{
bool NetNeedsBatchNormUpgrade(const NetParameter& net_param);
/** @brief Sets the rates of the statistics to 0: they are computed, not learned. */
void UpgradeNetBatchNorm(NetParameter* net_param);
///@}

/** @name Solvers: `solver_type: ADAM` to `type: "Adam"` */
///@{
bool SolverNeedsTypeUpgrade(const SolverParameter& solver_param);
bool UpgradeSolverType(SolverParameter* solver_param);
/** @brief Also upgrades the nets that the solver holds by itself (net_param and its kin). */
bool UpgradeSolverAsNeeded(const string& param_file, SolverParameter* param);
void UpgradeSnapshotPrefixProperty(const string& param_file, SolverParameter* param);
///@}

}  // namespace caffe

#endif  // CAFFE_UTIL_UPGRADE_PROTO_H_
