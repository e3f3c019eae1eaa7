#include "rounding.h"
#include "widths.h"

#pragma STDC FP_CONTRACT OFF

enum { LANES = 16 };
typedef float lanes_f32 __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef uint32_t float_bits __attribute__((may_alias));

/// Each lane is a sum of its own, so that vectors of any width add in the same order.
INLINE double sum_of_squares(const float *restrict x, size_t count) {
    double lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            lanes[lane] += (double)x[i + lane] * (double)x[i + lane];
    for (size_t lane = 0; i < count; i++, lane++) lanes[lane] += (double)x[i] * (double)x[i];
    double sum = 0;
    for (size_t lane = 0; lane < LANES; lane++) sum += lanes[lane];
    return sum;
}

/// `out` may be `x`.
INLINE double subtract_floats(const float *x, const float *from, size_t count, float *out) {
    double lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const lanes_f32 change = *(const lanes_f32 *)(x + i) - *(const lanes_f32 *)(from + i);
        *(lanes_f32 *)(out + i) = change;
        for (size_t lane = 0; lane < LANES; lane++)
            lanes[lane] += (double)change[lane] * (double)change[lane];
    }
    for (size_t lane = 0; i < count; i++, lane++) {
        out[i] = x[i] - from[i];
        lanes[lane] += (double)out[i] * (double)out[i];
    }
    double sum = 0;
    for (size_t lane = 0; lane < LANES; lane++) sum += lanes[lane];
    return sum;
}

INLINE void scale_floats(float *x, size_t count, double factor) {
    for (size_t i = 0; i < count; i++) x[i] = (float)((double)x[i] * factor);
}

INLINE void scale_integers(const int64_t *restrict x, size_t count, double factor,
                           float *restrict out) {
    for (size_t i = 0; i < count; i++) out[i] = (float)((double)x[i] * factor);
}

INLINE void scale_integers_32(const int32_t *restrict x, size_t count, double factor,
                              float *restrict out) {
    for (size_t i = 0; i < count; i++) out[i] = (float)((double)x[i] * factor);
}

INLINE void scale_bytes(const int8_t *restrict x, size_t count, float factor,
                        float *restrict out) {
    for (size_t i = 0; i < count; i++) out[i] = (float)x[i] * factor;
}

INLINE bool all_finite(const float *x, size_t count) {
    const float_bits *bits = (const float_bits *)x;
    const uint32_t exponent = 0x7F800000;
    uint32_t found = 0;
    for (size_t i = 0; i < count; i++) found |= (bits[i] & exponent) == exponent;
    return found == 0;
}

INLINE bool momentum_step(const ck_momentum_step *step, float *restrict weights,
                          float *restrict velocities) {
    const float *restrict from = step->weights, *restrict before = step->velocities;
    const float *restrict average = step->average;
    const float momentum = step->momentum, rate = step->rate;
    for (size_t i = 0; i < step->count; i++) {
        velocities[i] = momentum * (before ? before[i] : 0) - average[i];
        weights[i] = from[i] - rate * velocities[i];
    }
    return all_finite(weights, step->count) & all_finite(velocities, step->count);
}

/// Exchanges the off-diagonal quarters of each square of 2 `step` rows and lanes.
#define EXCHANGE(v, step, low, high)                                       \
    for (size_t r = 0; r < LANES; r++)                                     \
        if (!(r & (step))) {                                               \
            const lanes_f32 a = v[r], b = v[r + (step)];                   \
            v[r] = __builtin_shufflevector(a, b, low);                     \
            v[r + (step)] = __builtin_shufflevector(a, b, high);           \
        }
#define LANES_OF(...) __VA_ARGS__

/// A tile of 16 x 16: the rows of `x` are x_stride floats apart, those of `out` out_stride.
INLINE void transpose_tile(const float *x, size_t x_stride, float scale, float *out,
                           size_t out_stride) {
    lanes_f32 v[LANES];
    UNROLL for (size_t r = 0; r < LANES; r++) v[r] = *(const lanes_f32 *)(x + r * x_stride);
    UNROLL EXCHANGE(v, 1, LANES_OF(0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),
                    LANES_OF(1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
    UNROLL EXCHANGE(v, 2, LANES_OF(0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
                    LANES_OF(2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
    UNROLL EXCHANGE(v, 4, LANES_OF(0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
                    LANES_OF(4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
    UNROLL EXCHANGE(v, 8, LANES_OF(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
                    LANES_OF(8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
    UNROLL for (size_t r = 0; r < LANES; r++) *(lanes_f32 *)(out + r * out_stride) = v[r] * scale;
}

/// Square by square, small enough for the second-level cache, since lines of memory a power of two
/// apart share few places there; along the columns of `x` first, so that a line of `out` is
/// completed while it is near.
INLINE void transpose(const float *restrict x, size_t x_stride, size_t rows, size_t columns,
                      float scale, float *restrict out, size_t out_stride) {
    enum { SQUARE = 8 * LANES };
    if (rows < LANES || columns < LANES) {
        for (size_t row = 0; row < rows; row++)
            for (size_t column = 0; column < columns; column++)
                out[column * out_stride + row] = x[row * x_stride + column] * scale;
        return;
    }
    for (size_t top = 0; top < rows; top += SQUARE)
        for (size_t left = 0; left < columns; left += SQUARE)
            for (size_t column = left; column < left + SQUARE && column < columns;
                 column += LANES)
                for (size_t row = top; row < top + SQUARE && row < rows; row += LANES) {
                    // The last tile lies over the one before where it would reach past the edge.
                    const size_t c = column + LANES <= columns ? column : columns - LANES;
                    const size_t r = row + LANES <= rows ? row : rows - LANES;
                    transpose_tile(x + r * x_stride + c, x_stride, scale,
                                   out + c * out_stride + r, out_stride);
                }
}

/// A magnitude is whole + fraction 2^-32, the fraction cut off after 32 bits. Upwards, adding the
/// random bits carries if they exceed the fraction's complement; downwards, taking the fraction off
/// them borrows if they are fewer.
INLINE int64_t round_to_lattice(const float *restrict x, size_t count,
                                const uint32_t *restrict random, int8_t *restrict q) {
    enum { RUN = 1 << 14 };  // squares up to 2^14 of which fit 32 bits
    int64_t squares = 0;
    for (size_t first = 0; first < count; first += RUN) {
        const size_t end = count - first < RUN ? count : first + RUN;
        int32_t sum = 0;
        for (size_t i = first; i < end; i++) {
            const float v = clamp(x[i], -127, 127);
            const int32_t is_negative = v < 0;
            const float magnitude = is_negative ? -v : v;
            const int32_t whole = (int32_t)magnitude;
            const uint32_t fraction = (uint32_t)((magnitude - (float)whole) * 0x1p32f);
            const uint32_t bits = is_negative ? random[i] : ~random[i];
            const int32_t rounded = whole + (bits < fraction);
            q[i] = (int8_t)(is_negative ? -rounded : rounded);
            sum += rounded * rounded;
        }
        squares += sum;
    }
    return squares;
}

FOR_EACH_WIDTH(double, sum_of_squares, (const float *x, size_t count), (x, count))
FOR_EACH_WIDTH(double, subtract_floats,
               (const float *x, const float *from, size_t count, float *out),
               (x, from, count, out))
FOR_EACH_WIDTH(void, scale_floats, (float *x, size_t count, double factor), (x, count, factor))
FOR_EACH_WIDTH(void, scale_integers, (const int64_t *x, size_t count, double factor, float *out),
               (x, count, factor, out))
FOR_EACH_WIDTH(void, scale_integers_32,
               (const int32_t *x, size_t count, double factor, float *out),
               (x, count, factor, out))
FOR_EACH_WIDTH(void, scale_bytes, (const int8_t *x, size_t count, float factor, float *out),
               (x, count, factor, out))
FOR_EACH_WIDTH(bool, momentum_step,
               (const ck_momentum_step *step, float *weights, float *velocities),
               (step, weights, velocities))
FOR_EACH_WIDTH(bool, all_finite, (const float *x, size_t count), (x, count))
FOR_EACH_WIDTH(void, transpose,
               (const float *x, size_t x_stride, size_t rows, size_t columns, float scale,
                float *out, size_t out_stride),
               (x, x_stride, rows, columns, scale, out, out_stride))
FOR_EACH_WIDTH(int64_t, round_to_lattice,
               (const float *x, size_t count, const uint32_t *random, int8_t *q),
               (x, count, random, q))

double ck_sum_of_squares(ck_isa isa, const float *x, size_t count) {
    return sum_of_squares_for(isa)(x, count);
}

double ck_subtract_floats(ck_isa isa, const float *x, const float *from, size_t count,
                          float *out) {
    return subtract_floats_for(isa)(x, from, count, out);
}

void ck_scale_floats(ck_isa isa, float *x, size_t count, double factor) {
    scale_floats_for(isa)(x, count, factor);
}

void ck_scale_integers(ck_isa isa, const int64_t *x, size_t count, double factor, float *out) {
    scale_integers_for(isa)(x, count, factor, out);
}

void ck_scale_integers_32(ck_isa isa, const int32_t *x, size_t count, double factor,
                          float *out) {
    scale_integers_32_for(isa)(x, count, factor, out);
}

void ck_scale_bytes(ck_isa isa, const int8_t *x, size_t count, float factor, float *out) {
    scale_bytes_for(isa)(x, count, factor, out);
}

bool ck_step_with_momentum(ck_isa isa, const ck_momentum_step *step, float *weights,
                           float *velocities) {
    return momentum_step_for(isa)(step, weights, velocities);
}

bool ck_all_finite(ck_isa isa, const float *x, size_t count) {
    return all_finite_for(isa)(x, count);
}

void ck_transpose(ck_isa isa, const float *x, size_t x_stride, size_t rows, size_t columns,
                  float scale, float *out, size_t out_stride) {
    transpose_for(isa)(x, x_stride, rows, columns, scale, out, out_stride);
}

int64_t ck_round_to_lattice(ck_isa isa, const float *x, size_t count, const uint32_t *random,
                            int8_t *q) {
    return round_to_lattice_for(isa)(x, count, random, q);
}
