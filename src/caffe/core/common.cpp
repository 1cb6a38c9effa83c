#include "caffe/common.hpp"

#include <unistd.h>

#include <chrono>

#include "caffe/util/rng.hpp"

namespace caffe {

void GlobalInit(int* /*pargc*/, char*** /*pargv*/) {}

int64_t cluster_seedgen() {
  const int64_t now = std::chrono::system_clock::now().time_since_epoch().count();
  const int64_t entropy = std::random_device{}();
  return (now ^ (static_cast<int64_t>(getpid()) << 20U) ^ entropy) & 0x7fffffff;
}

Caffe& Caffe::Get() {
  thread_local Caffe state;
  return state;
}

Caffe::RNG::RNG() : RNG(static_cast<unsigned int>(cluster_seedgen())) {}

Caffe::RNG::RNG(unsigned int seed) : generator_(std::make_shared<std::mt19937>(seed)) {}

Caffe::RNG& Caffe::rng_stream() {
  if (!Get().random_generator_) Get().random_generator_ = std::make_shared<RNG>();
  return *Get().random_generator_;
}

void Caffe::set_random_seed(const unsigned int seed) {
  Get().random_generator_ = std::make_shared<RNG>(seed);
}

std::string Caffe::random_state() {
  std::ostringstream out;
  out << *caffe_rng();
  return out.str();
}

void Caffe::set_random_state(const std::string& state) {
  std::istringstream in(state);
  std::mt19937 generator;
  in >> generator;
  CHECK(!in.fail()) << "the stored state of the random generator is damaged";
  *caffe_rng() = generator;
}

#ifdef CPU_ONLY

void Caffe::set_mode(Brew mode) {
  if (mode == GPU) NO_GPU;
  Get().mode_ = mode;
}

void Caffe::SetDevice(const int /*device_id*/) { NO_GPU; }

void Caffe::DeviceQuery() { NO_GPU; }

bool Caffe::CheckDevice(const int /*device_id*/) { return false; }

int Caffe::FindDevice(const int /*start_id*/) { return -1; }

#else
#error "CUDA is not supported by this release: configure with CPU_ONLY"
#endif

}  // namespace caffe
