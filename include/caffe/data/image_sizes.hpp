#ifndef CAFFE_DATA_IMAGE_SIZES_HPP_
#define CAFFE_DATA_IMAGE_SIZES_HPP_

#include <string>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/detection/box.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/** @brief One line of a name_size_file: an image and its size in pixels. */
struct NamedSize {
  string name;
  int height;
  int width;
};

/**
 * @brief Reads lines of NAME HEIGHT WIDTH; the name may have blanks in it.
 * @throws Error with file and line for a line of another form, and for a file
 * that cannot be read or names no image.
 */
vector<NamedSize> ReadNameSizes(const string& path);

/**
 * @brief A box of a net's input as pixels of the image that it was made from.
 *
 * The box is clipped to the image. With `resize`, the resizing of the image is
 * undone: FIT_LARGE_SIZE_AND_PAD takes the padding off, and FIT_SMALL_SIZE with
 * height_scale and width_scale reads the box relative to that size, as in
 * Caffe-SSD.
 */
Box<float> ToImagePixels(const Box<float>& box, const NamedSize& image,
                         const ResizeParameter* resize);

/** @brief @throws Error for a resize_param that ToImagePixels cannot undo. */
void CheckUndoableResize(const ResizeParameter& resize);

}  // namespace caffe

#endif  // CAFFE_DATA_IMAGE_SIZES_HPP_
