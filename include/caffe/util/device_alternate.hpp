#ifndef CAFFE_UTIL_DEVICE_ALTERNATE_HPP_
#define CAFFE_UTIL_DEVICE_ALTERNATE_HPP_

#ifdef CPU_ONLY

/** What a GPU method says in a build without CUDA. */
#define NO_GPU LOG(FATAL) << "this build has no CUDA: use CPU mode"

#define STUB_GPU(classname)                                                          \
  template <typename Dtype>                                                          \
  void classname<Dtype>::Forward_gpu(const std::vector<Blob<Dtype>*>& /*bottom*/,    \
                                     const std::vector<Blob<Dtype>*>& /*top*/) {     \
    NO_GPU;                                                                          \
  }                                                                                  \
  template <typename Dtype>                                                          \
  void classname<Dtype>::Backward_gpu(const std::vector<Blob<Dtype>*>& /*top*/,      \
                                      const std::vector<bool>& /*propagate_down*/,   \
                                      const std::vector<Blob<Dtype>*>& /*bottom*/) { \
    NO_GPU;                                                                          \
  }

#define STUB_GPU_FORWARD(classname, funcname)                                        \
  template <typename Dtype>                                                          \
  void classname<Dtype>::funcname##_gpu(const std::vector<Blob<Dtype>*>& /*bottom*/, \
                                        const std::vector<Blob<Dtype>*>& /*top*/) {  \
    NO_GPU;                                                                          \
  }

#define STUB_GPU_BACKWARD(classname, funcname)                                         \
  template <typename Dtype>                                                            \
  void classname<Dtype>::funcname##_gpu(const std::vector<Blob<Dtype>*>& /*top*/,      \
                                        const std::vector<bool>& /*propagate_down*/,   \
                                        const std::vector<Blob<Dtype>*>& /*bottom*/) { \
    NO_GPU;                                                                            \
  }

#else

#include <cuda.h>
#include <cuda_runtime.h>

#define CUDA_CHECK(call)                                                  \
  do {                                                                    \
    const cudaError_t cuda_status = (call);                               \
    CHECK(cuda_status == cudaSuccess) << cudaGetErrorString(cuda_status); \
  } while (0)

/** Strides over n elements with all threads of the grid. */
#define CUDA_KERNEL_LOOP(i, n) \
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < (n); i += blockDim.x * gridDim.x)

#define CUDA_POST_KERNEL_CHECK CUDA_CHECK(cudaPeekAtLastError())

namespace caffe {
const int CAFFE_CUDA_NUM_THREADS = 512;
inline int CAFFE_GET_BLOCKS(const int n) {
  return (n + CAFFE_CUDA_NUM_THREADS - 1) / CAFFE_CUDA_NUM_THREADS;
}
}  // namespace caffe

#endif  // CPU_ONLY

#endif  // CAFFE_UTIL_DEVICE_ALTERNATE_HPP_
