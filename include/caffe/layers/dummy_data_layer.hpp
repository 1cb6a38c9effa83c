#ifndef CAFFE_DUMMY_DATA_LAYER_HPP_
#define CAFFE_DUMMY_DATA_LAYER_HPP_

#include <vector>

#include "caffe/filler.hpp"
#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief Tops filled by fillers; takes no bottom.
 *
 * `data_filler` is given once for all tops, once for each, or not at all
 * (zeros). A constant top is filled at setup alone, so values that the caller
 * writes there stay, as in Caffe; any other filler runs in each Forward.
 * Shapes come from `shape`, or from the deprecated 4-D `num`, `channels`,
 * `height`, `width`; each field once for all tops or once for each.
 * @throws Error for another number of fillers or shapes, or both forms of shape.
 */
template <typename Dtype>
class DummyDataLayer : public Layer<Dtype> {
 public:
  explicit DummyDataLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  /** @brief Nothing: the shapes are set once. */
  void Reshape(const vector<Blob<Dtype>*>& /*bottom*/,
               const vector<Blob<Dtype>*>& /*top*/) override {}

  const char* type() const override { return "DummyData"; }
  int ExactNumBottomBlobs() const override { return 0; }
  int MinTopBlobs() const override { return 1; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& /*top*/, const vector<bool>& /*propagate_down*/,
                    const vector<Blob<Dtype>*>& /*bottom*/) override {}

 private:
  void ShapeTops(const vector<Blob<Dtype>*>& top) const;
  void MakeFillers(int num_top);

  vector<shared_ptr<Filler<Dtype>>> fillers_;  ///< one for each top; tops may share one
  vector<bool> refill_;                        ///< whether the filler runs in every Forward
};

}  // namespace caffe

#endif  // CAFFE_DUMMY_DATA_LAYER_HPP_
