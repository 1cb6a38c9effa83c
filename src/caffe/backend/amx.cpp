#include "caffe/backend/amx.hpp"

#if CAFFE_HAS_AMX
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "caffe/backend/amx_intrinsics.hpp"
#include "caffe/common.hpp"

namespace caffe {
namespace amx {

#if CAFFE_HAS_AMX

namespace {

constexpr size_t kFloats = kTileBytes / sizeof(float);

/** What ldtilecfg reads. */
struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

bool ProcessorHasAmx() {
  constexpr unsigned kTiles = 1U << 24, kBf16Products = 1U << 22, kAvx512Bf16 = 1U << 5;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  if ((d & kTiles) == 0 || (d & kBf16Products) == 0) return false;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & kAvx512Bf16) != 0;
}

/** Linux saves a thread's tiles only for processes that ask for it. */
bool SystemAllowsAmx() {
  constexpr int kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

// The compiler does not see that tiles are loaded from memory and stored to it.
inline void MemoryBarrier() { asm volatile("" ::: "memory"); }

// The instructions name their tiles, so each accumulator needs a line of its own.
template <int kTiles>
CAFFE_AMX_CODE inline void AddLeftProducts(const char* a, const char* b) {
  _tile_loadd(5, b, kTileRowBytes);
  _tile_loadd(4, a, kTileRowBytes);
  _tile_dpbf16ps(0, 4, 5);
  if (kTiles > 1) {
    _tile_loadd(4, a + kTileBytes, kTileRowBytes);
    _tile_dpbf16ps(1, 4, 5);
  }
  if (kTiles > 2) {
    _tile_loadd(4, a + 2 * kTileBytes, kTileRowBytes);
    _tile_dpbf16ps(2, 4, 5);
  }
}

template <int kTiles>
CAFFE_AMX_CODE inline void AddRightProducts(const char* a, const char* const* b, size_t from) {
  _tile_loadd(5, a, kTileRowBytes);
  _tile_loadd(4, b[0] + from, kTileRowBytes);
  _tile_dpbf16ps(0, 5, 4);
  if (kTiles > 1) {
    _tile_loadd(4, b[1] + from, kTileRowBytes);
    _tile_dpbf16ps(1, 5, 4);
  }
  if (kTiles > 2) {
    _tile_loadd(4, b[2] + from, kTileRowBytes);
    _tile_dpbf16ps(2, 5, 4);
  }
}

template <int kTiles>
CAFFE_AMX_CODE inline void LoadSums(const float* c, size_t tile) {
  _tile_loadd(0, c, kTileRowBytes);
  if (kTiles > 1) _tile_loadd(1, c + tile, kTileRowBytes);
  if (kTiles > 2) _tile_loadd(2, c + 2 * tile, kTileRowBytes);
}

template <int kTiles>
CAFFE_AMX_CODE inline void EndSums(float* c, size_t tile) {
  _tile_stored(0, c, kTileRowBytes);
  if (kTiles > 1) _tile_stored(1, c + tile, kTileRowBytes);
  if (kTiles > 2) _tile_stored(2, c + 2 * tile, kTileRowBytes);
  MemoryBarrier();
}

CAFFE_AMX_CODE inline void ClearSums() {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
}

template <int kTiles>
CAFFE_AMX_CODE inline void BeginSums(const float* c, size_t tile, bool accumulate) {
  MemoryBarrier();
  if (accumulate) {
    LoadSums<kTiles>(c, tile);
  } else {
    ClearSums();
  }
}

template <int kTiles, bool kSplit>
CAFFE_AMX_CODE void MultiplyLeft(const LeftSums& sums, const uint32_t* steps, int num_steps) {
  BeginSums<kTiles>(sums.c, kFloats, sums.accumulate);
  const char* b = sums.b;
  for (int s = 0; s < num_steps; ++s, b += kTileBytes) {
    const char* a = sums.a + steps[s];
    AddLeftProducts<kTiles>(a, b);
    if (!kSplit) continue;
    AddLeftProducts<kTiles>(a + sums.a_low, b);
    b += kTileBytes;
    AddLeftProducts<kTiles>(a, b);
  }
  EndSums<kTiles>(sums.c, kFloats);
}

template <int kTiles, bool kSplit>
CAFFE_AMX_CODE void MultiplyRight(const RightSums& sums, int num_steps) {
  BeginSums<kTiles>(sums.c, sums.c_tile, sums.accumulate);
  const char* a = sums.a;
  size_t b = 0;
  for (int s = 0; s < num_steps; ++s, a += kTileBytes, b += kTileBytes) {
    AddRightProducts<kTiles>(a, sums.b, b);
    if (!kSplit) continue;
    AddRightProducts<kTiles>(a, sums.b, b + sums.b_low);
    a += kTileBytes;
    AddRightProducts<kTiles>(a, sums.b, b);
  }
  EndSums<kTiles>(sums.c, sums.c_tile);
}

template <bool kSplit>
void MultiplyAny(const LeftSums& sums, const uint32_t* steps, int num_steps) {
  switch (sums.tiles) {
    case 1:
      return MultiplyLeft<1, kSplit>(sums, steps, num_steps);
    case 2:
      return MultiplyLeft<2, kSplit>(sums, steps, num_steps);
    default:
      return MultiplyLeft<3, kSplit>(sums, steps, num_steps);
  }
}

template <bool kSplit>
void MultiplyAny(const RightSums& sums, int num_steps) {
  switch (sums.tiles) {
    case 1:
      return MultiplyRight<1, kSplit>(sums, num_steps);
    case 2:
      return MultiplyRight<2, kSplit>(sums, num_steps);
    default:
      return MultiplyRight<3, kSplit>(sums, num_steps);
  }
}

CAFFE_AMX_CODE void Configure() {
  TileConfig config;
  for (int tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = kTileRowBytes;
    config.rows[tile] = kTileRows;
  }
  MemoryBarrier();
  _tile_loadconfig(&config);
}

CAFFE_AMX_CODE void Release() { _tile_release(); }

}  // namespace

bool Available() {
  static const bool available = ProcessorHasAmx() && SystemAllowsAmx();
  return available;
}

TileScope::TileScope() { Configure(); }
TileScope::~TileScope() { Release(); }

void Multiply(const LeftSums& sums, const uint32_t* steps, int num_steps) {
  if (sums.a_low != 0) {
    MultiplyAny<true>(sums, steps, num_steps);
  } else {
    MultiplyAny<false>(sums, steps, num_steps);
  }
}

void Multiply(const RightSums& sums, int num_steps) {
  if (sums.b_low != 0) {
    MultiplyAny<true>(sums, num_steps);
  } else {
    MultiplyAny<false>(sums, num_steps);
  }
}

#else

bool Available() { return false; }
TileScope::TileScope() { FailWithoutAmx(); }
TileScope::~TileScope() = default;
void Multiply(const LeftSums& /*sums*/, const uint32_t* /*steps*/, int /*num_steps*/) {
  FailWithoutAmx();
}
void Multiply(const RightSums& /*sums*/, int /*num_steps*/) { FailWithoutAmx(); }

#endif

void FailWithoutAmx() { LOG(FATAL) << "this library was built without AMX"; }

}  // namespace amx
}  // namespace caffe
