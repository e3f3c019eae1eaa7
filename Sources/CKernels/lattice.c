#include "rounding.h"
#include "widths.h"

#pragma STDC FP_CONTRACT OFF

enum { LANES = 16 };
typedef float lanes_f32 __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int32_t lanes_i32 __attribute__((vector_size(LANES * 4)));

/// a + b where the lane's bit `half` is clear, a - b where it is set, of the pairs of lanes that
/// differ in that bit. Adding a negated value is subtracting it, to the bit.
#define BUTTERFLY(v, first, second, signs)                                             \
    (__builtin_shufflevector(v, v, first) +                                            \
     (lanes_f32)((lanes_i32)__builtin_shufflevector(v, v, second) ^ (signs)))
#define LANES_OF(...) __VA_ARGS__

/// The transform of each run of 16 values, in registers.
INLINE void hadamard_16(float *values, size_t count) {
    const int32_t minus = INT32_MIN;
    const lanes_i32 sign1 = {0, minus, 0, minus, 0, minus, 0, minus,
                             0, minus, 0, minus, 0, minus, 0, minus};
    const lanes_i32 sign2 = {0, 0, minus, minus, 0, 0, minus, minus,
                             0, 0, minus, minus, 0, 0, minus, minus};
    const lanes_i32 sign4 = {0, 0, 0, 0, minus, minus, minus, minus,
                             0, 0, 0, 0, minus, minus, minus, minus};
    const lanes_i32 sign8 = {0,     0,     0,     0,     0,     0,     0,     0,
                             minus, minus, minus, minus, minus, minus, minus, minus};
    for (size_t i = 0; i < count; i += LANES) {
        lanes_f32 v = *(lanes_f32 *)(values + i);
        v = BUTTERFLY(v, LANES_OF(0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14),
                      LANES_OF(1, 1, 3, 3, 5, 5, 7, 7, 9, 9, 11, 11, 13, 13, 15, 15), sign1);
        v = BUTTERFLY(v, LANES_OF(0, 1, 0, 1, 4, 5, 4, 5, 8, 9, 8, 9, 12, 13, 12, 13),
                      LANES_OF(2, 3, 2, 3, 6, 7, 6, 7, 10, 11, 10, 11, 14, 15, 14, 15), sign2);
        v = BUTTERFLY(v, LANES_OF(0, 1, 2, 3, 0, 1, 2, 3, 8, 9, 10, 11, 8, 9, 10, 11),
                      LANES_OF(4, 5, 6, 7, 4, 5, 6, 7, 12, 13, 14, 15, 12, 13, 14, 15), sign4);
        v = BUTTERFLY(v, LANES_OF(0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7),
                      LANES_OF(8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15), sign8);
        *(lanes_f32 *)(values + i) = v;
    }
}

/// The stages of one block from pairs `half` apart on.
INLINE void hadamard_stages(float *values, size_t block, size_t half) {
    for (; half < block; half *= 2)
        for (size_t group = 0; group < block; group += 2 * half) {
            float *restrict low = values + group, *restrict high = values + group + half;
            for (size_t i = 0; i < half; i++) {
                float a = low[i], b = high[i];
                low[i] = a + b;
                high[i] = a - b;
            }
        }
}

INLINE void hadamard(float *values, size_t count, size_t block) {
    if (block < LANES) {
        for (size_t first = 0; first < count; first += block)
            hadamard_stages(values + first, block, 1);
        return;
    }
    for (size_t first = 0; first < count; first += block) {
        hadamard_16(values + first, block);
        hadamard_stages(values + first, block, LANES);
    }
}

INLINE void accumulate(const int8_t *restrict values, size_t count, int64_t weight,
                       int64_t *restrict sums) {
    if (weight == (int32_t)weight) {  // CPUs have vector products of 32 bits to 64
        for (size_t i = 0; i < count; i++) sums[i] += (int64_t)(int32_t)weight * values[i];
    } else {
        for (size_t i = 0; i < count; i++) sums[i] += weight * values[i];
    }
}

INLINE void accumulate_32(const int8_t *restrict values, size_t count, int32_t weight,
                          int32_t *restrict sums) {
    for (size_t i = 0; i < count; i++) sums[i] += weight * values[i];
}

INLINE void accumulate_16(const int8_t *restrict values, size_t count, int16_t weight,
                          int16_t *restrict sums) {
    for (size_t i = 0; i < count; i++) sums[i] = (int16_t)(sums[i] + weight * values[i]);
}

/// Looks at each run twice, the second time in the first-level cache.
INLINE int64_t byte_norm(const int8_t *restrict values, size_t count) {
    enum { RUN = 1 << 14 };  // squares up to 2^14 of which fit 32 bits
    int64_t squares = 0;
    for (size_t first = 0; first < count; first += RUN) {
        const size_t end = count - first < RUN ? count : first + RUN;
        int32_t sum = 0;
        for (size_t i = first; i < end; i++) sum += (int32_t)values[i] * values[i];
        int8_t found = 0;
        for (size_t i = first; i < end; i++) found |= values[i] == INT8_MIN;
        if (found) return -1;
        squares += sum;
    }
    return squares;
}

INLINE void round_stochastic(const float *restrict values, size_t count, float scale,
                             const uint32_t *restrict random, int8_t *restrict q) {
    for (size_t i = 0; i < count; i++) {
        float u = (float)(int32_t)(random[i] >> 8) * 0x1p-24f;
        float v = clamp(values[i] / scale, -127, 127) + u;
        float nearest = round_even(v);
        int32_t floor = (int32_t)nearest - (nearest > v);
        q[i] = (int8_t)(floor < 127 ? floor : 127);
    }
}

FOR_EACH_WIDTH(void, hadamard, (float *values, size_t count, size_t block), (values, count, block))
FOR_EACH_WIDTH(void, accumulate,
               (const int8_t *values, size_t count, int64_t weight, int64_t *sums),
               (values, count, weight, sums))
FOR_EACH_WIDTH(void, accumulate_32,
               (const int8_t *values, size_t count, int32_t weight, int32_t *sums),
               (values, count, weight, sums))
FOR_EACH_WIDTH(void, accumulate_16,
               (const int8_t *values, size_t count, int16_t weight, int16_t *sums),
               (values, count, weight, sums))
FOR_EACH_WIDTH(int64_t, byte_norm, (const int8_t *values, size_t count), (values, count))
FOR_EACH_WIDTH(void, round_stochastic,
               (const float *values, size_t count, float scale, const uint32_t *random, int8_t *q),
               (values, count, scale, random, q))

void ck_hadamard(ck_isa isa, float *values, size_t count, size_t block) {
    hadamard_for(isa)(values, count, block);
}

void ck_accumulate(ck_isa isa, const int8_t *values, size_t count, int64_t weight, int64_t *sums) {
    accumulate_for(isa)(values, count, weight, sums);
}

void ck_accumulate_32(ck_isa isa, const int8_t *values, size_t count, int32_t weight,
                      int32_t *sums) {
    accumulate_32_for(isa)(values, count, weight, sums);
}

void ck_accumulate_16(ck_isa isa, const int8_t *values, size_t count, int16_t weight,
                      int16_t *sums) {
    accumulate_16_for(isa)(values, count, weight, sums);
}

int64_t ck_byte_norm(ck_isa isa, const int8_t *values, size_t count) {
    return byte_norm_for(isa)(values, count);
}

void ck_round_stochastic(ck_isa isa, const float *values, size_t count, float scale,
                         const uint32_t *random, int8_t *q) {
    round_stochastic_for(isa)(values, count, scale, random, q);
}
