// x86-64 tiles of the int8 matrix product.

#include "gemm.h"
#include "rounding.h"
#include "target.h"

#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

/// A function for each tile shape, from one inlined body.
#define TILE(target, name, rows, panels)                                      \
    target static void name##_##rows##x##panels(const gemm_tile *tile) {      \
        name(tile, rows, panels);                                             \
    }
#define SHAPE(name, rows, panels) {rows, panels, name##_##rows##x##panels}

INLINE int32_t four_bytes(const int8_t *bytes) {
    int32_t four;
    memcpy(&four, bytes, sizeof four);
    return four;
}

/// Four pixels' 16 channels from `channel` on, interleaved: lane c of register i holds the four
/// values of channel 4 i + c.
INLINE void interleave(const int8_t *const *pixels, size_t channel, __m128i values[4]) {
    __m128i p0 = _mm_loadu_si128((const __m128i *)(pixels[0] + channel));
    __m128i p1 = _mm_loadu_si128((const __m128i *)(pixels[1] + channel));
    __m128i p2 = _mm_loadu_si128((const __m128i *)(pixels[2] + channel));
    __m128i p3 = _mm_loadu_si128((const __m128i *)(pixels[3] + channel));
    __m128i low01 = _mm_unpacklo_epi8(p0, p1), high01 = _mm_unpackhi_epi8(p0, p1);
    __m128i low23 = _mm_unpacklo_epi8(p2, p3), high23 = _mm_unpackhi_epi8(p2, p3);
    values[0] = _mm_unpacklo_epi16(low01, low23);
    values[1] = _mm_unpackhi_epi16(low01, low23);
    values[2] = _mm_unpacklo_epi16(high01, high23);
    values[3] = _mm_unpackhi_epi16(high01, high23);
}

// ---- AVX2: sign-extend to 16 bits, multiply and add pairs ----

/// The eight channels of two registers that hold two partial sums a channel.
AVX2 INLINE __m256i add_pairs(__m256i low, __m256i high) {
    return _mm256_permute4x64_epi64(_mm256_hadd_epi32(low, high), 0xd8);
}

AVX2 INLINE void tile_avx2(const gemm_tile *tile, const int rows, const int panels) {
    __m256i sums[3][4];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int i = 0; i < 4 * panels; i++) sums[r][i] = _mm256_setzero_si256();
    const int8_t *a = tile->a, *w = tile->w;
    for (size_t g = 0; g < tile->groups; g++, a += GROUP, w += PANEL * GROUP) {
        __m256i x[3];
        UNROLL for (int r = 0; r < rows; r++)
            x[r] = _mm256_cvtepi8_epi16(_mm_set1_epi32(four_bytes(a + r * tile->a_stride)));
        UNROLL for (int i = 0; i < 4 * panels; i++) {
            __m256i y = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)w + i));
            UNROLL for (int r = 0; r < rows; r++)
                sums[r][i] = _mm256_add_epi32(sums[r][i], _mm256_madd_epi16(x[r], y));
        }
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int i = 0; i < 2 * panels; i++)
            _mm256_storeu_si256((__m256i *)(tile->out + r * tile->out_stride) + i,
                                add_pairs(sums[r][2 * i], sums[r][2 * i + 1]));
}

TILE(AVX2, tile_avx2, 3, 1)
TILE(AVX2, tile_avx2, 2, 1)
TILE(AVX2, tile_avx2, 1, 1)

AVX2 static void requantise_avx2(const requantise_block *block) { requantise_rows(block); }

AVX2 static void depthwise_avx2(const int8_t *const *pixels, const int8_t *w, size_t panel_stride,
                                size_t groups, size_t panels, int32_t *sums) {
    for (size_t p = 0; p < panels; p++, w += panel_stride, sums += PANEL) {
        __m256i partial[4];
        UNROLL for (int i = 0; i < 4; i++) partial[i] = _mm256_setzero_si256();
        for (size_t g = 0; g < groups; g++) {
            __m128i values[4];
            interleave(pixels + g * GROUP, p * PANEL, values);
            const __m128i *group = (const __m128i *)(w + g * PANEL * GROUP);
            UNROLL for (int i = 0; i < 4; i++) {
                __m256i y = _mm256_cvtepi8_epi16(_mm_loadu_si128(group + i));
                __m256i products = _mm256_madd_epi16(_mm256_cvtepi8_epi16(values[i]), y);
                partial[i] = _mm256_add_epi32(partial[i], products);
            }
        }
        UNROLL for (int i = 0; i < 2; i++) {
            __m256i *to = (__m256i *)sums + i;
            __m256i added = add_pairs(partial[2 * i], partial[2 * i + 1]);
            _mm256_storeu_si256(to, _mm256_add_epi32(_mm256_loadu_si256(to), added));
        }
    }
}

const kernel_set kernels_avx2 = {
    .shapes = (const gemm_shape[]){SHAPE(tile_avx2, 3, 1), SHAPE(tile_avx2, 2, 1),
                                   SHAPE(tile_avx2, 1, 1)},
    .requantise = requantise_avx2,
    .depthwise = depthwise_avx2,
};

// VNNI multiplies unsigned by signed bytes. Weights are made unsigned by flipping their top bit,
// which adds 128 to each; the product is then too large by 128 times the sum of the activations.
enum { UNSIGNED_SHIFT_BITS = 7 };

// ---- AVX-VNNI: four products of bytes an instruction and lane, 256 bits ----

AVXVNNI INLINE void tile_avxvnni(const gemm_tile *tile, const int rows, const int panels) {
    const __m256i top_bit = _mm256_set1_epi8(-128);
    __m256i sums[6][8];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int i = 0; i < 2 * panels; i++) sums[r][i] = _mm256_setzero_si256();
    const int8_t *a = tile->a, *w = tile->w;
    for (size_t g = 0; g < tile->groups; g++, a += GROUP, w += PANEL * GROUP) {
        __m256i y[8];
        UNROLL for (int i = 0; i < 2 * panels; i++) {
            const int8_t *bytes = w + i / 2 * tile->panel_stride + i % 2 * sizeof y[0];
            y[i] = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)bytes), top_bit);
        }
        UNROLL for (int r = 0; r < rows; r++) {
            __m256i x = _mm256_set1_epi32(four_bytes(a + r * tile->a_stride));
            UNROLL for (int i = 0; i < 2 * panels; i++)
                sums[r][i] = _mm256_dpbusd_avx_epi32(sums[r][i], y[i], x);
        }
    }
    UNROLL for (int r = 0; r < rows; r++) {
        __m256i excess = _mm256_set1_epi32(tile->row_sums[r] * (1 << UNSIGNED_SHIFT_BITS));
        UNROLL for (int i = 0; i < 2 * panels; i++)
            _mm256_storeu_si256((__m256i *)(tile->out + r * tile->out_stride) + i,
                                _mm256_sub_epi32(sums[r][i], excess));
    }
}

TILE(AVXVNNI, tile_avxvnni, 6, 1)
TILE(AVXVNNI, tile_avxvnni, 4, 1)
TILE(AVXVNNI, tile_avxvnni, 2, 2)
TILE(AVXVNNI, tile_avxvnni, 2, 1)
TILE(AVXVNNI, tile_avxvnni, 1, 4)
TILE(AVXVNNI, tile_avxvnni, 1, 2)
TILE(AVXVNNI, tile_avxvnni, 1, 1)

AVXVNNI static void row_sums_avxvnni(const gemm_tile *tile, size_t rows, int32_t *sums) {
    const __m256i ones = _mm256_set1_epi8(1);
    const size_t width = tile->groups * GROUP;
    for (size_t r = 0; r < rows; r++) {
        const int8_t *a = tile->a + r * tile->a_stride;
        __m256i lanes = _mm256_setzero_si256();
        size_t k = 0;
        for (; k + sizeof lanes <= width; k += sizeof lanes)
            lanes = _mm256_dpbusd_avx_epi32(lanes, ones,
                                            _mm256_loadu_si256((const __m256i *)(a + k)));
        __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(lanes),
                                    _mm256_extracti128_si256(lanes, 1));
        for (; k < width; k += GROUP)
            sum = _mm_dpbusd_avx_epi32(sum, _mm256_castsi256_si128(ones),
                                       _mm_cvtsi32_si128(four_bytes(a + k)));
        sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
        sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1));
        sums[r] = _mm_cvtsi128_si32(sum);
    }
}

const kernel_set kernels_avxvnni = {
    .shapes = (const gemm_shape[]){SHAPE(tile_avxvnni, 6, 1), SHAPE(tile_avxvnni, 4, 1),
                                   SHAPE(tile_avxvnni, 2, 2), SHAPE(tile_avxvnni, 2, 1),
                                   SHAPE(tile_avxvnni, 1, 4), SHAPE(tile_avxvnni, 1, 2),
                                   SHAPE(tile_avxvnni, 1, 1)},
    .row_sums = row_sums_avxvnni,
    .requantise = requantise_avx2,
    .depthwise = depthwise_avx2,
};

// ---- AVX512-VNNI: the same with 512 bits ----

AVX512VNNI INLINE void tile_avx512vnni(const gemm_tile *tile, const int rows, const int panels) {
    const __m512i top_bit = _mm512_set1_epi8(-128);
    __m512i sums[12][8];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int p = 0; p < panels; p++) sums[r][p] = _mm512_setzero_si512();
    const int8_t *a = tile->a, *w = tile->w;
    for (size_t g = 0; g < tile->groups; g++, a += GROUP, w += PANEL * GROUP) {
        __m512i y[8];
        UNROLL for (int p = 0; p < panels; p++)
            y[p] = _mm512_xor_si512(_mm512_loadu_si512(w + p * tile->panel_stride), top_bit);
        UNROLL for (int r = 0; r < rows; r++) {
            __m512i x = _mm512_set1_epi32(four_bytes(a + r * tile->a_stride));
            UNROLL for (int p = 0; p < panels; p++)
                sums[r][p] = _mm512_dpbusd_epi32(sums[r][p], y[p], x);
        }
    }
    UNROLL for (int r = 0; r < rows; r++) {
        __m512i excess = _mm512_set1_epi32(tile->row_sums[r] * (1 << UNSIGNED_SHIFT_BITS));
        UNROLL for (int p = 0; p < panels; p++)
            _mm512_storeu_si512(tile->out + r * tile->out_stride + p * PANEL,
                                _mm512_sub_epi32(sums[r][p], excess));
    }
}

TILE(AVX512VNNI, tile_avx512vnni, 12, 2)
TILE(AVX512VNNI, tile_avx512vnni, 12, 1)
TILE(AVX512VNNI, tile_avx512vnni, 8, 2)
TILE(AVX512VNNI, tile_avx512vnni, 8, 1)
TILE(AVX512VNNI, tile_avx512vnni, 4, 4)
TILE(AVX512VNNI, tile_avx512vnni, 4, 2)
TILE(AVX512VNNI, tile_avx512vnni, 4, 1)
TILE(AVX512VNNI, tile_avx512vnni, 2, 8)
TILE(AVX512VNNI, tile_avx512vnni, 2, 4)
TILE(AVX512VNNI, tile_avx512vnni, 2, 2)
TILE(AVX512VNNI, tile_avx512vnni, 2, 1)
TILE(AVX512VNNI, tile_avx512vnni, 1, 8)
TILE(AVX512VNNI, tile_avx512vnni, 1, 4)
TILE(AVX512VNNI, tile_avx512vnni, 1, 2)
TILE(AVX512VNNI, tile_avx512vnni, 1, 1)

AVX512VNNI static void row_sums_avx512vnni(const gemm_tile *tile, size_t rows, int32_t *sums) {
    const __m512i ones = _mm512_set1_epi8(1);
    const size_t width = tile->groups * GROUP, whole = width / sizeof ones * sizeof ones;
    const __mmask64 rest = (1ull << (width - whole)) - 1;
    for (size_t r = 0; r < rows; r++) {
        const int8_t *a = tile->a + r * tile->a_stride;
        __m512i lanes = _mm512_dpbusd_epi32(_mm512_setzero_si512(), ones,
                                            _mm512_maskz_loadu_epi8(rest, a + whole));
        for (size_t k = 0; k < whole; k += sizeof lanes)
            lanes = _mm512_dpbusd_epi32(lanes, ones, _mm512_loadu_si512(a + k));
        sums[r] = _mm512_reduce_add_epi32(lanes);
    }
}

AVX512VNNI static void requantise_avx512(const requantise_block *block) {
    const __m512 low = _mm512_set1_ps((float)(-128 - block->zero_point));
    const __m512 high = _mm512_set1_ps((float)(127 - block->zero_point));
    const __m512i zero_point = _mm512_set1_epi32(block->zero_point);
    for (size_t i = 0; i < block->width; i += PANEL) {
        size_t left = block->width - i;
        const __mmask16 used = left < PANEL ? (__mmask16)((1u << left) - 1) : (__mmask16)-1;
        const __m512i bias = _mm512_maskz_loadu_epi32(used, block->bias + i);
        const __m512 multiplier = _mm512_maskz_loadu_ps(used, block->multiplier + i);
        for (size_t row = 0; row < block->rows; row++) {
            __m512i acc =
                _mm512_maskz_loadu_epi32(used, block->acc + row * block->acc_stride + i);
            __m512 v =
                _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_add_epi32(acc, bias)), multiplier);
            if (block->scaled)
                _mm512_mask_storeu_ps(block->scaled + row * block->scaled_stride + i, used, v);
            // The first operand may be a NaN; then the result is the second.
            __m512 bounded = _mm512_min_ps(_mm512_max_ps(v, low), high);
            __m512i q = _mm512_add_epi32(_mm512_cvtps_epi32(bounded), zero_point);
            _mm512_mask_cvtepi32_storeu_epi8(block->q + row * block->q_stride + i, used, q);
        }
    }
}

AVX512VNNI static void depthwise_avx512vnni(const int8_t *const *pixels, const int8_t *w,
                                            size_t panel_stride, size_t groups, size_t panels,
                                            int32_t *sums) {
    // Here the pixels' top bits are flipped, and 128 times the weights' sums taken off.
    const __m512i top_bit = _mm512_set1_epi8(-128);
    for (size_t p = 0; p < panels; p++, w += panel_stride, sums += PANEL) {
        __m512i products = _mm512_loadu_si512(sums), excess = _mm512_setzero_si512();
        for (size_t g = 0; g < groups; g++) {
            __m128i values[4];
            interleave(pixels + g * GROUP, p * PANEL, values);
            __m512i x = _mm512_castsi128_si512(values[0]);
            x = _mm512_inserti32x4(x, values[1], 1);
            x = _mm512_inserti32x4(x, values[2], 2);
            x = _mm512_inserti32x4(x, values[3], 3);
            __m512i y = _mm512_loadu_si512(w + g * PANEL * GROUP);
            products = _mm512_dpbusd_epi32(products, _mm512_xor_si512(x, top_bit), y);
            excess = _mm512_dpbusd_epi32(excess, top_bit, y);
        }
        _mm512_storeu_si512(sums, _mm512_sub_epi32(products, excess));
    }
}

const kernel_set kernels_avx512vnni = {
    .shapes = (const gemm_shape[]){SHAPE(tile_avx512vnni, 12, 2), SHAPE(tile_avx512vnni, 12, 1),
                                   SHAPE(tile_avx512vnni, 8, 2), SHAPE(tile_avx512vnni, 8, 1),
                                   SHAPE(tile_avx512vnni, 4, 4), SHAPE(tile_avx512vnni, 4, 2),
                                   SHAPE(tile_avx512vnni, 4, 1), SHAPE(tile_avx512vnni, 2, 8),
                                   SHAPE(tile_avx512vnni, 2, 4), SHAPE(tile_avx512vnni, 2, 2),
                                   SHAPE(tile_avx512vnni, 2, 1), SHAPE(tile_avx512vnni, 1, 8),
                                   SHAPE(tile_avx512vnni, 1, 4), SHAPE(tile_avx512vnni, 1, 2),
                                   SHAPE(tile_avx512vnni, 1, 1)},
    .row_sums = row_sums_avx512vnni,
    .requantise = requantise_avx512,
    .depthwise = depthwise_avx512vnni,
};
#endif
