// AArch64 strips of the int8 matrix product.

#include "gemm.h"

#pragma STDC FP_CONTRACT OFF

#if defined(__aarch64__)
#include <arm_neon.h>

void gemm_strip_neon(const gemm_strip *strip) {
    for (size_t row = 0; row < strip->rows; row++) {
        const int8_t *a = strip->a + row * strip->stride;
        int32x4_t sums[STRIP] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
        for (size_t k = 0; k < strip->stride; k += 16) {
            int8x16_t x = vld1q_s8(a + k);
            for (int c = 0; c < STRIP; c++) {
                int8x16_t w = vld1q_s8(strip->w[c] + k);
                // Two products of at most 128 * 127 each would pass 16 bits, so every product is
                // widened before it is added.
                sums[c] = vpadalq_s16(sums[c], vmull_s8(vget_low_s8(x), vget_low_s8(w)));
                sums[c] = vpadalq_s16(sums[c], vmull_high_s8(x, w));
            }
        }
        int32_t result[STRIP];
        for (int c = 0; c < STRIP; c++) result[c] = vaddvq_s32(sums[c]);
        gemm_store(strip, row, result);
    }
}

__attribute__((target("dotprod"))) void gemm_strip_sdot(const gemm_strip *strip) {
    enum { TILE = 4 };
    for (size_t row = 0; row < strip->rows; row += TILE) {
        size_t rows = strip->rows - row < TILE ? strip->rows - row : TILE;
        const int8_t *a[TILE];  // rows beyond the last repeat it and are not stored
        for (size_t r = 0; r < TILE; r++)
            a[r] = strip->a + (row + (r < rows ? r : rows - 1)) * strip->stride;
        int32x4_t sums[TILE][STRIP];
        for (int r = 0; r < TILE; r++)
            for (int c = 0; c < STRIP; c++) sums[r][c] = vdupq_n_s32(0);
        for (size_t k = 0; k < strip->stride; k += 16) {
            int8x16_t w[STRIP];
            for (int c = 0; c < STRIP; c++) w[c] = vld1q_s8(strip->w[c] + k);
            for (int r = 0; r < TILE; r++) {
                int8x16_t x = vld1q_s8(a[r] + k);
                for (int c = 0; c < STRIP; c++) sums[r][c] = vdotq_s32(sums[r][c], x, w[c]);
            }
        }
        for (size_t r = 0; r < rows; r++) {
            int32_t result[STRIP];
            for (int c = 0; c < STRIP; c++) result[c] = vaddvq_s32(sums[r][c]);
            gemm_store(strip, row + r, result);
        }
    }
}
#endif
