#ifndef CAFFE_LAYER_FACTORY_HPP_
#define CAFFE_LAYER_FACTORY_HPP_

#include <map>
#include <string>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

template <typename Dtype>
class Layer;

/**
 * @brief Makes layers from their type names.
 *
 * REGISTER_LAYER_CLASS(Name) in NameLayer's .cpp adds the type "Name";
 * REGISTER_LAYER_CREATOR(Name, function) adds one made by a function. A
 * shared library that registers layers in the same way is loaded by LoadPlugin.
 *
 * A backend adds faster overrides of types that exist. CreateLayer asks them
 * first, unless the layer's parameters say `engine: CAFFE`, or the environment
 * says CAFFE_BACKEND=reference.
 */
template <typename Dtype>
class LayerRegistry {
 public:
  typedef shared_ptr<Layer<Dtype>> (*Creator)(const LayerParameter&);
  typedef std::map<string, Creator> CreatorRegistry;

  static CreatorRegistry& Registry();
  /** @throws Error if the type is registered already. */
  static void AddCreator(const string& type, Creator creator);
  /**
   * @brief Adds a faster implementation of a type: `creator` returns null for a layer that it
   * leaves to the plain one.
   * @throws Error if the type has an override already.
   */
  static void AddOverride(const string& type, Creator creator);
  /** @throws Error for an unknown type, naming the nearest known ones. */
  static shared_ptr<Layer<Dtype>> CreateLayer(const LayerParameter& param);
  static vector<string> LayerTypeList();

 private:
  LayerRegistry() = delete;
  static CreatorRegistry& Overrides();
};

template <typename Dtype>
class LayerRegisterer {
 public:
  LayerRegisterer(const string& type, typename LayerRegistry<Dtype>::Creator creator) {
    LayerRegistry<Dtype>::AddCreator(type, creator);
  }
};

/** @brief Adds an override for nets of floats when a static object of it is made. */
class OverrideRegisterer {
 public:
  OverrideRegisterer(const string& type, LayerRegistry<float>::Creator creator) {
    LayerRegistry<float>::AddOverride(type, creator);
  }
};

/**
 * @brief Loads a shared library whose static initializers register layers.
 * @return the types that it added.
 * @throws Error if it cannot be loaded (with the loader's reason), or adds none.
 */
vector<string> LoadPlugin(const string& path);

/** @brief Known words nearest to a misspelt one, by edit distance; for errors. */
vector<string> NearestNames(const string& word, const vector<string>& known, size_t most = 3);

}  // namespace caffe

#define REGISTER_LAYER_CREATOR(type, creator)                                       \
  static ::caffe::LayerRegisterer<float> g_creator_f_##type(#type, creator<float>); \
  static ::caffe::LayerRegisterer<double> g_creator_d_##type(#type, creator<double>)

#define REGISTER_LAYER_CLASS(type)                                                       \
  template <typename Dtype>                                                              \
  ::caffe::shared_ptr<Layer<Dtype>> Creator_##type##Layer(const LayerParameter& param) { \
    return ::caffe::shared_ptr<Layer<Dtype>>(new type##Layer<Dtype>(param));             \
  }                                                                                      \
  REGISTER_LAYER_CREATOR(type, Creator_##type##Layer)

#endif  // CAFFE_LAYER_FACTORY_HPP_
