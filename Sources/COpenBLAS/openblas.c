#include "openblas.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
// Whether it was asked for and there is none.
static atomic_bool is_missing;

// Its functions; all null where there is no library.
static struct {
    __typeof__(cblas_sgemm) *sgemm;
    __typeof__(openblas_set_num_threads) *set_num_threads;
    __typeof__(openblas_get_corename) *get_corename;
} library;

static void load(void) {
    atomic_store(&is_missing, true);
    void *handle = dlopen("libopenblas.so.0", RTLD_LAZY | RTLD_LOCAL);
    if (!handle) return;
    void *sgemm = dlsym(handle, "cblas_sgemm");
    void *set_num_threads = dlsym(handle, "openblas_set_num_threads");
    void *get_corename = dlsym(handle, "openblas_get_corename");
    if (!sgemm || !set_num_threads || !get_corename) return;
    library.sgemm = (__typeof__(cblas_sgemm) *)sgemm;
    library.set_num_threads = (__typeof__(openblas_set_num_threads) *)set_num_threads;
    library.get_corename = (__typeof__(openblas_get_corename) *)get_corename;
    atomic_store(&is_missing, false);
}

void blas_sgemm(
    CBLAS_TRANSPOSE transpose_a, CBLAS_TRANSPOSE transpose_b, blasint m, blasint n, blasint k, float alpha,
    const float *a, blasint lda, const float *b, blasint ldb, float beta, float *c, blasint ldc) {
    pthread_once(&once, load);
    if (library.sgemm) {
        library.sgemm(
            CblasRowMajor, transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        return;
    }
    for (ptrdiff_t row = 0; row < m; row++) {
        float *out = c + row * ldc;
        // What is decayed to nothing may not have been a number.
        for (ptrdiff_t column = 0; column < n; column++) out[column] = beta == 0 ? 0 : beta * out[column];
        for (ptrdiff_t inner = 0; inner < k; inner++) {
            const float factor = alpha * (transpose_a == CblasTrans ? a[inner * lda + row] : a[row * lda + inner]);
            for (ptrdiff_t column = 0; column < n; column++)
                out[column] += factor * (transpose_b == CblasTrans ? b[column * ldb + inner] : b[inner * ldb + column]);
        }
    }
}

void blas_set_threads(int count) {
    // What the library reads when it is loaded: a thread that it started would stay.
    char text[16];
    snprintf(text, sizeof text, "%d", count);
    setenv("OPENBLAS_NUM_THREADS", text, 1);
    if (library.set_num_threads) library.set_num_threads(count);
}

void blas_load(void) { pthread_once(&once, load); }

bool blas_is_missing(void) { return atomic_load(&is_missing); }

const char *blas_core_name(void) {
    pthread_once(&once, load);
    return library.get_corename ? library.get_corename() : NULL;
}
