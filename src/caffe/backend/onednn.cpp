#include "caffe/backend/onednn.hpp"

#include <cstdlib>
#include <memory>
#include <utility>

#include "caffe/util/memory_pool.hpp"

namespace caffe {
namespace onednn {

namespace {

constexpr size_t kPage = 4096;

/** Memory that grows; its contents are lost when it does. */
class Arena {
 public:
  void* Reserve(size_t size) {
    if (size <= size_) return memory_.get();
    memory_.reset();  // first, so that both are never there
    size_ = (size + kPage - 1) / kPage * kPage;
    memory_.reset(std::aligned_alloc(kPage, size_));
    CHECK(memory_ != nullptr) << "out of memory: cannot allocate " << size_ << " bytes";
    return memory_.get();
  }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  std::unique_ptr<void, Free> memory_;
  size_t size_ = 0;
};

dnnl::stream& ThreadStream() {
  thread_local dnnl::stream stream(Engine());
  return stream;
}

}  // namespace

const dnnl::engine& Engine() {
  // Outlives every static object that still holds memory.
  static const dnnl::engine* engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *engine;
}

bool HasBf16() {
  // Each set of instructions has the bits of those that it includes.
  const auto bits = [](dnnl::cpu_isa isa) { return static_cast<unsigned>(isa); };
  const unsigned wanted = bits(dnnl::cpu_isa::avx512_core_bf16);
  return (bits(dnnl::get_effective_cpu_isa()) & wanted) == wanted;
}

ElementType ActivationType(Precision precision) {
  if (precision != BF16) return ElementType::f32;
  if (HasBf16()) return ElementType::bf16;
  static const bool told = [] {
    LOG(WARNING) << "precision is BF16, but this processor has no instructions for it (avx512_bf16 "
                 << "or AMX): computing with floats";
    return true;
  }();
  static_cast<void>(told);
  return ElementType::f32;
}

Dims DimsOf(const Layout& layout) {
#if DNNL_VERSION_MAJOR >= 3
  return layout.get_dims();
#else
  return layout.dims();
#endif
}

Dims DimsOf(const vector<int>& shape) { return Dims(shape.begin(), shape.end()); }

ElementType TypeOf(const Layout& layout) {
#if DNNL_VERSION_MAJOR >= 3
  return layout.get_data_type();
#else
  return layout.data_type();
#endif
}

Layout PlainLayout(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (size_t i = dims.size() - 1; i > 0; --i) strides[i - 1] = strides[i] * dims[i];
  return Layout(dims, ElementType::f32, strides);
}

Layout AnyLayout(const Dims& dims, ElementType type) {
  return Layout(dims, type, dnnl::memory::format_tag::any);
}

dnnl::memory PlainMemory(const Dims& dims, const void* values) {
  return dnnl::memory(PlainLayout(dims), Engine(), const_cast<void*>(values));
}

dnnl::memory Scratch(ScratchUse use, const Layout& layout) {
  thread_local Arena arenas[kNumScratchUses];
  const size_t size = layout.get_size();
  ScratchLoan* loan = ScratchLoan::Current();
  if (loan != nullptr && size >= ScratchLoan::kLeast) {
    return dnnl::memory(layout, Engine(), loan->Borrow(use, size));
  }
  return dnnl::memory(layout, Engine(), arenas[use].Reserve(size));
}

dnnl::primitive_attr Attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

dnnl::primitive_attr AttributesWithReLU(float slope) {
  dnnl::post_ops relu;
#if DNNL_VERSION_MAJOR >= 3
  relu.append_eltwise(dnnl::algorithm::eltwise_relu, slope, 0.0F);
#else
  relu.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, slope, 0.0F);
#endif
  dnnl::primitive_attr attributes = Attributes();
  attributes.set_post_ops(relu);
  return attributes;
}

void Run(const dnnl::primitive& primitive, const Layout& scratch, Arguments arguments) {
  Checked([&] {
    if (scratch.get_size() > 0) {
      arguments.emplace(DNNL_ARG_SCRATCHPAD, Scratch(kPrimitive, scratch));
    }
    primitive.execute(ThreadStream(), arguments);
    ThreadStream().wait();
  });
}

}  // namespace onednn
}  // namespace caffe
