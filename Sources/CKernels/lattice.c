#include "ckernels.h"

#pragma STDC FP_CONTRACT OFF

void ck_hadamard(float *values, size_t count, size_t block) {
    for (size_t first = 0; first < count; first += block) {
        float *v = values + first;
        for (size_t half = 1; half < block; half *= 2) {
            for (size_t group = 0; group < block; group += 2 * half) {
                float *restrict low = v + group, *restrict high = v + group + half;
                for (size_t i = 0; i < half; i++) {
                    float a = low[i], b = high[i];
                    low[i] = a + b;
                    high[i] = a - b;
                }
            }
        }
    }
}

void ck_accumulate(const int8_t *values, size_t count, int64_t weight, int64_t *sums) {
    for (size_t i = 0; i < count; i++) sums[i] += weight * values[i];
}
