#include "caffe/util/insert_splits.hpp"

#include <map>
#include <sstream>
#include <utility>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/layer_factory.hpp"

namespace caffe {

namespace {

typedef pair<int, int> TopIndex;  // (layer, top)

/** Who reads what: the uses of every top, and the source of every bottom. */
struct BlobUses {
  map<TopIndex, int> count;
  map<TopIndex, TopIndex> source_of_bottom;
  map<TopIndex, float> loss_weight;
};

TopIndex FindSource(const map<string, TopIndex>& newest, const LayerParameter& layer,
                    const string& bottom) {
  const auto source = newest.find(bottom);
  if (source != newest.end()) return source->second;
  vector<string> known;
  for (const auto& entry : newest) known.push_back(entry.first);
  std::ostringstream nearest;
  for (const string& name : NearestNames(bottom, known)) nearest << " " << name;
  throw Error("bottom blob \"" + bottom + "\" is not the top of an earlier layer" +
                  (known.empty() ? "" : "; the nearest are" + nearest.str()),
              "", layer.name() + " (" + layer.type() + ")");
}

BlobUses CountUses(const NetParameter& param) {
  BlobUses uses;
  map<string, TopIndex> newest;  // an in-place layer makes a newer blob of the same name
  for (int i = 0; i < param.layer_size(); ++i) {
    const LayerParameter& layer = param.layer(i);
    for (int j = 0; j < layer.bottom_size(); ++j) {
      const TopIndex source = FindSource(newest, layer, layer.bottom(j));
      uses.source_of_bottom[{i, j}] = source;
      ++uses.count[source];
    }
    for (int j = 0; j < layer.top_size(); ++j) newest[layer.top(j)] = {i, j};
    for (int j = 0; j < std::min(layer.loss_weight_size(), layer.top_size()); ++j) {
      if (layer.loss_weight(j) == 0) continue;
      uses.loss_weight[{i, j}] = layer.loss_weight(j);
      ++uses.count[{i, j}];
    }
  }
  return uses;
}

void AddSplitLayer(const LayerParameter& layer, int top_index, int num_splits, float loss_weight,
                   LayerParameter* split) {
  const string& blob = layer.top(top_index);
  split->set_name(SplitLayerName(layer.name(), blob, top_index));
  split->set_type("Split");
  split->add_bottom(blob);
  for (int k = 0; k < num_splits; ++k) {
    split->add_top(SplitBlobName(layer.name(), blob, top_index, k));
    if (loss_weight != 0) split->add_loss_weight(k == 0 ? loss_weight : 0);
  }
}

}  // namespace

void InsertSplits(const NetParameter& param, NetParameter* param_split) {
  const BlobUses uses = CountUses(param);
  map<TopIndex, int> next_split;
  NetParameter split(param);  // apart: the caller may pass the same message twice
  split.clear_layer();
  const auto num_uses = [&uses](const TopIndex& top) {
    const auto found = uses.count.find(top);
    return found == uses.count.end() ? 0 : found->second;
  };
  for (int i = 0; i < param.layer_size(); ++i) {
    LayerParameter* layer = split.add_layer();
    layer->CopyFrom(param.layer(i));
    for (int j = 0; j < layer->bottom_size(); ++j) {
      const TopIndex top = uses.source_of_bottom.at({i, j});
      if (num_uses(top) < 2) continue;
      layer->set_bottom(j, SplitBlobName(param.layer(top.first).name(), param.layer(i).bottom(j),
                                         top.second, next_split[top]++));
    }
    const int producer = split.layer_size() - 1;
    for (int j = 0; j < param.layer(i).top_size(); ++j) {
      if (num_uses({i, j}) < 2) continue;
      const auto weight = uses.loss_weight.find({i, j});
      float loss_weight = 0;
      if (weight != uses.loss_weight.end()) {
        // The loss moves to the first copy, which no bottom reads.
        loss_weight = weight->second;
        split.mutable_layer(producer)->set_loss_weight(j, 0);
        next_split[{i, j}] = 1;
      }
      AddSplitLayer(param.layer(i), j, num_uses({i, j}), loss_weight, split.add_layer());
    }
  }
  param_split->Swap(&split);
}

string SplitLayerName(const string& layer_name, const string& blob_name, int blob_index) {
  return blob_name + "_" + layer_name + "_" + std::to_string(blob_index) + "_split";
}

string SplitBlobName(const string& layer_name, const string& blob_name, int blob_index,
                     int split_index) {
  return SplitLayerName(layer_name, blob_name, blob_index) + "_" + std::to_string(split_index);
}

}  // namespace caffe
