#include <float.h>
#include <math.h>
#include <string.h>

#include "gemm.h"
#include "rounding.h"
#include "widths.h"

#pragma STDC FP_CONTRACT OFF

INLINE void normalise(const float *x, size_t rows, size_t width, const float *offset,
                      const float *scale, bool per_feature, float *out) {
    for (size_t row = 0; row < rows; row++, x += width, out += width) {
        if (per_feature) {
            for (size_t i = 0; i < width; i++) out[i] = (x[i] - offset[i]) / scale[i];
        } else {
            for (size_t i = 0; i < width; i++) out[i] = (x[i] - offset[0]) / scale[0];
        }
    }
}

FOR_EACH_WIDTH(void, normalise,
               (const float *x, size_t rows, size_t width, const float *offset,
                const float *scale, bool per_feature, float *out),
               (x, rows, width, offset, scale, per_feature, out))

void ck_normalise(ck_isa isa, const float *x, size_t rows, size_t width, const float *offset,
                  const float *scale, bool per_feature, float *out) {
    normalise_for(isa)(x, rows, width, offset, scale, per_feature, out);
}

INLINE void quantise(const float *x, size_t rows, size_t width, float scale, int32_t zero_point,
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

FOR_EACH_WIDTH(void, quantise,
               (const float *x, size_t rows, size_t width, float scale, int32_t zero_point,
                int8_t *q, size_t stride, float *scaled),
               (x, rows, width, scale, zero_point, q, stride, scaled))

void ck_quantise(ck_isa isa, const float *x, size_t rows, size_t width, float scale,
                 int32_t zero_point, int8_t *q, size_t stride, float *scaled) {
    quantise_for(isa)(x, rows, width, scale, zero_point, q, stride, scaled);
}

void ck_requantise(ck_isa isa, const int32_t *acc, size_t rows, size_t width, const int32_t *bias,
                   const float *multiplier, int32_t zero_point, int8_t *q, size_t stride,
                   float *scaled) {
    requantise_block block = {.acc = acc,
                              .acc_stride = width,
                              .rows = rows,
                              .width = width,
                              .bias = bias,
                              .multiplier = multiplier,
                              .zero_point = zero_point,
                              .q = q,
                              .q_stride = stride,
                              .scaled = scaled,
                              .scaled_stride = width};
    kernel_set_of(isa)->requantise(&block);
}

void ck_requantise_images(ck_isa isa, const int32_t *acc, size_t count, size_t positions,
                          size_t channels, const int32_t *bias, const float *multiplier,
                          int32_t zero_point, int8_t *q, size_t image_stride, float *scaled) {
    for (size_t n = 0; n < count; n++) {
        size_t first = n * positions * channels;
        ck_requantise(isa, acc + first, positions, channels, bias, multiplier, zero_point,
                      q + n * image_stride, channels, scaled ? scaled + first : NULL);
    }
}

INLINE void dequantise(const int8_t *restrict q, size_t stride, size_t rows, size_t width,
                       float scale, int32_t zero_point, float *restrict x) {
    for (size_t row = 0; row < rows; row++, q += stride, x += width)
        for (size_t i = 0; i < width; i++) x[i] = (float)(q[i] - zero_point) * scale;
}

FOR_EACH_WIDTH(void, dequantise,
               (const int8_t *q, size_t stride, size_t rows, size_t width, float scale,
                int32_t zero_point, float *x),
               (q, stride, rows, width, scale, zero_point, x))

void ck_dequantise(ck_isa isa, const int8_t *q, size_t stride, size_t rows, size_t width,
                   float scale, int32_t zero_point, float *x) {
    dequantise_for(isa)(q, stride, rows, width, scale, zero_point, x);
}

/// max |w|; the lanes let the compiler use vectors, and a maximum is the same in any order.
INLINE float largest_magnitude(const float *w, size_t width) {
    enum { LANES = 16, UNROLLED = 4 * LANES };
    float lanes[UNROLLED] = {0};
    size_t i = 0;
    for (; i + UNROLLED <= width; i += UNROLLED)
        for (size_t lane = 0; lane < UNROLLED; lane++) {
            float magnitude = fabsf(w[i + lane]);
            lanes[lane] = magnitude > lanes[lane] ? magnitude : lanes[lane];
        }
    for (; i + LANES <= width; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++) {
            float magnitude = fabsf(w[i + lane]);
            lanes[lane] = magnitude > lanes[lane] ? magnitude : lanes[lane];
        }
    for (size_t step = UNROLLED / 2; step > 0; step /= 2)
        for (size_t lane = 0; lane < step; lane++)
            lanes[lane] = lanes[lane + step] > lanes[lane] ? lanes[lane + step] : lanes[lane];
    float largest = lanes[0];
    for (; i < width; i++) largest = fabsf(w[i]) > largest ? fabsf(w[i]) : largest;
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

/// Weights that are rounded at a time, of as many channels.
enum { RUN = 16, TOGETHER = 4 };

/// q [RUN] = rne(clamp(w / scale, -127, 127)), by division.
INLINE void divide_run(const float *w, size_t used, float scale, int8_t *q) {
    for (size_t i = 0; i < used; i++)
        q[i] = (int8_t)(int32_t)round_even(clamp(w[i] / scale, -127, 127));
}

/// The same as long as every weight times the `inverse` of the scale, which takes less time, is far
/// enough from the middle between two integers: its error is below 127 * 2^-22. Returns whether it
/// is, and adds q to sums [RUN].
INLINE bool multiply_run(const float *restrict w, float inverse, int8_t *restrict q,
                         uint32_t *restrict sums) {
    const float magic = 12582912.0f, clear = 0.49996f;  // as in round_even
    const uint32_t zero = 0x4b400000;                   // the bits of `magic`
    int32_t unclear = 0;
    for (size_t i = 0; i < RUN; i++) {
        float v = w[i] * inverse, sum = v + magic;
        unclear |= !(fabsf(v - (sum - magic)) <= clear);
        uint32_t bits;
        memcpy(&bits, &sum, sizeof bits);
        q[i] = (int8_t)bits;
        sums[i] += bits - zero;
    }
    return !unclear;
}

typedef int32_t four_groups __attribute__((vector_size(16)));

/// Puts four groups of each of TOGETHER channels among the packed weights.
INLINE void pack_runs(const int8_t q[TOGETHER][RUN], int8_t *to) {
    four_groups rows[TOGETHER], low[2], high[2], columns[4];
    memcpy(rows, q, sizeof rows);
    for (int i = 0; i < 2; i++) {
        low[i] = __builtin_shufflevector(rows[2 * i], rows[2 * i + 1], 0, 4, 1, 5);
        high[i] = __builtin_shufflevector(rows[2 * i], rows[2 * i + 1], 2, 6, 3, 7);
    }
    columns[0] = __builtin_shufflevector(low[0], low[1], 0, 1, 4, 5);
    columns[1] = __builtin_shufflevector(low[0], low[1], 2, 3, 6, 7);
    columns[2] = __builtin_shufflevector(high[0], high[1], 0, 1, 4, 5);
    columns[3] = __builtin_shufflevector(high[0], high[1], 2, 3, 6, 7);
    for (size_t g = 0; g < 4; g++) memcpy(to + g * PANEL * GROUP, columns + g, sizeof *columns);
}

/// Rounds TOGETHER channels, the first of which is `channel`, to their places among the packed
/// weights.
INLINE void round_channels(const float *restrict w, size_t channel, size_t width,
                           const float *restrict scales, int8_t *restrict packed,
                           int32_t *restrict sums) {
    const float smallest = 0x1p-100f;  // whose inverse is a normal number
    uint32_t lanes[TOGETHER][RUN] = {{0}};
    float inverses[TOGETHER];
    bool invertible = true;
    for (size_t c = 0; c < TOGETHER; c++) {
        inverses[c] = 1 / scales[c];
        invertible &= scales[c] >= smallest;
    }
    int8_t *to = packed + ck_packed_size(channel / PANEL * PANEL, width) + channel % PANEL * GROUP;
    size_t k = 0;
    for (; k + RUN <= width; k += RUN, to += RUN * PANEL) {
        int8_t q[TOGETHER][RUN];
        uint32_t added[TOGETHER][RUN];
        memcpy(added, lanes, sizeof added);
        bool clear = invertible;
        for (size_t c = 0; c < TOGETHER; c++)
            clear &= multiply_run(w + c * width + k, inverses[c], q[c], added[c]);
        if (__builtin_expect(!clear, 0)) {
            memcpy(added, lanes, sizeof added);
            for (size_t c = 0; c < TOGETHER; c++) {
                divide_run(w + c * width + k, RUN, scales[c], q[c]);
                for (size_t i = 0; i < RUN; i++) added[c][i] += (uint32_t)q[c][i];
            }
        }
        memcpy(lanes, added, sizeof lanes);
        pack_runs(q, to);
    }
    for (size_t c = 0; c < TOGETHER; c++) {
        uint32_t sum = 0;
        for (size_t i = 0; i < RUN; i++) sum += lanes[c][i];
        sums[c] = (int32_t)sum;
        int8_t q[RUN];
        divide_run(w + c * width + k, width - k, scales[c], q);
        for (size_t i = 0; i < width - k; i++) sums[c] += q[i];
        pack_weights(q, channel + c, k, width - k, width, packed);
    }
}

/// Rounds one channel.
INLINE void round_channel(const float *restrict w, size_t channel, size_t width, float scale,
                          int8_t *restrict packed, int32_t *restrict sum) {
    *sum = 0;
    for (size_t first = 0; first < width; first += RUN) {
        const size_t used = width - first < RUN ? width - first : RUN;
        int8_t q[RUN];
        divide_run(w + first, used, scale, q);
        for (size_t i = 0; i < used; i++) *sum += q[i];
        pack_weights(q, channel, first, used, width, packed);
    }
}

INLINE void quantise_weights(const float *w, const float *bias, size_t channels, size_t width,
                             float input_scale, int8_t *packed, float *scales, int32_t *sums) {
    for (size_t c = 0; c < channels; c += TOGETHER, w += TOGETHER * width) {
        const size_t count = channels - c < TOGETHER ? channels - c : TOGETHER;
        for (size_t i = 0; i < count; i++)
            scales[c + i] =
                channel_scale(largest_magnitude(w + i * width, width), bias[c + i], input_scale);
        if (count == TOGETHER) {
            round_channels(w, c, width, scales + c, packed, sums + c);
            continue;
        }
        for (size_t i = 0; i < count; i++)
            round_channel(w + i * width, c + i, width, scales[c + i], packed, sums + c + i);
    }
}

FOR_EACH_WIDTH(void, quantise_weights,
               (const float *w, const float *bias, size_t channels, size_t width,
                float input_scale, int8_t *packed, float *scales, int32_t *sums),
               (w, bias, channels, width, input_scale, packed, scales, sums))

void ck_quantise_layer(ck_isa isa, const float *w, const float *bias, size_t channels,
                       size_t width, float input_scale, int8_t *packed, float *scales,
                       int32_t *sums, int32_t *q_bias) {
    quantise_weights_for(isa)(w, bias, channels, width, input_scale, packed, scales, sums);
    // The scales keep finite biases within the limit.
    ck_quantise_bias(bias, channels, input_scale, scales, q_bias);
}

void ck_quantise_bias(const float *bias, size_t channels, float input_scale, const float *scales,
                      int32_t *q_bias) {
    for (size_t c = 0; c < channels; c++) {
        double units = rint((double)bias[c] / ((double)input_scale * scales[c]));
        units = units < 4194304 ? units : isnan(units) ? 0 : 4194304;
        q_bias[c] = (int32_t)(units > -4194304 ? units : -4194304);
    }
}

void ck_dequantise_weights(const int8_t *packed, size_t channels, size_t width,
                           const float *scales, float *w) {
    for (size_t c = 0; c < channels; c++, w += width) {
        const int8_t *from = packed + ck_packed_size(c / PANEL * PANEL, width) + c % PANEL * GROUP;
        size_t k = 0;
        for (; k + GROUP <= width; k += GROUP, from += PANEL * GROUP)
            for (size_t i = 0; i < GROUP; i++) w[k + i] = (float)from[i] * scales[c];
        for (size_t i = 0; k + i < width; i++) w[k + i] = (float)from[i] * scales[c];
    }
}

/// The scale of a channel whose weights are to be rounded at random; see ck_round_weights.
static float fitting_scale(const float *w, size_t width, float scale) {
    const float headroom = 112, smallest = 0x1p-100f;
    bool finite = true;
    for (size_t i = 0; i < width; i++) finite &= fabsf(w[i]) <= FLT_MAX;
    if (!finite) return NAN;
    float largest = largest_magnitude(w, width);
    if (largest > 127 * scale) return largest / headroom;
    while (largest > 0 && largest < 63.5f * scale && scale > smallest) scale /= 2;
    return scale;
}

/// Random words: a permutation of 32 bits (Wellons' lowbias32).
INLINE uint32_t mixed(uint32_t x) {
    x = (x ^ x >> 16) * 0x7feb352d;
    x = (x ^ x >> 15) * 0x846ca68b;
    return x ^ x >> 16;
}

INLINE void random_words(uint64_t key, size_t first, size_t count, uint32_t *words) {
    for (size_t i = 0; i < count; i++)
        words[i] = mixed(mixed((uint32_t)(first + i) + (uint32_t)key) ^ (uint32_t)(key >> 32));
}

FOR_EACH_WIDTH(void, random_words, (uint64_t key, size_t first, size_t count, uint32_t *words),
               (key, first, count, words))

void ck_round_weights(ck_isa isa, const float *w, size_t channels, size_t width, uint64_t key,
                      int8_t *packed, float *scales, int32_t *sums) {
    enum { CHUNK = 256 };
    for (size_t c = 0; c < channels; c++) {
        scales[c] = fitting_scale(w + c * width, width, scales[c]);
        sums[c] = 0;
        for (size_t first = 0; first < width; first += CHUNK) {
            size_t used = width - first < CHUNK ? width - first : CHUNK;
            uint32_t random[CHUNK];
            int8_t q[CHUNK];
            random_words_for(isa)(key, c * width + first, used, random);
            ck_round_stochastic(isa, w + c * width + first, used, scales[c], random, q);
            for (size_t i = 0; i < used; i++) sums[c] += q[i];
            pack_weights(q, c, first, used, width, packed);
        }
    }
}

enum { LANES = 16 };

/// Up to LANES elements of ck_quantiser_gradient; adds to as many sums.
INLINE void gradient_lanes(const float *restrict scaled, const size_t used, float low, float high,
                           float *restrict gradient, float *restrict sums) {
    for (size_t lane = 0; lane < used; lane++) {
        float v = scaled[lane], g = gradient[lane];
        float bounded = clamp(v, low, high);
        bool inside = bounded == v;
        sums[lane] += g * (inside ? round_even(bounded) - v : bounded);
        gradient[lane] = inside ? g : 0;
    }
}

INLINE float quantiser_gradient(const float *scaled, size_t count, float low, float high,
                                float *gradient) {
    // Lanes fix the order of the additions, so that every CPU gets the same sum and the compiler
    // may use vectors.
    float sums[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        gradient_lanes(scaled + i, LANES, low, high, gradient + i, sums);
    gradient_lanes(scaled + i, count - i, low, high, gradient + i, sums);
    float sum = 0;
    for (size_t lane = 0; lane < LANES; lane++) sum += sums[lane];
    return sum;
}

FOR_EACH_WIDTH(float, quantiser_gradient,
               (const float *scaled, size_t count, float low, float high, float *gradient),
               (scaled, count, low, high, gradient))

float ck_quantiser_gradient(ck_isa isa, const float *scaled, size_t count, float low, float high,
                            float *gradient) {
    return quantiser_gradient_for(isa)(scaled, count, low, high, gradient);
}
