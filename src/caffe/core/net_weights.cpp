// A net's parameters: shared with another net, read and written.
#include <algorithm>

#include "caffe/net.hpp"
#include "caffe/util/hdf5.hpp"
#include "caffe/util/upgrade_proto.hpp"

namespace caffe {

namespace {

string Join(const vector<string>& words) {
  string joined;
  for (const string& word : words) joined += (joined.empty() ? "" : ", ") + word;
  return joined;
}

}  // namespace

string WeightsReport::Summary() const {
  std::ostringstream out;
  out << loaded.size() << " layer(s) loaded";
  if (!missing.empty()) out << "; not in the file: " << Join(missing);
  if (!skipped.empty()) out << "; only in the file: " << Join(skipped);
  if (!mismatched.empty()) out << "; other shapes, left as they were: " << Join(mismatched);
  return out.str();
}

template <typename Dtype>
const Layer<Dtype>* Net<Dtype>::FindLayer(const string& name) const {
  const auto found = layer_names_index_.find(name);
  return found == layer_names_index_.end() ? nullptr : layers_[found->second].get();
}

template <typename Dtype>
void Net<Dtype>::ShareTrainedLayersWith(const Net* other) {
  for (const auto& source : other->layers_) {
    const auto found = layer_names_index_.find(source->layer_param().name());
    if (found == layer_names_index_.end()) continue;
    Layer<Dtype>& target = *layers_[found->second];
    CHECK(target.blobs().size() == source->blobs().size())
        << target.Who() << ": has " << target.blobs().size()
        << " parameter blob(s), the layer of that name in the other net " << source->blobs().size();
    for (size_t i = 0; i < source->blobs().size(); ++i) {
      CHECK(target.blobs()[i]->shape() == source->blobs()[i]->shape())
          << target.Who() << ": parameter " << i << " has the shape "
          << target.blobs()[i]->shape_string() << ", in the other net "
          << source->blobs()[i]->shape_string();
      target.blobs()[i]->ShareData(*source->blobs()[i]);
    }
  }
}

namespace {

/** "" if the stored blobs fit the layer's, else both shapes, or counts. */
template <typename Dtype>
string Mismatch(Layer<Dtype>* layer, const LayerParameter& stored) {
  const auto& blobs = layer->blobs();
  std::ostringstream out;
  if (static_cast<int>(blobs.size()) != stored.blobs_size()) {
    out << layer->layer_param().name() << ": net " << blobs.size() << " blob(s), file "
        << stored.blobs_size();
    return out.str();
  }
  for (int i = 0; i < stored.blobs_size(); ++i) {
    if (blobs[i]->ShapeEquals(stored.blobs(i))) continue;
    Blob<Dtype> shape_of_stored;
    BlobProto no_values(stored.blobs(i));
    no_values.clear_data();
    no_values.clear_diff();
    vector<int> shape(no_values.shape().dim().begin(), no_values.shape().dim().end());
    if (no_values.has_num() || no_values.has_channels()) {
      shape = {no_values.num(), no_values.channels(), no_values.height(), no_values.width()};
    }
    shape_of_stored.Reshape(shape);
    out << layer->layer_param().name() << "[" << i << "]: net " << blobs[i]->shape_string()
        << ", file " << shape_of_stored.shape_string();
    return out.str();
  }
  return "";
}

}  // namespace

template <typename Dtype>
WeightsReport Net<Dtype>::CopyTrainedLayersFrom(const NetParameter& param, bool skip_mismatched) {
  WeightsReport report;
  vector<const LayerParameter*> fitting;
  std::set<string> in_file;
  for (const LayerParameter& stored : param.layer()) {
    if (stored.blobs_size() == 0) continue;
    in_file.insert(stored.name());
    const auto found = layer_names_index_.find(stored.name());
    if (found == layer_names_index_.end()) {
      report.skipped.push_back(stored.name());
      continue;
    }
    const string mismatch = Mismatch(layers_[found->second].get(), stored);
    if (mismatch.empty()) {
      fitting.push_back(&stored);
    } else {
      report.mismatched.push_back(mismatch);
    }
  }
  CHECK(report.mismatched.empty() || skip_mismatched)
      << "the weights do not fit the net: " << Join(report.mismatched)
      << ". Rename these layers to train them anew, or skip what does not fit";
  for (const LayerParameter* stored : fitting) {
    auto& blobs = layers_[layer_names_index_.at(stored->name())]->blobs();
    for (int i = 0; i < stored->blobs_size(); ++i) {
      try {
        blobs[i]->FromProto(stored->blobs(i), false);
      } catch (const Error& error) {
        throw error.By(stored->name() + ", blob " + std::to_string(i));
      }
    }
    report.loaded.push_back(stored->name());
  }
  for (const auto& layer : layers_) {
    const string& layer_name = layer->layer_param().name();
    if (!layer->blobs().empty() && in_file.count(layer_name) == 0) {
      report.missing.push_back(layer_name);
    }
  }
  return report;
}

namespace {

/**
 * Adds a layer for every group that holds the datasets 0, 1, …; a layer's name
 * may contain slashes, so its group may lie deeper.
 */
template <typename Dtype>
void ReadHDF5Layers(hid_t group, const string& name, NetParameter* param) {
  LayerParameter layer;
  layer.set_name(name);
  while (hdf5_has(group, std::to_string(layer.blobs_size()))) {
    Blob<Dtype> blob;
    const string dataset = std::to_string(layer.blobs_size());
    hdf5_load_nd_dataset<Dtype>(group, dataset.c_str(), 0, kMaxBlobAxes, &blob, true);
    blob.ToProto(layer.add_blobs());
  }
  if (layer.blobs_size() > 0) {
    param->add_layer()->Swap(&layer);
    return;
  }
  for (int i = 0; i < hdf5_get_num_links(group); ++i) {
    const string link = hdf5_get_name_by_idx(group, i);
    const Hdf5Handle child = hdf5_open_group(group, link);
    string path = name;
    if (!path.empty()) path += '/';
    ReadHDF5Layers<Dtype>(child.get(), path.append(link), param);
  }
}

template <typename Dtype>
void ReadHDF5Weights(const string& filename, NetParameter* param) {
  const Hdf5Handle file = hdf5_open_file(filename);
  const Hdf5Handle data = hdf5_open_group(file.get(), "data");
  ReadHDF5Layers<Dtype>(data.get(), "", param);
  if (param->layer_size() == 0) throw Error("holds no weights under /data", "", filename);
}

}  // namespace

template <typename Dtype>
void Net<Dtype>::ReadWeights(const string& filename, NetParameter* weights) {
  if (hdf5_is_hdf5(filename)) {
    ReadHDF5Weights<Dtype>(filename, weights);
  } else {
    ReadNetParamsFromBinaryFileOrDie(filename, weights);
  }
}

template <typename Dtype>
WeightsReport Net<Dtype>::CopyTrainedLayersFrom(const string& trained_filename,
                                                bool skip_mismatched) {
  NetParameter param;
  ReadWeights(trained_filename, &param);
  try {
    return CopyTrainedLayersFrom(param, skip_mismatched);
  } catch (const Error& error) {
    throw error.By(trained_filename);
  }
}

template <typename Dtype>
void Net<Dtype>::CopyTrainedLayersFromBinaryProto(const string& trained_filename) {
  NetParameter param;
  ReadNetParamsFromBinaryFileOrDie(trained_filename, &param);
  CopyTrainedLayersFrom(param);
}

template <typename Dtype>
void Net<Dtype>::CopyTrainedLayersFromHDF5(const string& trained_filename) {
  NetParameter param;
  ReadHDF5Weights<Dtype>(trained_filename, &param);
  CopyTrainedLayersFrom(param);
}

template <typename Dtype>
void Net<Dtype>::ToProto(NetParameter* param, bool write_diff) const {
  param->Clear();
  param->set_name(name_);
  for (const auto& layer : layers_) {
    layer->ToProto(param->add_layer(), write_diff);
    // It is a matter of this run, and other readers of the file do not know it.
    param->mutable_layer()->rbegin()->clear_precision();
  }
}

namespace {

/** Creates the groups of a path one by one; they may exist. */
Hdf5Handle OpenOrCreateGroups(hid_t location, const string& path) {
  const size_t slash = path.find('/');
  const string first = path.substr(0, slash);
  Hdf5Handle group = hdf5_has(location, first) ? hdf5_open_group(location, first)
                                               : hdf5_create_group(location, first);
  return slash == string::npos ? std::move(group)
                               : OpenOrCreateGroups(group.get(), path.substr(slash + 1));
}

}  // namespace

template <typename Dtype>
void Net<Dtype>::ToHDF5(const string& filename, bool write_diff) const {
  Hdf5Writer writer(filename);
  for (size_t i = 0; i < params_.size(); ++i) {
    const string& layer = layer_names_[param_layer_indices_[i].first];
    const string dataset = std::to_string(param_layer_indices_[i].second);
    // Unlike Caffe, also for a parameter shared with an earlier layer: the file is complete.
    const Hdf5Handle data = OpenOrCreateGroups(writer.id(), "data/" + layer);
    hdf5_save_nd_dataset<Dtype>(data.get(), dataset, *params_[i]);
    if (write_diff) {
      const Hdf5Handle group = OpenOrCreateGroups(writer.id(), "diff/" + layer);
      hdf5_save_nd_dataset<Dtype>(group.get(), dataset, *params_[i], true);
    }
  }
  writer.Commit();
}

#define CAFFE_INSTANTIATE_NET_WEIGHTS(Dtype)                                           \
  template const Layer<Dtype>* Net<Dtype>::FindLayer(const string&) const;             \
  template void Net<Dtype>::ShareTrainedLayersWith(const Net*);                        \
  template WeightsReport Net<Dtype>::CopyTrainedLayersFrom(const NetParameter&, bool); \
  template WeightsReport Net<Dtype>::CopyTrainedLayersFrom(const string&, bool);       \
  template void Net<Dtype>::ReadWeights(const string&, NetParameter*);                 \
  template void Net<Dtype>::CopyTrainedLayersFromBinaryProto(const string&);           \
  template void Net<Dtype>::CopyTrainedLayersFromHDF5(const string&);                  \
  template void Net<Dtype>::ToProto(NetParameter*, bool) const;                        \
  template void Net<Dtype>::ToHDF5(const string&, bool) const
CAFFE_INSTANTIATE_NET_WEIGHTS(float);
CAFFE_INSTANTIATE_NET_WEIGHTS(double);

}  // namespace caffe
