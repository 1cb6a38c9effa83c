#ifndef CAFFE_SOLVERS_NUM_CLASSES_HPP_
#define CAFFE_SOLVERS_NUM_CLASSES_HPP_

#include "caffe/net.hpp"

namespace caffe {

/**
 * @brief Checks the net's number of classes against the label map of its data.
 *
 * The label map is the one that an AnnotatedData layer names in
 * annotated_data_param; a net without one, or whose file is not there, is not
 * checked. Layers with multibox_loss_param, detection_output_param or
 * detection_evaluate_param must have a num_classes above its largest label, so
 * that a mistake is found before the first iteration.
 * @throws Error naming the layer, both numbers and the file.
 */
template <typename Dtype>
void CheckNumClasses(const Net<Dtype>& net);

}  // namespace caffe

#endif  // CAFFE_SOLVERS_NUM_CLASSES_HPP_
