#pragma once

// What is used of OpenBLAS, by the declarations of its own header. The library is loaded when its first product is asked
// for: a program that needs none of it, as an agent that waits for work, does not pay for 30 MiB of it. Where there is no
// library, plain loops take its place.

#include <cblas.h>
#include <stdbool.h>

// `cblas_sgemm`, row-major.
void blas_sgemm(
    CBLAS_TRANSPOSE transpose_a, CBLAS_TRANSPOSE transpose_b, blasint m, blasint n, blasint k, float alpha,
    const float *a, blasint lda, const float *b, blasint ldb, float beta, float *c, blasint ldc);

// `openblas_set_num_threads`. Holds from the first product on, if it comes before that: the library starts no more threads
// then. It changes the environment: call it before the process has a second thread.
void blas_set_threads(int count);

// Loads the library now.
void blas_load(void);

// Whether a product, or the library itself, was asked for and there is no library. Loads nothing.
bool blas_is_missing(void);

// `openblas_get_corename`: the processor whose kernels the library chose; null where there is no library.
const char *blas_core_name(void);
