// x86-64 strips of the int8 matrix product. Each tile keeps TILE rows x STRIP channels of
// accumulators in registers.

#include "gemm.h"

#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__)
#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

// VNNI multiplies unsigned by signed bytes. Activations are made unsigned by flipping their top
// bit, which adds 128 to each; the product is then too large by 128 times the sum of the weight
// row.
enum { UNSIGNED_SHIFT_BITS = 7 };

// ---- AVX2: sign-extend to 16 bits, multiply and add pairs ----

#define AVX2 __attribute__((target("avx2")))
enum { TILE_AVX2 = 2 };

/// Lane c of the result is the sum of the lanes of sums[c].
AVX2 INLINE __m128i sum_lanes_256(const __m256i sums[STRIP]) {
    __m256i pairs01 = _mm256_hadd_epi32(sums[0], sums[1]);
    __m256i pairs23 = _mm256_hadd_epi32(sums[2], sums[3]);
    __m256i halves = _mm256_hadd_epi32(pairs01, pairs23);
    return _mm_add_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
}

AVX2 INLINE __m256i load_16_bits(const int8_t *bytes) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)bytes));
}

AVX2 INLINE void tile_avx2(const gemm_strip *strip, size_t first, const int rows) {
    const int8_t *a = strip->a + first * strip->stride;
    __m256i sums[TILE_AVX2][STRIP];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int c = 0; c < STRIP; c++) sums[r][c] = _mm256_setzero_si256();
    for (size_t k = 0; k < strip->stride; k += 16) {
        __m256i x[TILE_AVX2];
        UNROLL for (int r = 0; r < rows; r++) x[r] = load_16_bits(a + r * strip->stride + k);
        UNROLL for (int c = 0; c < STRIP; c++) {
            __m256i w = load_16_bits(strip->w[c] + k);
            UNROLL for (int r = 0; r < rows; r++)
                sums[r][c] = _mm256_add_epi32(sums[r][c], _mm256_madd_epi16(x[r], w));
        }
    }
    UNROLL for (int r = 0; r < rows; r++) {
        int32_t result[STRIP];
        _mm_storeu_si128((__m128i *)result, sum_lanes_256(sums[r]));
        gemm_store(strip, first + r, result);
    }
}

AVX2 void gemm_strip_avx2(const gemm_strip *strip) {
    size_t row = 0;
    for (; row + TILE_AVX2 <= strip->rows; row += TILE_AVX2) tile_avx2(strip, row, TILE_AVX2);
    for (; row < strip->rows; row++) tile_avx2(strip, row, 1);
}

// ---- AVX-VNNI: four products of bytes an instruction and lane, 256 bits ----

#define AVXVNNI __attribute__((target("avx2,avxvnni")))
enum { TILE_AVXVNNI = 2 };

AVXVNNI INLINE void tile_avxvnni(const gemm_strip *strip, size_t first, const int rows) {
    const int8_t *a = strip->a + first * strip->stride;
    const __m256i top_bit = _mm256_set1_epi8(-128);
    __m256i sums[TILE_AVXVNNI][STRIP];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int c = 0; c < STRIP; c++) sums[r][c] = _mm256_setzero_si256();
    for (size_t k = 0; k < strip->stride; k += 32) {
        __m256i x[TILE_AVXVNNI];
        UNROLL for (int r = 0; r < rows; r++) {
            const int8_t *bytes = a + r * strip->stride + k;
            x[r] = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)bytes), top_bit);
        }
        UNROLL for (int c = 0; c < STRIP; c++) {
            __m256i w = _mm256_loadu_si256((const __m256i *)(strip->w[c] + k));
            UNROLL for (int r = 0; r < rows; r++)
                sums[r][c] = _mm256_dpbusd_avx_epi32(sums[r][c], x[r], w);
        }
    }
    __m128i excess =
        _mm_slli_epi32(_mm_loadu_si128((const __m128i *)strip->sum), UNSIGNED_SHIFT_BITS);
    UNROLL for (int r = 0; r < rows; r++) {
        int32_t result[STRIP];
        _mm_storeu_si128((__m128i *)result, _mm_sub_epi32(sum_lanes_256(sums[r]), excess));
        gemm_store(strip, first + r, result);
    }
}

AVXVNNI void gemm_strip_avxvnni(const gemm_strip *strip) {
    size_t row = 0;
    for (; row + TILE_AVXVNNI <= strip->rows; row += TILE_AVXVNNI)
        tile_avxvnni(strip, row, TILE_AVXVNNI);
    for (; row < strip->rows; row++) tile_avxvnni(strip, row, 1);
}

// ---- AVX512-VNNI: the same with 512 bits ----

#define AVX512VNNI __attribute__((target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")))
enum { TILE_AVX512VNNI = 6 };

AVX512VNNI INLINE void tile_avx512vnni(const gemm_strip *strip, size_t first, const int rows) {
    const int8_t *a = strip->a + first * strip->stride;
    const __m512i top_bit = _mm512_set1_epi8(-128);
    __m512i sums[TILE_AVX512VNNI][STRIP];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int c = 0; c < STRIP; c++) sums[r][c] = _mm512_setzero_si512();
    for (size_t k = 0; k < strip->stride; k += 64) {
        __m512i w[STRIP];
        UNROLL for (int c = 0; c < STRIP; c++) w[c] = _mm512_loadu_si512(strip->w[c] + k);
        UNROLL for (int r = 0; r < rows; r++) {
            __m512i x = _mm512_xor_si512(_mm512_loadu_si512(a + r * strip->stride + k), top_bit);
            UNROLL for (int c = 0; c < STRIP; c++)
                sums[r][c] = _mm512_dpbusd_epi32(sums[r][c], x, w[c]);
        }
    }
    __m128i excess =
        _mm_slli_epi32(_mm_loadu_si128((const __m128i *)strip->sum), UNSIGNED_SHIFT_BITS);
    UNROLL for (int r = 0; r < rows; r++) {
        __m256i halves[STRIP];
        UNROLL for (int c = 0; c < STRIP; c++)
            halves[c] = _mm256_add_epi32(_mm512_castsi512_si256(sums[r][c]),
                                         _mm512_extracti64x4_epi64(sums[r][c], 1));
        int32_t result[STRIP];
        _mm_storeu_si128((__m128i *)result, _mm_sub_epi32(sum_lanes_256(halves), excess));
        gemm_store(strip, first + r, result);
    }
}

AVX512VNNI void gemm_strip_avx512vnni(const gemm_strip *strip) {
    size_t row = 0;
    for (; row + TILE_AVX512VNNI <= strip->rows; row += TILE_AVX512VNNI)
        tile_avx512vnni(strip, row, TILE_AVX512VNNI);
    for (; row + 2 <= strip->rows; row += 2) tile_avx512vnni(strip, row, 2);
    for (; row < strip->rows; row++) tile_avx512vnni(strip, row, 1);
}
#endif
