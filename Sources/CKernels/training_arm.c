// AArch64 tiles of the gradient by a dense layer's weights, and lookups.

#include "training.h"
#include "target.h"

#if defined(__aarch64__)
#include <arm_neon.h>

/// Eight channels by eight columns at a time, whose sums stay in registers.
void multiply_gradient_neon(const gradient_tile *tile, int32_t *out) {
    for (size_t column = 0; column < TILE_COLUMNS; column += 8) {
        int32x4_t sums[TILE_CHANNELS][2];
        UNROLL for (int c = 0; c < TILE_CHANNELS; c++)
            UNROLL for (int i = 0; i < 2; i++) sums[c][i] = vdupq_n_s32(0);
        const uint32_t *g = tile->gradient, *x = tile->input + column;
        for (size_t p = 0; p < tile->pairs; p++, g += BLOCK_CHANNELS, x += TILE_COLUMNS) {
            int16x8x2_t values = vld2q_s16((const int16_t *)x);
            UNROLL for (int c = 0; c < TILE_CHANNELS; c++)
                UNROLL for (int half = 0; half < 2; half++) {
                    int16_t word = (int16_t)(g[c] >> 16 * half);
                    int16x8_t v = values.val[half];
                    sums[c][0] = vmlal_n_s16(sums[c][0], vget_low_s16(v), word);
                    sums[c][1] = vmlal_high_n_s16(sums[c][1], v, word);
                }
        }
        UNROLL for (int c = 0; c < TILE_CHANNELS; c++)
            UNROLL for (int i = 0; i < 2; i++)
                vst1q_s32(out + c * TILE_COLUMNS + column + 4 * i, sums[c][i]);
    }
}

void look_up_neon(const uint8_t *x, size_t count, const int8_t *table, int8_t *out) {
    uint8x16x4_t quarters[4];
    UNROLL for (int i = 0; i < 4; i++) quarters[i] = vld1q_u8_x4((const uint8_t *)table + 64 * i);
    for (size_t i = 0; i < count; i += 16) {
        uint8x16_t bytes = vld1q_u8(x + i);
        uint8x16_t found = vqtbl4q_u8(quarters[0], bytes);
        // An index beyond the quarter leaves what was found.
        UNROLL for (int part = 1; part < 4; part++)
            found = vqtbx4q_u8(found, quarters[part],
                               vsubq_u8(bytes, vdupq_n_u8((uint8_t)(64 * part))));
        vst1q_u8((uint8_t *)out + i, found);
    }
}
#endif
