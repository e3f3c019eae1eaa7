// AArch64 tiles of the int8 matrix product.

#include "gemm.h"
#include "rounding.h"
#include "target.h"

#pragma STDC FP_CONTRACT OFF

#if defined(__aarch64__)
#include <arm_neon.h>
#include <string.h>

/// A function for each tile shape, from one inlined body.
#define TILE(target, name, rows)                                                       \
    target static void name##_##rows(const gemm_tile *tile) { name(tile, rows); }
#define SHAPE(name, rows) {rows, 1, name##_##rows}

/// Registers of four channels that make a panel.
enum { QUADS = PANEL / 4 };

static void requantise_neon(const requantise_block *block) { requantise_rows(block); }

/// Bytes 0 to 3, four times.
INLINE int8x16_t repeat_four_bytes(const int8_t *bytes) {
    int32_t four;
    memcpy(&four, bytes, sizeof four);
    return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

/// Four pixels' 16 channels from `channel` on, interleaved: lane c of register i holds the four
/// values of channel 4 i + c.
INLINE void interleave(const int8_t *const *pixels, size_t channel, int8x16_t values[QUADS]) {
    int8x16_t p0 = vld1q_s8(pixels[0] + channel), p1 = vld1q_s8(pixels[1] + channel);
    int8x16_t p2 = vld1q_s8(pixels[2] + channel), p3 = vld1q_s8(pixels[3] + channel);
    int16x8_t low01 = vreinterpretq_s16_s8(vzip1q_s8(p0, p1));
    int16x8_t high01 = vreinterpretq_s16_s8(vzip2q_s8(p0, p1));
    int16x8_t low23 = vreinterpretq_s16_s8(vzip1q_s8(p2, p3));
    int16x8_t high23 = vreinterpretq_s16_s8(vzip2q_s8(p2, p3));
    values[0] = vreinterpretq_s8_s16(vzip1q_s16(low01, low23));
    values[1] = vreinterpretq_s8_s16(vzip2q_s16(low01, low23));
    values[2] = vreinterpretq_s8_s16(vzip1q_s16(high01, high23));
    values[3] = vreinterpretq_s8_s16(vzip2q_s16(high01, high23));
}

// ---- NEON: products of bytes, widened before they are added ----

/// Two partial sums for each of four channels.
typedef struct {
    int32x4_t low, high;
} partial_sums;

INLINE partial_sums add_products(partial_sums sums, int8x16_t x, int8x16_t w) {
    // Two products of at most 128 * 127 fit in 16 bits; pairs are added into 32.
    sums.low = vpadalq_s16(sums.low, vmull_s8(vget_low_s8(x), vget_low_s8(w)));
    sums.high = vpadalq_s16(sums.high, vmull_high_s8(x, w));
    return sums;
}

INLINE void tile_neon(const gemm_tile *tile, const int rows) {
    partial_sums sums[2][QUADS];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int i = 0; i < QUADS; i++)
            sums[r][i] = (partial_sums){vdupq_n_s32(0), vdupq_n_s32(0)};
    const int8_t *a = tile->a, *w = tile->w;
    for (size_t g = 0; g < tile->groups; g++, a += GROUP, w += PANEL * GROUP)
        UNROLL for (int r = 0; r < rows; r++) {
            int8x16_t x = repeat_four_bytes(a + r * tile->a_stride);
            UNROLL for (int i = 0; i < QUADS; i++)
                sums[r][i] = add_products(sums[r][i], x, vld1q_s8(w + 16 * i));
        }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int i = 0; i < QUADS; i++)
            vst1q_s32(tile->out + r * tile->out_stride + 4 * i,
                      vpaddq_s32(sums[r][i].low, sums[r][i].high));
}

TILE(, tile_neon, 2)
TILE(, tile_neon, 1)

static void depthwise_neon(const int8_t *const *pixels, const int8_t *w, size_t panel_stride,
                           size_t groups, size_t panels, int32_t *sums) {
    for (size_t p = 0; p < panels; p++, w += panel_stride, sums += PANEL) {
        partial_sums partial[QUADS];
        UNROLL for (int i = 0; i < QUADS; i++)
            partial[i] = (partial_sums){vdupq_n_s32(0), vdupq_n_s32(0)};
        for (size_t g = 0; g < groups; g++) {
            int8x16_t values[QUADS];
            interleave(pixels + g * GROUP, p * PANEL, values);
            const int8_t *group = w + g * PANEL * GROUP;
            UNROLL for (int i = 0; i < QUADS; i++)
                partial[i] = add_products(partial[i], values[i], vld1q_s8(group + 16 * i));
        }
        UNROLL for (int i = 0; i < QUADS; i++) {
            int32x4_t added = vpaddq_s32(partial[i].low, partial[i].high);
            vst1q_s32(sums + 4 * i, vaddq_s32(vld1q_s32(sums + 4 * i), added));
        }
    }
}

const kernel_set kernels_neon = {
    .shapes = (const gemm_shape[]){SHAPE(tile_neon, 2), SHAPE(tile_neon, 1)},
    .requantise = requantise_neon,
    .depthwise = depthwise_neon,
};

// ---- sdot: four products an instruction and lane ----

SDOT INLINE void tile_sdot(const gemm_tile *tile, const int rows) {
    int32x4_t sums[6][QUADS];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int i = 0; i < QUADS; i++) sums[r][i] = vdupq_n_s32(0);
    const int8_t *a = tile->a, *w = tile->w;
    for (size_t g = 0; g < tile->groups; g++, a += GROUP, w += PANEL * GROUP) {
        int8x16_t y[QUADS];
        UNROLL for (int i = 0; i < QUADS; i++) y[i] = vld1q_s8(w + 16 * i);
        UNROLL for (int r = 0; r < rows; r++) {
            int8x16_t x = repeat_four_bytes(a + r * tile->a_stride);
            UNROLL for (int i = 0; i < QUADS; i++) sums[r][i] = vdotq_s32(sums[r][i], y[i], x);
        }
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int i = 0; i < QUADS; i++)
            vst1q_s32(tile->out + r * tile->out_stride + 4 * i, sums[r][i]);
}

TILE(SDOT, tile_sdot, 6)
TILE(SDOT, tile_sdot, 4)
TILE(SDOT, tile_sdot, 2)
TILE(SDOT, tile_sdot, 1)

SDOT static void depthwise_sdot(const int8_t *const *pixels, const int8_t *w, size_t panel_stride,
                                size_t groups, size_t panels, int32_t *sums) {
    for (size_t p = 0; p < panels; p++, w += panel_stride, sums += PANEL) {
        int32x4_t products[QUADS];
        UNROLL for (int i = 0; i < QUADS; i++) products[i] = vld1q_s32(sums + 4 * i);
        for (size_t g = 0; g < groups; g++) {
            int8x16_t values[QUADS];
            interleave(pixels + g * GROUP, p * PANEL, values);
            const int8_t *group = w + g * PANEL * GROUP;
            UNROLL for (int i = 0; i < QUADS; i++)
                products[i] = vdotq_s32(products[i], values[i], vld1q_s8(group + 16 * i));
        }
        UNROLL for (int i = 0; i < QUADS; i++) vst1q_s32(sums + 4 * i, products[i]);
    }
}

const kernel_set kernels_sdot = {
    .shapes = (const gemm_shape[]){SHAPE(tile_sdot, 6), SHAPE(tile_sdot, 4), SHAPE(tile_sdot, 2),
                                   SHAPE(tile_sdot, 1)},
    .requantise = requantise_neon,
    .depthwise = depthwise_sdot,
};

// ---- i8mm: two rows by two channels by eight an instruction ----

I8MM INLINE void tile_i8mm(const gemm_tile *tile, const int rows) {
    enum { PAIRS = PANEL / 2 };
    const int row_pairs = (rows + 1) / 2;
    int32x4_t sums[3][PAIRS];
    UNROLL for (int r = 0; r < row_pairs; r++)
        UNROLL for (int i = 0; i < PAIRS; i++) sums[r][i] = vdupq_n_s32(0);
    const int8_t *a = tile->a, *w = tile->w;
    for (size_t g = 0; g < tile->groups; g += 2, a += 2 * GROUP, w += 2 * PANEL * GROUP) {
        int8x16_t x[3];
        UNROLL for (int r = 0; r < row_pairs; r++) {
            const int second = 2 * r + 1 < rows ? 2 * r + 1 : 2 * r;
            x[r] = vcombine_s8(vld1_s8(a + 2 * r * tile->a_stride),
                               vld1_s8(a + second * tile->a_stride));
        }
        UNROLL for (int i = 0; i < QUADS; i++) {
            int32x4_t near = vreinterpretq_s32_s8(vld1q_s8(w + 16 * i));
            int32x4_t far = vreinterpretq_s32_s8(vld1q_s8(w + PANEL * GROUP + 16 * i));
            int8x16_t y0 = vreinterpretq_s8_s32(vzip1q_s32(near, far));
            int8x16_t y1 = vreinterpretq_s8_s32(vzip2q_s32(near, far));
            UNROLL for (int r = 0; r < row_pairs; r++) {
                sums[r][2 * i] = vmmlaq_s32(sums[r][2 * i], x[r], y0);
                sums[r][2 * i + 1] = vmmlaq_s32(sums[r][2 * i + 1], x[r], y1);
            }
        }
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int i = 0; i < QUADS; i++) {
            int64x2_t left = vreinterpretq_s64_s32(sums[r / 2][2 * i]);
            int64x2_t right = vreinterpretq_s64_s32(sums[r / 2][2 * i + 1]);
            int64x2_t row = r % 2 == 0 ? vzip1q_s64(left, right) : vzip2q_s64(left, right);
            vst1q_s32(tile->out + r * tile->out_stride + 4 * i, vreinterpretq_s32_s64(row));
        }
}

TILE(I8MM, tile_i8mm, 6)
TILE(I8MM, tile_i8mm, 4)
TILE(I8MM, tile_i8mm, 2)
TILE(I8MM, tile_i8mm, 1)

const kernel_set kernels_i8mm = {
    .shapes = (const gemm_shape[]){SHAPE(tile_i8mm, 6), SHAPE(tile_i8mm, 4), SHAPE(tile_i8mm, 2),
                                   SHAPE(tile_i8mm, 1)},
    .requantise = requantise_neon,
    .depthwise = depthwise_sdot,
};
#endif
