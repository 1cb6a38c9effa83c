// From its third step on, training takes no large memory from the heap: what layers need they have.
#include <cerrno>
#include <cstddef>

#include "caffe/backend/onednn.hpp"
#include "caffe/sgd_solvers.hpp"
#include "test_util.hpp"

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CAFFE_COUNTS_ALLOCATIONS 1

namespace {

/** Counts calls for so much memory and more, by any thread, while it is on. */
struct LargeAllocations {
  volatile bool on = false;
  size_t large = 4096;
  int count = 0;
  size_t largest = 0;

  void Note(size_t size) {
    if (!on || size < large) return;
    __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
    if (size > largest) largest = size;
  }
};

LargeAllocations g_large;

}  // namespace

// The names of glibc's own functions, in whose place those below step; operator new calls malloc.
extern "C" {
void* __libc_malloc(size_t size);                      // NOLINT
void* __libc_calloc(size_t count, size_t size);        // NOLINT
void* __libc_realloc(void* memory, size_t size);       // NOLINT
void* __libc_memalign(size_t alignment, size_t size);  // NOLINT

void* malloc(size_t size) {
  g_large.Note(size);
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  g_large.Note(count * size);
  return __libc_calloc(count, size);
}
void* realloc(void* memory, size_t size) {
  g_large.Note(size);
  return __libc_realloc(memory, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  g_large.Note(size);
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, size_t alignment, size_t size) {
  g_large.Note(size);
  *memory = __libc_memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}
}

#endif

namespace caffe {

#ifdef CAFFE_COUNTS_ALLOCATIONS

namespace {

string Conv(const string& name, const string& bottom, const string& fields) {
  return "layer { name: '" + name + "' type: 'Convolution' bottom: '" + bottom + "' top: '" + name +
         "' convolution_param { weight_filler { type: 'xavier' } " + fields + " } }\n";
}

string Then(const string& type, const string& bottom, const string& top,
            const string& fields = "") {
  return "layer { name: '" + top + "_" + type + "' type: '" + type + "' bottom: '" + bottom +
         "' top: '" + top + "' " + fields + " }\n";
}

string Head(const string& source, const string& kind, int channels) {
  const string name = source + "_" + kind;
  return Conv(name, source, "num_output: " + std::to_string(channels) + " kernel_size: 3 pad: 1") +
         Then("Permute", name, name + "_perm", "permute_param { order: [0, 2, 3, 1] }") +
         Then("Flatten", name + "_perm", name + "_flat");
}

string Joined(const string& kind, const string& axis) {
  return "layer { name: '" + kind + "' type: 'Concat' bottom: 'norm_" + kind + "' bottom: 'conv3_" +
         kind + "' top: 'mbox_" + kind + "' concat_param { axis: " + axis + " } }\n";
}

string Priors(const string& source) {
  return "layer { name: '" + source + "_prior' type: 'PriorBox' bottom: '" + source +
         "' bottom: 'data' top: '" + source +
         "_prior' prior_box_param { min_size: 20 aspect_ratio: 2 flip: true variance: 0.1 } }\n";
}

/** Two levels with heads, normalized features, batch norm, and a loss: all that SSD is made of. */
string SsdNet() {
  string net =
      "layer { name: 'data' type: 'Input' top: 'data' top: 'label' input_param { shape { dim: 2 "
      "dim: 3 dim: 64 dim: 64 } shape { dim: 1 dim: 1 dim: 2 dim: 8 } } }\n";
  net += Conv("conv1", "data", "num_output: 32 kernel_size: 3 pad: 1") +
         Then("ReLU", "conv1", "conv1") +
         Then("Pooling", "conv1", "pool1", "pooling_param { kernel_size: 4 stride: 4 }") +
         Conv("conv2", "pool1", "num_output: 48 kernel_size: 3 pad: 1 stride: 2") +
         Then("BatchNorm", "conv2", "conv2") +
         Then("Scale", "conv2", "conv2", "scale_param { bias_term: true }") +
         Then("ReLU", "conv2", "conv2") +
         Then("Normalize", "conv2", "norm", "norm_param { across_spatial: false }") +
         Conv("conv3", "conv2", "num_output: 64 kernel_size: 3 pad: 1 stride: 2") +
         Then("ReLU", "conv3", "conv3");
  for (const string& source : {string("norm"), string("conv3")}) {
    net += Head(source, "loc", 3 * 4) + Head(source, "conf", 3 * 5) + Priors(source);
  }
  string joined = Joined("loc", "1") + Joined("conf", "1") + Joined("prior", "2");
  for (const string& kind : {string("loc"), string("conf")}) {
    for (const string& source : {string("norm_"), string("conv3_")}) {
      const string bottom = "bottom: '" + source + kind + "'";
      joined.replace(joined.find(bottom), bottom.size(), "bottom: '" + source + kind + "_flat'");
    }
  }
  return net + joined +
         "layer { name: 'loss' type: 'MultiBoxLoss' bottom: 'mbox_loc' bottom: 'mbox_conf' bottom: "
         "'mbox_prior' bottom: 'label' top: 'loss' propagate_down: [true, true, false, false] "
         "multibox_loss_param { "
         "num_classes: 5 } loss_param { normalization: VALID } }\n";
}

shared_ptr<SGDSolver<float>> SsdSolver(const string& precision) {
  SolverParameter param;
  const string text =
      "base_lr: 0.001 lr_policy: 'fixed' momentum: 0.9 weight_decay: 0.0005 "
      "max_iter: 100 precision: " +
      precision + " train_net_param { " + SsdNet() + " }";
  CHECK(google::protobuf::TextFormat::ParseFromString(text, &param)) << text;
  auto solver = std::make_shared<SGDSolver<float>>(param);
  const vector<float> label = {0, 1, 0, 0.1F, 0.1F, 0.5F, 0.5F, 0,
                               1, 3, 0, 0.4F, 0.3F, 0.9F, 0.8F, 0};
  SetValues(label, solver->net()->blob_by_name("label").get());
  Blob<float>* data = solver->net()->blob_by_name("data").get();
  SetValues(RandomValues<float>(data->count(), 1), data);
  return solver;
}

}  // namespace

TEST(OnednnSteadyMemoryTest, TrainingTakesNoLargeMemoryAfterItsFirstSteps) {
  const auto avx2 = static_cast<unsigned>(dnnl::cpu_isa::avx2);
  if ((static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & avx2) != avx2) {
    GTEST_SKIP() << "without AVX2 oneDNN convolves by matrix products, which take memory";
  }
  for (const string& precision : {string("FP32"), string("BF16")}) {
    for (const bool release : {false, true}) {
      const shared_ptr<SGDSolver<float>> solver = SsdSolver(precision);
      solver->set_release_memory(release);
      solver->Step(3);
      g_large = LargeAllocations();
      // A net that gives memory back gets from the heap what is too small for its pool.
      if (release) g_large.large = size_t{64} << 10;
      g_large.on = true;
      solver->Step(2);
      g_large.on = false;
      EXPECT_EQ(g_large.count, 0) << precision << (release ? ", memory released" : "")
                                  << ": the largest of " << g_large.largest << " bytes";
    }
  }
}

/** That the counter counts. */
TEST(OnednnSteadyMemoryTest, LargeMemoryIsNoticed) {
  g_large = LargeAllocations();
  g_large.on = true;
  vector<char> large(g_large.large);
  Blob<float> blob({1024});
  blob.mutable_cpu_data()[0] = static_cast<float>(large[0]);
  g_large.on = false;
  EXPECT_EQ(g_large.count, 2);
}

#endif

}  // namespace caffe
