#include "peak.h"

#include <stdbool.h>

// Enough independent sums to hide an instruction's latency, few enough to stay in registers.
#define UNROLL _Pragma("clang loop unroll(full)")
/// Keeps the compiler from doing the loop's work once instead of every round.
#define KEEP(registers, value) __asm__ volatile("" : "+" registers(value))

#if defined(__x86_64__)
#include <immintrin.h>

enum { CHAINS = 12 };

__attribute__((target("avx512f"))) static double avx512(uint64_t rounds) {
    __m512 sums[CHAINS], a = _mm512_set1_ps(0.5f), b = _mm512_set1_ps(0.25f);
    UNROLL for (int i = 0; i < CHAINS; i++) sums[i] = _mm512_set1_ps((float)i);
    for (uint64_t round = 0; round < rounds; round++)
        UNROLL for (int i = 0; i < CHAINS; i++) {
            sums[i] = _mm512_fmadd_ps(sums[i], a, b);
            KEEP("v", sums[i]);
        }
    return (double)rounds * CHAINS * 16 * 2;
}

__attribute__((target("avx2,fma"))) static double fma3(uint64_t rounds) {
    __m256 sums[CHAINS], a = _mm256_set1_ps(0.5f), b = _mm256_set1_ps(0.25f);
    UNROLL for (int i = 0; i < CHAINS; i++) sums[i] = _mm256_set1_ps((float)i);
    for (uint64_t round = 0; round < rounds; round++)
        UNROLL for (int i = 0; i < CHAINS; i++) {
            sums[i] = _mm256_fmadd_ps(sums[i], a, b);
            KEEP("x", sums[i]);
        }
    return (double)rounds * CHAINS * 8 * 2;
}

static bool has_avx512(void) { return __builtin_cpu_supports("avx512f"); }

const char *peak_fp32_instruction(void) {
    return has_avx512() ? "vfmadd213ps zmm" : "vfmadd213ps ymm";
}

double peak_fp32_run(uint64_t rounds) { return has_avx512() ? avx512(rounds) : fma3(rounds); }

#elif defined(__aarch64__)
#include <arm_neon.h>

enum { CHAINS = 16 };

const char *peak_fp32_instruction(void) { return "fmla"; }

double peak_fp32_run(uint64_t rounds) {
    float32x4_t sums[CHAINS], a = vdupq_n_f32(0.5f), b = vdupq_n_f32(0.25f);
    UNROLL for (int i = 0; i < CHAINS; i++) sums[i] = vdupq_n_f32((float)i);
    for (uint64_t round = 0; round < rounds; round++)
        UNROLL for (int i = 0; i < CHAINS; i++) {
            sums[i] = vfmaq_f32(b, sums[i], a);
            KEEP("w", sums[i]);
        }
    return (double)rounds * CHAINS * 4 * 2;
}
#endif
