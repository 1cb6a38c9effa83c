#ifndef CAFFE_BACKEND_ONEDNN_FOLD_HPP_
#define CAFFE_BACKEND_ONEDNN_FOLD_HPP_

#include <memory>
#include <vector>

#include "caffe/backend/onednn_conv.hpp"
#include "caffe/backend/onednn_memory.hpp"
#include "caffe/backend/onednn_watch.hpp"
#include "caffe/layer.hpp"

namespace caffe {
namespace onednn {

/**
 * @brief A convolution's parameters with the layers after it folded in.
 *
 * BatchNorm with stored statistics, Scale and Bias with learned numbers for
 * each channel make a · x + s of a channel's x; of the convolution w ∗ x + b
 * that is (a · w) ∗ x + (a · b + s). a and s are computed in double.
 */
class FoldedParameters {
 public:
  /** @brief Folds `next` in after the others; false if it is no such layer of so many channels. */
  bool Add(Layer<float>* next, int channels);
  bool empty() const { return layers_.empty(); }
  /**
   * @brief Follows changes of any of the parameters. `own` are those of the convolution.
   * @return false if a folded one is not finite.
   */
  bool Update(const vector<shared_ptr<Blob<float>>>& own);
  /** @brief After Update: the folded weights as a pass wants them. */
  dnnl::memory Weights(const Blob<float>& own, const ConvPrimitive& pass);
  dnnl::memory Bias() const { return PlainMemory({static_cast<int>(bias_.size())}, bias_.data()); }

 private:
  struct Copy {
    std::optional<TileWeights> tiles;
    std::unique_ptr<OnednnMemory> memory;
    uint64_t version;
  };
  bool Changed(const vector<shared_ptr<Blob<float>>>& own);
  bool Compute(const vector<shared_ptr<Blob<float>>>& own);

  vector<Layer<float>*> layers_;
  vector<Watch> watches_;
  bool finite_ = false;
  uint64_t version_ = 0;    // of all that copies_ are made of
  vector<double> factors_;  // a
  vector<float> bias_;      // a · b + s
  vector<Copy> copies_;
};

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_BACKEND_ONEDNN_FOLD_HPP_
