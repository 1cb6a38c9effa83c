#ifndef CAFFE_BACKEND_AMX_HPP_
#define CAFFE_BACKEND_AMX_HPP_

#include <cstddef>
#include <cstdint>

/**
 * Products of small matrices by AMX, the processor's tiles (Intel Architecture
 * Instruction Set Extensions, chapter 3): 16 × 32 times 32 × 16 numbers of
 * bf16, summed in floats, by one instruction.
 */
#if defined(__x86_64__) && defined(__linux__) && (defined(__clang__) || __GNUC__ >= 11) && \
    !defined(CAFFE_NO_AMX)
#define CAFFE_HAS_AMX 1
/** Marks functions that are only called where amx::Available(). */
#define CAFFE_AMX_CODE \
  __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))
#else
#define CAFFE_HAS_AMX 0
#define CAFFE_AMX_CODE
#endif

namespace caffe {
namespace amx {

/** Rows of each tile; also the floats in a row of a sum. */
constexpr int kTileRows = 16;
/** Numbers of bf16 in a row of a tile: the terms that one instruction sums. */
constexpr int kTileDepth = 32;
constexpr size_t kTileRowBytes = 64;
constexpr size_t kTileBytes = kTileRows * kTileRowBytes;
/** Sums that are computed side by side, of the same right factor. */
constexpr int kMostTiles = 3;

/**
 * @brief Whether the processor has AMX for bf16 and the system lets this process use it.
 *
 * Where not, all that computes with tiles is an error. Compilers for other systems, older ones, and
 * -DCAFFE_NO_AMX leave it out.
 */
bool Available();
/** @throws Error: this was built without AMX. */
[[noreturn]] void FailWithoutAmx();

/** @brief Tiles of full size, for the thread that makes one, as long as it lives. */
class TileScope {
 public:
  TileScope();
  ~TileScope();
  TileScope(const TileScope&) = delete;
  TileScope& operator=(const TileScope&) = delete;
};

/**
 * @brief C[t] (+)= Σ_s A[t][s] · B[s] for tiles t < `tiles`, of 16 × 16 floats each.
 *
 * A[t][s] has 16 rows of 32 numbers, 1 KB from a + t KB + steps[s] on. B[s] has
 * 16 rows of 16 pairs: the numbers of terms 2r and 2r + 1 in row r; they are one behind the
 * other, and so are C[t].
 *
 * Three accumulators beside one tile of either factor: with all eight tiles in
 * use, a core that shares its tile registers with another thread waits for
 * free ones at each load, which takes three times as long.
 */
struct LeftSums {
  int tiles;
  const char *a, *b;
  float* c;
  bool accumulate;  ///< adds to what C holds
  /**
   * Not 0: both factors are sums of two numbers of bf16, which together hold 16 of a float's 24
   * bits. The second numbers lie a_low bytes behind the first ones in A, and 1 KB behind in B,
   * where each step then takes 2 KB. The product of the second ones, below 2^-16 of the whole, is
   * left out.
   */
  size_t a_low;
};
void Multiply(const LeftSums& sums, const uint32_t* steps, int num_steps);

/**
 * @brief C[t] (+)= Σ_s A[s] · B[t][s], where A[s] are one behind the other and B[t][s] start s KB
 * behind b[t]; of two numbers each, A's second ones are 1 KB behind the first, and B's b_low bytes.
 */
struct RightSums {
  int tiles;
  const char* a;
  const char* b[kMostTiles];
  float* c;
  size_t c_tile;  ///< floats from C[t] to C[t + 1]
  bool accumulate;
  size_t b_low;
};
void Multiply(const RightSums& sums, int num_steps);

}  // namespace amx
}  // namespace caffe

#endif  // CAFFE_BACKEND_AMX_HPP_
