#ifndef CAFFE_COMMON_HPP_
#define CAFFE_COMMON_HPP_

#include <climits>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "caffe/util/device_alternate.hpp"
#include "caffe/util/logging.hpp"

#define DISABLE_COPY_AND_ASSIGN(classname) \
 private:                                  \
  classname(const classname&) = delete;    \
  classname& operator=(const classname&) = delete

/** Instantiates a class for float and double, at the end of its .cpp. */
#define INSTANTIATE_CLASS(classname)   \
  char gInstantiationGuard##classname; \
  template class classname<float>;     \
  template class classname<double>

#define INSTANTIATE_LAYER_GPU_FORWARD(classname)                                  \
  template void classname<float>::Forward_gpu(const std::vector<Blob<float>*>&,   \
                                              const std::vector<Blob<float>*>&);  \
  template void classname<double>::Forward_gpu(const std::vector<Blob<double>*>&, \
                                               const std::vector<Blob<double>*>&)

#define INSTANTIATE_LAYER_GPU_BACKWARD(classname)                                  \
  template void classname<float>::Backward_gpu(const std::vector<Blob<float>*>&,   \
                                               const std::vector<bool>&,           \
                                               const std::vector<Blob<float>*>&);  \
  template void classname<double>::Backward_gpu(const std::vector<Blob<double>*>&, \
                                                const std::vector<bool>&,          \
                                                const std::vector<Blob<double>*>&)

#define INSTANTIATE_LAYER_GPU_FUNCS(classname) \
  INSTANTIATE_LAYER_GPU_FORWARD(classname);    \
  INSTANTIATE_LAYER_GPU_BACKWARD(classname)

#define NOT_IMPLEMENTED LOG(FATAL) << "not implemented yet"

namespace caffe {

// Caffe's own layers name these without a prefix.
using std::fstream;
using std::ios;
using std::isinf;
using std::isnan;
using std::iterator;
using std::make_pair;
using std::map;
using std::ostringstream;
using std::pair;
using std::set;
using std::shared_ptr;
using std::string;
using std::stringstream;
using std::vector;

/** @brief Accepted for Caffe's tools; flags are read by the caffe command itself. */
void GlobalInit(int* pargc, char*** pargv);

/** @brief A seed that differs from run to run. */
int64_t cluster_seedgen();

/**
 * @brief The state of the calling thread: mode, random numbers, solver rank.
 *
 * A thread that draws random numbers seeds its own generator (data workers do
 * it from the record's index), so that results do not depend on scheduling.
 */
class Caffe {
 public:
  ~Caffe() = default;
  static Caffe& Get();

  enum Brew { CPU, GPU };

  /** @brief A source of random numbers; copies share their state, as in Caffe. */
  class RNG {
   public:
    RNG();
    explicit RNG(unsigned int seed);
    explicit RNG(const RNG&) = default;
    RNG& operator=(const RNG&) = default;
    /** @return a std::mt19937*, untyped as in Caffe; caffe_rng() in util/rng.hpp has the type. */
    void* generator() { return generator_.get(); }

   private:
    std::shared_ptr<std::mt19937> generator_;
  };

  static RNG& rng_stream();
  static Brew mode() { return Get().mode_; }
  /** @throws Error for GPU, in a build without CUDA. */
  static void set_mode(Brew mode);
  static void set_random_seed(const unsigned int seed);
  /** @brief The generator's state as text, and back: what a snapshot keeps. */
  static std::string random_state();
  static void set_random_state(const std::string& state);
  static void SetDevice(const int device_id);
  static void DeviceQuery();
  static bool CheckDevice(const int device_id);
  static int FindDevice(const int start_id = 0);

  static int solver_count() { return Get().solver_count_; }
  static void set_solver_count(int count) { Get().solver_count_ = count; }
  static int solver_rank() { return Get().solver_rank_; }
  static void set_solver_rank(int rank) { Get().solver_rank_ = rank; }
  static bool root_solver() { return Get().solver_rank_ == 0; }
  static void set_root_solver(bool is_root) { Get().solver_rank_ = is_root ? 0 : 1; }
  static bool multiprocess() { return Get().multiprocess_; }
  static void set_multiprocess(bool value) { Get().multiprocess_ = value; }

 private:
  Caffe() = default;
  std::shared_ptr<RNG> random_generator_;
  Brew mode_ = CPU;
  int solver_count_ = 1;
  int solver_rank_ = 0;
  bool multiprocess_ = false;
  DISABLE_COPY_AND_ASSIGN(Caffe);
};

}  // namespace caffe

#endif  // CAFFE_COMMON_HPP_
