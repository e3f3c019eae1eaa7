#include "gemm.h"

#pragma STDC FP_CONTRACT OFF

void gemm_strip_scalar(const gemm_strip *strip) {
    for (size_t row = 0; row < strip->rows; row++) {
        const int8_t *a = strip->a + row * strip->stride;
        int32_t result[STRIP] = {0};
        for (size_t c = 0; c < strip->used; c++)
            for (size_t k = 0; k < strip->stride; k++) result[c] += a[k] * strip->w[c][k];
        gemm_store(strip, row, result);
    }
}

static gemm_strip_function *strip_function(ck_isa isa) {
    switch (isa) {
#if defined(__x86_64__)
        case CK_AVX2: return gemm_strip_avx2;
        case CK_AVXVNNI: return gemm_strip_avxvnni;
        case CK_AVX512VNNI: return gemm_strip_avx512vnni;
#elif defined(__aarch64__)
        case CK_NEON: return gemm_strip_neon;
        case CK_SDOT: return gemm_strip_sdot;
#endif
        default: return gemm_strip_scalar;
    }
}

void ck_int8_gemm(ck_isa isa, const int8_t *a, size_t rows, const int8_t *w, const int32_t *w_sums,
                  size_t channels, size_t stride, int32_t *out) {
    gemm_strip_function *function = strip_function(isa);
    gemm_strip strip = {.a = a, .rows = rows, .stride = stride, .channels = channels};
    for (size_t first = 0; first < channels; first += STRIP) {
        strip.used = channels - first < STRIP ? channels - first : STRIP;
        strip.out = out + first;
        for (size_t c = 0; c < STRIP; c++) {
            size_t channel = first + (c < strip.used ? c : strip.used - 1);
            strip.w[c] = w + channel * stride;
            strip.sum[c] = w_sums[channel];
        }
        function(&strip);
    }
}
