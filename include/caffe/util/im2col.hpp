#ifndef CAFFE_UTIL_IM2COL_HPP_
#define CAFFE_UTIL_IM2COL_HPP_

namespace caffe {

// Names and arguments are Caffe's, whose layers call these; hence their number.

/**
 * @brief Unfolds one image into the columns that turn a convolution into a matrix product.
 *
 * data_im is channels × height × width. data_col is
 * (channels · kernel_h · kernel_w) × (out_h · out_w), where
 * col[(c, i, j), (y, x)] = im[c, y · stride_h − pad_h + i · dilation_h, x · …],
 * and zero where that lies in the padding. The output size is
 * ⌊(height + 2 pad_h − dilation_h (kernel_h − 1) − 1) / stride_h⌋ + 1, and so for the width.
 */
template <typename Dtype>
void im2col_cpu(const Dtype* data_im, const int channels, const int height, const int width,
                const int kernel_h, const int kernel_w, const int pad_h, const int pad_w,
                const int stride_h, const int stride_w, const int dilation_h, const int dilation_w,
                Dtype* data_col);

/**
 * @brief im2col_cpu for any number ≥ 1 of spatial axes.
 * @param im_shape  channels, then the image's spatial axes
 * @param col_shape channels · Π kernel_shape, then the output's spatial axes
 */
template <typename Dtype>
void im2col_nd_cpu(const Dtype* data_im, const int num_spatial_axes, const int* im_shape,
                   const int* col_shape, const int* kernel_shape, const int* pad, const int* stride,
                   const int* dilation, Dtype* data_col);

/**
 * @brief The transpose of im2col_cpu: each image element becomes the sum of the
 * column elements that im2col_cpu would make of it. data_im is overwritten.
 */
template <typename Dtype>
void col2im_cpu(const Dtype* data_col, const int channels, const int height, const int width,
                const int kernel_h, const int kernel_w, const int pad_h, const int pad_w,
                const int stride_h, const int stride_w, const int dilation_h, const int dilation_w,
                Dtype* data_im);

/** @brief col2im_cpu for any number ≥ 1 of spatial axes; shapes as for im2col_nd_cpu. */
template <typename Dtype>
void col2im_nd_cpu(const Dtype* data_col, const int num_spatial_axes, const int* im_shape,
                   const int* col_shape, const int* kernel_shape, const int* pad, const int* stride,
                   const int* dilation, Dtype* data_im);

}  // namespace caffe

#endif  // CAFFE_UTIL_IM2COL_HPP_
