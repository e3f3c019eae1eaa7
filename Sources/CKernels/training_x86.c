// x86-64 tiles of the gradient by a dense layer's weights, and lookups.

#include "training.h"
#include "target.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define AVX512VBMI \
    __attribute__((target("avx2,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi")))

INLINE __attribute__((target("avx2"))) __m256i repeat_word(const uint32_t *word) {
    return _mm256_set1_epi32((int32_t)*word);
}

/// Four channels by 16 columns at a time, whose sums stay in registers.
#define TILE_256(name, multiply_add)                                                            \
    void name(const gradient_tile *tile, int32_t *out) {                                        \
        for (size_t channel = 0; channel < TILE_CHANNELS; channel += 4)                         \
            for (size_t column = 0; column < TILE_COLUMNS; column += 16) {                      \
                __m256i sums[4][2];                                                             \
                UNROLL for (int c = 0; c < 4; c++)                                              \
                    UNROLL for (int i = 0; i < 2; i++) sums[c][i] = _mm256_setzero_si256();     \
                const uint32_t *g = tile->gradient + channel;                                   \
                const uint32_t *x = tile->input + column;                                       \
                for (size_t p = 0; p < tile->pairs; p++) {                                      \
                    __m256i low = _mm256_load_si256((const __m256i *)x);                        \
                    __m256i high = _mm256_load_si256((const __m256i *)x + 1);                   \
                    UNROLL for (int c = 0; c < 4; c++) {                                        \
                        __m256i word = repeat_word(g + c);                                      \
                        sums[c][0] = multiply_add(sums[c][0], word, low);                       \
                        sums[c][1] = multiply_add(sums[c][1], word, high);                      \
                    }                                                                           \
                    g += BLOCK_CHANNELS;                                                        \
                    x += TILE_COLUMNS;                                                          \
                }                                                                               \
                UNROLL for (int c = 0; c < 4; c++)                                              \
                    UNROLL for (int i = 0; i < 2; i++)                                          \
                        _mm256_store_si256(                                                     \
                            (__m256i *)(out + (channel + (size_t)c) * TILE_COLUMNS + column) +  \
                                i,                                                              \
                            sums[c][i]);                                                        \
            }                                                                                   \
    }

AVX2 INLINE __m256i multiply_add_avx2(__m256i sums, __m256i a, __m256i b) {
    return _mm256_add_epi32(sums, _mm256_madd_epi16(a, b));
}

AVX2 TILE_256(multiply_gradient_avx2, multiply_add_avx2)

AVXVNNI TILE_256(multiply_gradient_avxvnni, _mm256_dpwssd_avx_epi32)

AVX512VNNI void multiply_gradient_avx512vnni(const gradient_tile *tile, int32_t *out) {
    enum { VECTORS = TILE_COLUMNS / 16 };
    __m512i sums[TILE_CHANNELS][VECTORS];
    UNROLL for (int c = 0; c < TILE_CHANNELS; c++)
        UNROLL for (int i = 0; i < VECTORS; i++) sums[c][i] = _mm512_setzero_si512();
    const uint32_t *g = tile->gradient, *x = tile->input;
    for (size_t p = 0; p < tile->pairs; p++, g += BLOCK_CHANNELS, x += TILE_COLUMNS) {
        __m512i values[VECTORS];
        UNROLL for (int i = 0; i < VECTORS; i++) values[i] = _mm512_load_si512(x + 16 * i);
        UNROLL for (int c = 0; c < TILE_CHANNELS; c++) {
            __m512i word = _mm512_set1_epi32((int32_t)g[c]);
            UNROLL for (int i = 0; i < VECTORS; i++)
                sums[c][i] = _mm512_dpwssd_epi32(sums[c][i], word, values[i]);
        }
    }
    UNROLL for (int c = 0; c < TILE_CHANNELS; c++)
        UNROLL for (int i = 0; i < VECTORS; i++)
            _mm512_store_si512(out + c * TILE_COLUMNS + 16 * i, sums[c][i]);
}

// Sixteen entries of the table an instruction: those whose upper half of the index is another yield
// zero, since adding 0x70 then sets the top bit.
AVX2 void look_up_avx2(const uint8_t *x, size_t count, const int8_t *table, int8_t *out) {
    for (size_t i = 0; i < count; i += sizeof(__m256i)) {
        __m256i bytes = _mm256_loadu_si256((const __m256i *)(x + i));
        __m256i found = _mm256_setzero_si256();
        UNROLL for (int part = 0; part < 16; part++) {
            __m256i entries = _mm256_broadcastsi128_si256(
                _mm_loadu_si128((const __m128i *)(table + 16 * part)));
            __m256i index = _mm256_xor_si256(bytes, _mm256_set1_epi8((char)(16 * part)));
            index = _mm256_adds_epu8(index, _mm256_set1_epi8(0x70));
            found = _mm256_or_si256(found, _mm256_shuffle_epi8(entries, index));
        }
        _mm256_storeu_si256((__m256i *)(out + i), found);
    }
}

AVX512VBMI void look_up_avx512vbmi(const uint8_t *x, size_t count, const int8_t *table,
                                   int8_t *out) {
    __m512i quarters[4];
    UNROLL for (int i = 0; i < 4; i++) quarters[i] = _mm512_loadu_si512(table + 64 * i);
    for (size_t i = 0; i < count; i += sizeof(__m512i)) {
        __m512i bytes = _mm512_loadu_si512(x + i);
        __m512i low = _mm512_permutex2var_epi8(quarters[0], bytes, quarters[1]);
        __m512i high = _mm512_permutex2var_epi8(quarters[2], bytes, quarters[3]);
        _mm512_storeu_si512(out + i,
                            _mm512_mask_blend_epi8(_mm512_movepi8_mask(bytes), low, high));
    }
}
#endif
