#include <math.h>

#include "ckernels.h"

#pragma STDC FP_CONTRACT OFF

/// Round half to even, for |v| <= 2^22: the sum has no bits left for a fraction. (Unlike rintf it
/// vectorises everywhere.)
static inline float round_even(float v) {
    const float magic = 12582912.0f;  // 1.5 * 2^23
    return (v + magic) - magic;
}

/// NaN becomes `low`, as in onnxruntime.
static inline float clamp(float v, float low, float high) {
    v = v > low ? v : low;
    return v < high ? v : high;
}

void ck_normalise(const float *x, size_t rows, size_t width, const float *offset,
                  const float *scale, bool per_feature, float *out) {
    for (size_t row = 0; row < rows; row++, x += width, out += width) {
        if (per_feature) {
            for (size_t i = 0; i < width; i++) out[i] = (x[i] - offset[i]) / scale[i];
        } else {
            for (size_t i = 0; i < width; i++) out[i] = (x[i] - offset[0]) / scale[0];
        }
    }
}

void ck_quantise(const float *x, size_t rows, size_t width, float scale, int32_t zero_point,
                 int8_t *q, size_t stride, float *scaled) {
    const float low = (float)(-128 - zero_point), high = (float)(127 - zero_point);
    for (size_t row = 0; row < rows; row++, x += width, q += stride) {
        for (size_t i = 0; i < width; i++) {
            float v = x[i] / scale;
            q[i] = (int8_t)((int32_t)round_even(clamp(v, low, high)) + zero_point);
            if (scaled) scaled[row * width + i] = v;
        }
    }
}

void ck_requantise(const int32_t *acc, size_t rows, size_t width, const int32_t *bias,
                   const float *multiplier, int32_t zero_point, int8_t *q, size_t stride,
                   float *scaled) {
    const float low = (float)(-128 - zero_point), high = (float)(127 - zero_point);
    for (size_t row = 0; row < rows; row++, acc += width, q += stride) {
        for (size_t i = 0; i < width; i++) {
            float v = (float)(acc[i] + bias[i]) * multiplier[i];
            q[i] = (int8_t)((int32_t)round_even(clamp(v, low, high)) + zero_point);
            if (scaled) scaled[row * width + i] = v;
        }
    }
}

void ck_dequantise(const int8_t *q, size_t stride, size_t rows, size_t width, float scale,
                   int32_t zero_point, float *x) {
    for (size_t row = 0; row < rows; row++, q += stride, x += width)
        for (size_t i = 0; i < width; i++) x[i] = (float)(q[i] - zero_point) * scale;
}

/// max |w|; the lanes let the compiler use vectors, and a maximum is the same in any order.
static float largest_magnitude(const float *w, size_t width) {
    enum { LANES = 16 };
    float lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= width; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++) {
            float magnitude = fabsf(w[i + lane]);
            lanes[lane] = lanes[lane] > magnitude ? lanes[lane] : magnitude;
        }
    float largest = 0;
    for (; i < width; i++) largest = fmaxf(largest, fabsf(w[i]));
    for (size_t lane = 0; lane < LANES; lane++) largest = fmaxf(largest, lanes[lane]);
    return largest;
}

/// The scale of one channel whose bias is `bias`; see ck_quantise_layer.
static float channel_scale(float largest, float bias, float input_scale) {
    // For every normal float the scale of 127 * scale is scale again (all mantissas were tried), so
    // dequantised weights keep their scales.
    float scale = largest / 127;
    float needed = fabsf(bias) / (input_scale * 4194304.0f);
    if (scale < needed) {
        int exponent;
        float mantissa = frexpf(needed, &exponent);
        scale = ldexpf(1, mantissa == 0.5f ? exponent - 1 : exponent);
    }
    return scale > 0 ? scale : 1;
}

void ck_quantise_layer(const float *w, const float *bias, size_t channels, size_t width,
                       float input_scale, int8_t *q, size_t stride, float *scales, int32_t *sums,
                       int32_t *q_bias) {
    for (size_t c = 0; c < channels; c++, w += width, q += stride) {
        float scale = channel_scale(largest_magnitude(w, width), bias[c], input_scale);
        int32_t sum = 0;
        for (size_t i = 0; i < width; i++) {
            int32_t value = (int32_t)round_even(clamp(w[i] / scale, -127, 127));
            q[i] = (int8_t)value;
            sum += value;
        }
        scales[c] = scale;
        sums[c] = sum;
        double units = rint((double)bias[c] / ((double)input_scale * scale));
        // channel_scale keeps finite biases within this; a NaN becomes 0.
        q_bias[c] = units >= -4194304 && units <= 4194304 ? (int32_t)units : 0;
    }
}

float ck_quantiser_gradient(const float *scaled, size_t count, float low, float high,
                            float *gradient) {
    // Lanes fix the order of the additions, so that every CPU gets the same sum and the compiler
    // may use vectors.
    enum { LANES = 16 };
    float lanes[LANES] = {0};
    for (size_t first = 0; first < count; first += LANES) {
        size_t used = count - first < LANES ? count - first : LANES;
        for (size_t lane = 0; lane < used; lane++) {
            float v = scaled[first + lane], *g = gradient + first + lane;
            float bounded = clamp(v, low, high);
            bool inside = bounded == v;
            lanes[lane] += *g * (inside ? round_even(bounded) - v : bounded);
            *g = inside ? *g : 0;
        }
    }
    float sum = 0;
    for (size_t lane = 0; lane < LANES; lane++) sum += lanes[lane];
    return sum;
}
