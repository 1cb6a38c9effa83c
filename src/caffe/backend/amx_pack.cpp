#include "caffe/backend/amx_pack.hpp"

#include <algorithm>
#include <cstring>

#include "caffe/backend/amx_intrinsics.hpp"

namespace caffe {
namespace amx {

#if CAFFE_HAS_AMX

namespace {

/** 32 numbers of bf16, and what they miss of the floats that they stand for. */
struct Rounded {
  __m512i high, low;
};

CAFFE_AMX_CODE inline __m512 FloatsOf(__m256i bf16) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bf16), 16));
}

template <Parts kParts>
CAFFE_AMX_CODE inline Rounded Round(__m512 first, __m512 second) {
  Rounded rounded;
  rounded.high = (__m512i)_mm512_cvtne2ps_pbh(second, first);
  rounded.low = _mm512_setzero_si512();
  if (kParts == kSplit) {
    const __m512 a = FloatsOf(_mm512_castsi512_si256(rounded.high));
    const __m512 b = FloatsOf(_mm512_extracti64x4_epi64(rounded.high, 1));
    rounded.low = (__m512i)_mm512_cvtne2ps_pbh(_mm512_sub_ps(second, b), _mm512_sub_ps(first, a));
  }
  return rounded;
}

/** Where the 16 channels of a block are, of any pixel of an image. */
struct Block {
  const char* data;
  size_t pixel;
  __mmask16 mask;    // of the channels that there are
  __m512i channels;  // planes: their distances, in floats
};

CAFFE_AMX_CODE inline Block BlockOf(const Activations& from, int image, int block) {
  const bool planes = from.kind == Activations::kPlanes;
  const int left = std::min(from.channels - block * kBlock, kBlock);
  Block found;
  found.data = from.data + image * from.image +
               static_cast<size_t>(std::max(left, 0) > 0 ? block : 0) *
                   (planes ? kBlock * from.block : from.block);
  found.pixel = from.pixel;
  const int whole = from.padded && left > 0 ? kBlock : std::max(left, 0);
  found.mask = static_cast<__mmask16>((1U << whole) - 1);
  const __m512i counts = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  found.channels = _mm512_mullo_epi32(
      counts, _mm512_set1_epi32(planes ? static_cast<int>(from.block / sizeof(float)) : 0));
  return found;
}

template <Activations::Kind kKind>
CAFFE_AMX_CODE inline __m512 LoadFloats(const Block& from, int32_t pixel) {
  if (pixel < 0) return _mm512_setzero_ps();
  const char* at = from.data + pixel * from.pixel;
  if (kKind == Activations::kPlanes) {
    return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), from.mask, from.channels, at,
                                    sizeof(float));
  }
  return _mm512_maskz_loadu_ps(from.mask, at);
}

CAFFE_AMX_CODE inline __m256i LoadBf16(const Block& from, int32_t pixel) {
  if (pixel < 0) return _mm256_setzero_si256();
  return _mm256_maskz_loadu_epi16(from.mask, from.data + pixel * from.pixel);
}

/** Two halves of 16 numbers: of two blocks of a pixel, or of a block's two pixels. */
template <Activations::Kind kKind, Parts kParts>
CAFFE_AMX_CODE inline Rounded Load(const Block& first, int32_t pixel, const Block& second,
                                   int32_t second_pixel) {
  if (kKind == Activations::kBf16) {
    const __m512i low = _mm512_castsi256_si512(LoadBf16(first, pixel));
    return {_mm512_inserti64x4(low, LoadBf16(second, second_pixel), 1), _mm512_setzero_si512()};
  }
  return Round<kParts>(LoadFloats<kKind>(first, pixel), LoadFloats<kKind>(second, second_pixel));
}

/** The numbers of two halves in turn. */
CAFFE_AMX_CODE inline __m512i Interleave(__m512i halves) {
  const __m512i low = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(halves));
  const __m512i high = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(halves, 1));
  return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

template <Activations::Kind kKind, Parts kParts>
CAFFE_AMX_CODE void PackPixelsOf(const Block& first, const Block& second, const PixelMap& pixels,
                                 char* to, char* low) {
  for (size_t i = 0; i < pixels.size(); ++i) {
    const Rounded row = Load<kKind, kParts>(first, pixels[i], second, pixels[i]);
    _mm512_store_si512(to + i * kTileRowBytes, row.high);
    if (kParts == kSplit) _mm512_store_si512(low + i * kTileRowBytes, row.low);
  }
}

/** Transposes 16 × 16 numbers of 32 bits. */
CAFFE_AMX_CODE inline void Transpose(__m512i* rows) {
  __m512i pairs[16], quads[16];
  for (int i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    for (int j = 0; j < 2; ++j) {
      quads[i + 2 * j] = _mm512_unpacklo_epi64(pairs[i + j], pairs[i + 2 + j]);
      quads[i + 2 * j + 1] = _mm512_unpackhi_epi64(pairs[i + j], pairs[i + 2 + j]);
    }
  }
  // quads[4q + c], lane l: column 4l + c of rows 4q to 4q + 3.
  for (int c = 0; c < 4; ++c) {
    const __m512i even_low = _mm512_shuffle_i32x4(quads[c], quads[4 + c], 0x88);
    const __m512i odd_low = _mm512_shuffle_i32x4(quads[c], quads[4 + c], 0xdd);
    const __m512i even_high = _mm512_shuffle_i32x4(quads[8 + c], quads[12 + c], 0x88);
    const __m512i odd_high = _mm512_shuffle_i32x4(quads[8 + c], quads[12 + c], 0xdd);
    rows[c] = _mm512_shuffle_i32x4(even_low, even_high, 0x88);
    rows[4 + c] = _mm512_shuffle_i32x4(odd_low, odd_high, 0x88);
    rows[8 + c] = _mm512_shuffle_i32x4(even_low, even_high, 0xdd);
    rows[12 + c] = _mm512_shuffle_i32x4(odd_low, odd_high, 0xdd);
  }
}

template <Activations::Kind kKind, Parts kParts>
CAFFE_AMX_CODE void PackChannelsOf(const Block& from, const PixelMap& pixels, char* to) {
  const int count = static_cast<int>(pixels.size());
  for (int first = 0; first < count; first += kTileDepth) {
    __m512i high[kTileRows], low[kTileRows];
    for (int pair = 0; pair < kTileRows; ++pair) {
      const int i = first + 2 * pair;
      const int32_t even = i < count ? pixels[i] : -1, odd = i + 1 < count ? pixels[i + 1] : -1;
      const Rounded two = Load<kKind, kParts>(from, even, from, odd);
      high[pair] = Interleave(two.high);
      if (kParts == kSplit) low[pair] = Interleave(two.low);
    }
    Transpose(high);
    for (int c = 0; c < kBlock; ++c) _mm512_store_si512(to + c * kTileRowBytes, high[c]);
    to += kTileBytes;
    if (kParts == kWhole) continue;
    Transpose(low);
    for (int c = 0; c < kBlock; ++c) _mm512_store_si512(to + c * kTileRowBytes, low[c]);
    to += kTileBytes;
  }
}

/** Of rows that follow each other, the pairs that begin in the first and end in the second. */
CAFFE_AMX_CODE inline __m512i Across(__m512i first, __m512i second) {
  return _mm512_or_si512(_mm512_srli_epi32(first, 16), _mm512_slli_epi32(second, 16));
}

template <Activations::Kind kKind, Parts kParts>
CAFFE_AMX_CODE void PackPairsOf(const Block& from, const PixelMap& pixels, const PairRows& to) {
  const size_t count = pixels.size();
  __m512i last_high = _mm512_setzero_si512(), last_low = last_high;
  for (size_t i = 0, at = 0; i < count; i += 2, at += kTileRowBytes) {
    const int32_t odd = i + 1 < count ? pixels[i + 1] : -1;
    const Rounded two = Load<kKind, kParts>(from, pixels[i], from, odd);
    const __m512i high = Interleave(two.high);
    _mm512_store_si512(to.even + at, high);
    _mm512_store_si512(to.odd + at, Across(last_high, high));
    last_high = high;
    if (kParts == kWhole) continue;
    const __m512i low = Interleave(two.low);
    _mm512_store_si512(to.even + to.low + at, low);
    _mm512_store_si512(to.odd + to.low + at, Across(last_low, low));
    last_low = low;
  }
}

template <Activations::Kind kKind>
CAFFE_AMX_CODE void SumPixelsOf(const Block& from, int first, int count, float* sums) {
  __m512 sum = _mm512_setzero_ps();
  for (int i = first; i < first + count; ++i) {
    sum = _mm512_add_ps(sum, kKind == Activations::kBf16 ? FloatsOf(LoadBf16(from, i))
                                                         : LoadFloats<kKind>(from, i));
  }
  _mm512_storeu_ps(sums, sum);
}

/** What is gathered from the weights: 16 sums of a term and tap. */
struct WeightBlock {
  const float* data;
  __m512i sums;    // their distances, in floats
  __mmask16 mask;  // of the sums that there are
  size_t term;     // from a term to the next, in floats
  int terms;
};

CAFFE_AMX_CODE inline WeightBlock WeightBlockOf(const Weights& w, int block) {
  const size_t output = static_cast<size_t>(w.inputs) * w.taps, input = w.taps;
  const __m512i counts = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const size_t sum = w.backward ? input : output;
  WeightBlock found;
  found.data = w.data + block * kBlock * sum;
  found.sums = _mm512_mullo_epi32(counts, _mm512_set1_epi32(static_cast<int>(sum)));
  const int left = std::min(w.sums() - block * kBlock, kBlock);
  found.mask = static_cast<__mmask16>((1U << left) - 1);
  found.term = w.backward ? output : input;
  found.terms = w.terms();
  return found;
}

CAFFE_AMX_CODE inline __m512 Gather(const WeightBlock& w, int term, int tap) {
  if (term >= w.terms) return _mm512_setzero_ps();
  return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), w.mask, w.sums, w.data + term * w.term + tap,
                                  sizeof(float));
}

template <Parts kParts>
CAFFE_AMX_CODE void PackWeightTile(const WeightBlock& from, int step, int tap, char* to) {
  for (int row = 0; row < kTileRows; ++row) {
    const int term = step * kTileDepth + 2 * row;
    const Rounded two = Round<kParts>(Gather(from, term, tap), Gather(from, term + 1, tap));
    _mm512_store_si512(to + row * kTileRowBytes, Interleave(two.high));
    if (kParts == kSplit) {
      _mm512_store_si512(to + kTileBytes + row * kTileRowBytes, Interleave(two.low));
    }
  }
}

CAFFE_AMX_CODE void PackWeightBlock(const Weights& weights, Parts parts, int block, char* to) {
  const WeightBlock from = WeightBlockOf(weights, block);
  const int steps = Blocks(weights.terms(), kTileDepth), at_once = StepsAtOnce(parts);
  for (int first = 0; first < steps; first += at_once) {
    const int end = std::min(first + at_once, steps);
    for (int t = 0; t < weights.taps; ++t) {
      const int tap = weights.backward ? weights.taps - 1 - t : t;
      for (int step = first; step < end; ++step, to += parts * kTileBytes) {
        if (parts == kSplit) {
          PackWeightTile<kSplit>(from, step, tap, to);
        } else {
          PackWeightTile<kWhole>(from, step, tap, to);
        }
      }
    }
  }
}

/** What packing is compiled for. */
template <Activations::Kind kOfKind, Parts kOfParts>
struct Of {
  static constexpr Activations::Kind kKind = kOfKind;
  static constexpr Parts kParts = kOfParts;
};

/** Calls pack with the Of that fits; numbers of bf16 are never split. */
template <typename Pack>
void Choose(Activations::Kind kind, bool split, const Pack& pack) {
  if (kind == Activations::kBf16) return pack(Of<Activations::kBf16, kWhole>());
  if (kind == Activations::kPlanes) {
    return split ? pack(Of<Activations::kPlanes, kSplit>())
                 : pack(Of<Activations::kPlanes, kWhole>());
  }
  return split ? pack(Of<Activations::kFloats, kSplit>())
               : pack(Of<Activations::kFloats, kWhole>());
}

}  // namespace

void PackPixels(const Activations& from, int image, int step, const PixelMap& pixels, char* to,
                char* low) {
  const Block first = BlockOf(from, image, 2 * step), second = BlockOf(from, image, 2 * step + 1);
  Choose(from.kind, low != nullptr, [&](auto of) {
    PackPixelsOf<decltype(of)::kKind, decltype(of)::kParts>(first, second, pixels, to, low);
  });
}

void PackChannels(const Activations& from, int image, int block, const PixelMap& pixels,
                  Parts parts, char* to) {
  const Block source = BlockOf(from, image, block);
  Choose(from.kind, parts == kSplit, [&](auto of) {
    PackChannelsOf<decltype(of)::kKind, decltype(of)::kParts>(source, pixels, to);
  });
}

void PackPairs(const Activations& from, int image, int block, const PixelMap& pixels,
               const PairRows& to) {
  const Block source = BlockOf(from, image, block);
  Choose(from.kind, to.low != 0, [&](auto of) {
    PackPairsOf<decltype(of)::kKind, decltype(of)::kParts>(source, pixels, to);
  });
}

void SumPixels(const Activations& from, int image, int block, int first, int count, float* sums) {
  const Block source = BlockOf(from, image, block);
  Choose(from.kind, false,
         [&](auto of) { SumPixelsOf<decltype(of)::kKind>(source, first, count, sums); });
}

void PackWeights(const Weights& weights, Parts parts, int threads, char* to) {
  const int blocks = Blocks(weights.sums(), kBlock);
  const size_t block_bytes = PackedWeightBytes(weights, parts) / blocks;
#pragma omp parallel for num_threads(threads)
  for (int block = 0; block < blocks; ++block) {
    PackWeightBlock(weights, parts, block, to + block * block_bytes);
  }
}

#else

void PackPixels(const Activations& /*from*/, int /*image*/, int /*step*/,
                const PixelMap& /*pixels*/, char* /*to*/, char* /*low*/) {
  FailWithoutAmx();
}
void PackChannels(const Activations& /*from*/, int /*image*/, int /*block*/,
                  const PixelMap& /*pixels*/, Parts /*parts*/, char* /*to*/) {
  FailWithoutAmx();
}
void PackPairs(const Activations& /*from*/, int /*image*/, int /*block*/,
               const PixelMap& /*pixels*/, const PairRows& /*to*/) {
  FailWithoutAmx();
}
void SumPixels(const Activations& /*from*/, int /*image*/, int /*block*/, int /*first*/,
               int /*count*/, float* /*sums*/) {
  FailWithoutAmx();
}
void PackWeights(const Weights& /*weights*/, Parts /*parts*/, int /*threads*/, char* /*to*/) {
  FailWithoutAmx();
}

#endif

int StepsAtOnce(Parts parts) { return parts == kSplit ? 1 : 2; }

size_t PackedWeightBytes(const Weights& weights, Parts parts) {
  const size_t tiles = static_cast<size_t>(Blocks(weights.sums(), kBlock)) *
                       Blocks(weights.terms(), kTileDepth) * weights.taps;
  return tiles * parts * kTileBytes;
}

}  // namespace amx
}  // namespace caffe
