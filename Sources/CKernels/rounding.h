#ifndef CKERNELS_ROUNDING_H
#define CKERNELS_ROUNDING_H

#include "gemm.h"
#include "target.h"

#pragma STDC FP_CONTRACT OFF

/// Round half to even, for |v| <= 2^22: the sum has no bits left for a fraction. (Unlike rintf it
/// vectorises everywhere.)
INLINE float round_even(float v) {
    const float magic = 12582912.0f;  // 1.5 * 2^23
    return (v + magic) - magic;
}

/// NaN becomes `low`, as in onnxruntime.
INLINE float clamp(float v, float low, float high) {
    v = v > low ? v : low;
    return v < high ? v : high;
}

/// Compiled once for each width of vectors.
INLINE void requantise_rows(const requantise_block *block) {
    const float low = (float)(-128 - block->zero_point), high = (float)(127 - block->zero_point);
    const int32_t *restrict bias = block->bias;
    const float *restrict multiplier = block->multiplier;
    const int32_t zero_point = block->zero_point;
    for (size_t row = 0; row < block->rows; row++) {
        const int32_t *restrict acc = block->acc + row * block->acc_stride;
        int8_t *restrict q = block->q + row * block->q_stride;
        for (size_t i = 0; i < block->width; i++) {
            float v = (float)(acc[i] + bias[i]) * multiplier[i];
            q[i] = (int8_t)((int32_t)round_even(clamp(v, low, high)) + zero_point);
        }
        if (!block->scaled) continue;
        float *restrict scaled = block->scaled + row * block->scaled_stride;
        for (size_t i = 0; i < block->width; i++)
            scaled[i] = (float)(acc[i] + bias[i]) * multiplier[i];
    }
}

#endif
