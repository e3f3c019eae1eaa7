#include "rounding.h"
#include "widths.h"

#pragma STDC FP_CONTRACT OFF

enum { LANES = 16 };
typedef float lanes_f32 __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int32_t lanes_i32 __attribute__((vector_size(LANES * 4)));
typedef uint32_t lanes_u32 __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef uint32_t float_bits __attribute__((may_alias));

INLINE void flip_signs(float *values, size_t count, const uint64_t *signs) {
    float_bits *bits = (float_bits *)values;
    size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        const uint32_t word = (uint32_t)(signs[i / 64] >> (i % 64));
        for (uint32_t k = 0; k < 32; k++) bits[i + k] ^= word >> k << 31;
    }
    for (; i < count; i++) bits[i] ^= (uint32_t)(signs[i / 64] >> (i % 64)) << 31;
}

/// a + b where the lane's bit `half` is clear, a - b where it is set, of the pairs of lanes that
/// differ in that bit. Adding a negated value is subtracting it, to the bit.
#define BUTTERFLY(v, others, signs) \
    (__builtin_shufflevector(v, v, others) + (lanes_f32)((lanes_i32)(v) ^ (signs)))
#define LANES_OF(...) __VA_ARGS__

/// The first four stages of 16 values.
INLINE void hadamard_16(lanes_f32 *values) {
    lanes_f32 v = *values;
    const int32_t minus = INT32_MIN;
    const lanes_i32 sign1 = {0, minus, 0, minus, 0, minus, 0, minus,
                             0, minus, 0, minus, 0, minus, 0, minus};
    const lanes_i32 sign2 = {0, 0, minus, minus, 0, 0, minus, minus,
                             0, 0, minus, minus, 0, 0, minus, minus};
    const lanes_i32 sign4 = {0, 0, 0, 0, minus, minus, minus, minus,
                             0, 0, 0, 0, minus, minus, minus, minus};
    const lanes_i32 sign8 = {0,     0,     0,     0,     0,     0,     0,     0,
                             minus, minus, minus, minus, minus, minus, minus, minus};
    v = BUTTERFLY(v, LANES_OF(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14), sign1);
    v = BUTTERFLY(v, LANES_OF(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13), sign2);
    v = BUTTERFLY(v, LANES_OF(4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11), sign4);
    v = BUTTERFLY(v, LANES_OF(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7), sign8);
    *values = v;
}

/// One stage: the pairs of values `half` apart.
INLINE void hadamard_stage(float *values, size_t block, size_t half) {
    for (size_t group = 0; group < block; group += 2 * half) {
        float *restrict low = values + group, *restrict high = values + group + half;
        for (size_t i = 0; i < half; i++) {
            float a = low[i], b = high[i];
            low[i] = a + b;
            high[i] = a - b;
        }
    }
}

/// Two stages, of pairs `half` and 2 `half` values apart, with one visit to each value.
INLINE void hadamard_two_stages(float *values, size_t block, size_t half) {
    for (size_t group = 0; group < block; group += 4 * half) {
        float *restrict v0 = values + group, *restrict v1 = v0 + half;
        float *restrict v2 = v1 + half, *restrict v3 = v2 + half;
        for (size_t i = 0; i < half; i++) {
            const float a = v0[i] + v1[i], b = v0[i] - v1[i];
            const float c = v2[i] + v3[i], d = v2[i] - v3[i];
            v0[i] = a + c;
            v1[i] = b + d;
            v2[i] = a - c;
            v3[i] = b - d;
        }
    }
}

/// Changes the signs that the low bits of `word` say.
INLINE void flip_16(lanes_f32 *values, uint32_t word) {
    const lanes_u32 place = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    *values = (lanes_f32)((lanes_u32)*values ^ (word >> place << 31));
}

/// The first six stages of each run of 64 values, in registers, after a change of signs unless
/// `signs` is NULL.
INLINE void hadamard_64(float *values, size_t count, const uint64_t *signs) {
    for (size_t i = 0; i < count; i += 4 * LANES) {
        lanes_f32 v[4];
        UNROLL for (size_t k = 0; k < 4; k++) {
            v[k] = *(const lanes_f32 *)(values + i + k * LANES);
            if (signs) flip_16(&v[k], (uint32_t)(signs[i / 64] >> (16 * k)));
            hadamard_16(&v[k]);
        }
        const lanes_f32 a = v[0] + v[1], b = v[0] - v[1], c = v[2] + v[3], d = v[2] - v[3];
        *(lanes_f32 *)(values + i) = a + c;
        *(lanes_f32 *)(values + i + LANES) = b + d;
        *(lanes_f32 *)(values + i + 2 * LANES) = a - c;
        *(lanes_f32 *)(values + i + 3 * LANES) = b - d;
    }
}

INLINE void hadamard(float *values, size_t count, size_t block, const uint64_t *signs) {
    if (block < 4 * LANES) {
        if (signs) flip_signs(values, count, signs);
        for (size_t half = 1; half < block; half *= 2) hadamard_stage(values, count, half);
        return;
    }
    for (size_t first = 0; first < count; first += block) {
        float *const run = values + first;
        hadamard_64(run, block, signs ? signs + first / 64 : NULL);
        size_t half = 4 * LANES;
        for (; 4 * half <= block; half *= 4) hadamard_two_stages(run, block, half);
        if (half < block) hadamard_stage(run, block, half);
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

FOR_EACH_WIDTH(void, hadamard,
               (float *values, size_t count, size_t block, const uint64_t *signs),
               (values, count, block, signs))
FOR_EACH_WIDTH(void, flip_signs, (float *values, size_t count, const uint64_t *signs),
               (values, count, signs))
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
    hadamard_for(isa)(values, count, block, NULL);
}

void ck_rotate(ck_isa isa, float *values, size_t count, size_t block, const uint64_t *signs) {
    hadamard_for(isa)(values, count, block, signs);
}

void ck_flip_signs(ck_isa isa, float *values, size_t count, const uint64_t *signs) {
    flip_signs_for(isa)(values, count, signs);
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
