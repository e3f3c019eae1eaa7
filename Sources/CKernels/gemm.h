#ifndef CKERNELS_GEMM_H
#define CKERNELS_GEMM_H

#include <stddef.h>
#include <stdint.h>

#include "ckernels.h"

// The matrix product is cut into strips of this many output channels; each instruction set has one
// function that computes a strip for all rows. Both operands are contiguous along the width, so
// nothing is packed or allocated.
enum { STRIP = 4 };

typedef struct {
    const int8_t *a;         // padded activations
    size_t rows, stride;
    const int8_t *w[STRIP];  // one padded weight row a channel; channels beyond the last repeat it
    int32_t sum[STRIP];      // the sum of each weight row
    int32_t *out;            // first row's entry for the strip's first channel
    size_t channels;         // of the whole product: the distance between rows of `out`
    size_t used;             // channels of this strip that exist, 1 to STRIP
} gemm_strip;

typedef void gemm_strip_function(const gemm_strip *strip);

gemm_strip_function gemm_strip_scalar;
#if defined(__x86_64__)
gemm_strip_function gemm_strip_avx2, gemm_strip_avxvnni, gemm_strip_avx512vnni;
#elif defined(__aarch64__)
gemm_strip_function gemm_strip_neon, gemm_strip_sdot;
#endif

/// Writes one row's results for the channels of the strip that exist.
static inline void gemm_store(const gemm_strip *strip, size_t row, const int32_t result[STRIP]) {
    int32_t *out = strip->out + row * strip->channels;
    for (size_t c = 0; c < strip->used; c++) out[c] = result[c];
}

#endif
