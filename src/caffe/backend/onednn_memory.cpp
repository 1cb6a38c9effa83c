#include "caffe/backend/onednn_memory.hpp"

#include <utility>

namespace caffe {
namespace onednn {

void Reorder::Run(const dnnl::memory& from, const dnnl::memory& to) {
  const Layout from_layout = from.get_desc(), to_layout = to.get_desc();
  if (!step_.primitive || from_layout != from_ || to_layout != to_) {
    dnnl::primitive_attr attributes = Attributes();
    if (accumulate_) {
      dnnl::post_ops add;
      add.append_sum(1.0F);
      attributes.set_post_ops(add);
    }
    const dnnl::reorder::primitive_desc desc(Engine(), from_layout, Engine(), to_layout,
                                             attributes);
    step_ = {dnnl::reorder(desc), desc.scratchpad_desc()};
    from_ = from_layout;
    to_ = to_layout;
  }
  step_({{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
}

OnednnMemory::OnednnMemory(const Layout& layout, std::shared_ptr<void> storage)
    : layout_(layout),
      storage_(std::move(storage)),
      memory_(layout, Engine(), storage_ ? storage_.get() : DNNL_MEMORY_ALLOCATE) {}

void OnednnMemory::ToHost(void* host, size_t size) const {
  const dnnl::memory plain = PlainMemory(DimsOf(layout_), host);
  CHECK(plain.get_desc().get_size() <= size)
      << plain.get_desc().get_size() << " bytes of values for a host memory of " << size;
  to_host_.Run(memory_, plain);
}

void OnednnMemory::FromHost(const void* host) {
  from_host_.Run(PlainMemory(DimsOf(layout_), host), memory_);
}

const OnednnMemory* BackendCopy(const SyncedMemory& values, const Dims& dims) {
  const auto* copy = dynamic_cast<const OnednnMemory*>(values.backend_data());
  return copy != nullptr && DimsOf(copy->layout()) == dims ? copy : nullptr;
}

namespace {

/** The buffer that the backend used here before if it has this layout, else a new one. */
shared_ptr<OnednnMemory> Buffer(const SyncedMemory& values, const Layout& layout) {
  auto buffer = std::dynamic_pointer_cast<OnednnMemory>(values.backend_buffer());
  if (buffer && buffer->layout() == layout) return buffer;
  return std::make_shared<OnednnMemory>(layout, values.BackendStorage(layout.get_size()));
}

}  // namespace

dnnl::memory Input::Read(SyncedMemory* values, const Layout& wanted) {
  const Dims dims = DimsOf(wanted);
  const OnednnMemory* copy = BackendCopy(*values, dims);
  if (copy != nullptr && copy->layout() == wanted) return copy->memory();
  if (wanted == PlainLayout(dims)) return PlainMemory(dims, values->cpu_data());
  if (copy != nullptr && use_ != kNumScratchUses) {
    const dnnl::memory scratch = Scratch(use_, wanted);
    reorder_.Run(copy->memory(), scratch);
    return scratch;
  }
  ScratchLoan* loan = ScratchLoan::Current();
  if (copy != nullptr && loan != nullptr && wanted.get_size() >= ScratchLoan::kLeast) {
    const dnnl::memory lent(wanted, Engine(), loan->Borrow(wanted.get_size()));
    reorder_.Run(copy->memory(), lent);
    return lent;
  }
  if (copy != nullptr) {
    if (!own_ || own_->layout() != wanted) own_ = std::make_shared<OnednnMemory>(wanted);
    reorder_.Run(copy->memory(), own_->memory());
    return own_->memory();
  }
  const void* host = values->cpu_data();
  const shared_ptr<OnednnMemory> buffer = Buffer(*values, wanted);
  buffer->FromHost(host);
  values->add_backend_data(buffer);
  return buffer->memory();
}

void GradientSum::Add(const dnnl::memory& gradient, SyncedMemory* sum) {
  const Dims dims = DimsOf(gradient.get_desc());
  if (sum->head() == SyncedMemory::UNINITIALIZED) {
    set_.Run(gradient, PlainMemory(dims, sum->overwritten_cpu_data()));
  } else {
    add_.Run(gradient, PlainMemory(dims, sum->mutable_cpu_data()));
  }
}

Output::Output(SyncedMemory* values, const Layout& layout) : values_(values) {
  const Dims dims = DimsOf(layout);
  if (layout == PlainLayout(dims)) {
    memory_ = PlainMemory(dims, values->mutable_cpu_data());
    return;
  }
  buffer_ = Buffer(*values, layout);
  memory_ = buffer_->memory();
}

Output::Output(SyncedMemory* values, const Layout& layout, const Layout& kept, ScratchUse use)
    : Output(values, kept) {
  if (kept == layout) return;
  kept_ = memory_;
  memory_ = Scratch(use, layout);
}

void Output::Commit() {
  if (kept_) Reorder().Run(memory_, kept_);
  if (buffer_) values_->set_backend_data(std::move(buffer_));
}

}  // namespace onednn
}  // namespace caffe
