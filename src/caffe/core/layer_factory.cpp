#include "caffe/layer_factory.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "caffe/layer.hpp"

namespace caffe {

template <typename Dtype>
typename LayerRegistry<Dtype>::CreatorRegistry& LayerRegistry<Dtype>::Registry() {
  static CreatorRegistry* registry = new CreatorRegistry;  // outlives every static registerer
  return *registry;
}

namespace {

/** Types that a plugin being loaded registered twice: dlopen cannot pass an exception on. */
vector<string>* g_plugin_duplicates = nullptr;

}  // namespace

template <typename Dtype>
void LayerRegistry<Dtype>::AddCreator(const string& type, Creator creator) {
  if (Registry().emplace(type, creator).second) return;
  CHECK(g_plugin_duplicates != nullptr) << "layer type \"" << type << "\" is registered already";
  g_plugin_duplicates->push_back(type);
}

template <typename Dtype>
typename LayerRegistry<Dtype>::CreatorRegistry& LayerRegistry<Dtype>::Overrides() {
  static CreatorRegistry* overrides = new CreatorRegistry;
  return *overrides;
}

template <typename Dtype>
void LayerRegistry<Dtype>::AddOverride(const string& type, Creator creator) {
  CHECK(Overrides().emplace(type, creator).second)
      << "layer type \"" << type << "\" has an override already";
}

namespace {

/** Whether the parameters, or the environment, ask for the plain implementation. */
bool AsksForReference(const LayerParameter& param) {
  const char* backend = std::getenv("CAFFE_BACKEND");
  if (backend != nullptr && string(backend) == "reference") return true;
  return param.convolution_param().engine() == ConvolutionParameter_Engine_CAFFE ||
         param.lrn_param().engine() == LRNParameter_Engine_CAFFE ||
         param.pooling_param().engine() == PoolingParameter_Engine_CAFFE ||
         param.relu_param().engine() == ReLUParameter_Engine_CAFFE ||
         param.softmax_param().engine() == SoftmaxParameter_Engine_CAFFE;
}

}  // namespace

template <typename Dtype>
shared_ptr<Layer<Dtype>> LayerRegistry<Dtype>::CreateLayer(const LayerParameter& param) {
  const auto entry = Registry().find(param.type());
  if (entry == Registry().end()) {
    std::ostringstream nearest;
    for (const string& name : NearestNames(param.type(), LayerTypeList())) nearest << " " << name;
    throw Error(
        "unknown layer type \"" + param.type() + "\"; the nearest known types are" + nearest.str(),
        "", param.name());
  }
  try {
    const auto faster = Overrides().find(param.type());
    if (faster != Overrides().end() && !AsksForReference(param)) {
      if (shared_ptr<Layer<Dtype>> layer = faster->second(param)) return layer;
    }
    return entry->second(param);
  } catch (const Error& error) {
    throw error.By(param.name() + " (" + param.type() + ")");
  }
}

template <typename Dtype>
vector<string> LayerRegistry<Dtype>::LayerTypeList() {
  vector<string> types;
  for (const auto& entry : Registry()) types.push_back(entry.first);
  return types;
}

vector<string> LoadPlugin(const string& path) {
  const vector<string> before = LayerRegistry<float>::LayerTypeList();
  // dlopen searches the system's folders for a name without a slash; a plugin is a file.
  const string file = path.find('/') == string::npos ? "./" + path : path;
  vector<string> duplicates;
  g_plugin_duplicates = &duplicates;
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  g_plugin_duplicates = nullptr;
  if (library == nullptr) throw Error(string("cannot load the plugin: ") + dlerror(), "", path);
  if (!duplicates.empty()) {
    throw Error("the layer type \"" + duplicates.front() + "\" is registered already", "", path);
  }
  vector<string> added;
  for (const string& type : LayerRegistry<float>::LayerTypeList()) {
    if (!std::binary_search(before.begin(), before.end(), type)) added.push_back(type);
  }
  if (added.empty()) throw Error("the plugin registers no layer", "", path);
  return added;
}

namespace {

size_t EditDistance(const string& a, const string& b) {
  vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t substituted = diagonal + (std::tolower(a[i]) == std::tolower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

vector<string> NearestNames(const string& word, const vector<string>& known, size_t most) {
  vector<pair<size_t, string>> ranked;
  for (const string& name : known) ranked.emplace_back(EditDistance(word, name), name);
  std::sort(ranked.begin(), ranked.end());
  vector<string> nearest;
  for (size_t i = 0; i < ranked.size() && i < most; ++i) nearest.push_back(ranked[i].second);
  return nearest;
}

INSTANTIATE_CLASS(LayerRegistry);

}  // namespace caffe
