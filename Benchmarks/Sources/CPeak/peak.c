#include "peak.h"

#include <stdbool.h>

// Enough independent sums to hide an instruction's latency, few enough to stay in registers.
#define UNROLL _Pragma("clang loop unroll(full)")
/// Keeps the compiler from doing the loop's work once instead of every round.
#define KEEP(registers, value) __asm__ volatile("" : "+" registers(value))

#if defined(__x86_64__)
#include <immintrin.h>

enum { CHAINS = 12 };

__attribute__((target("avx512f,avx512vnni"))) static double avx512vnni(uint64_t rounds) {
    __m512i sums[CHAINS], a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(5);
    UNROLL for (int i = 0; i < CHAINS; i++) sums[i] = _mm512_set1_epi32(i);
    for (uint64_t round = 0; round < rounds; round++)
        UNROLL for (int i = 0; i < CHAINS; i++) {
            sums[i] = _mm512_dpbusd_epi32(sums[i], a, b);
            KEEP("v", sums[i]);
        }
    return (double)rounds * CHAINS * 64 * 2;
}

__attribute__((target("avx2,avxvnni"))) static double avxvnni(uint64_t rounds) {
    __m256i sums[CHAINS], a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(5);
    UNROLL for (int i = 0; i < CHAINS; i++) sums[i] = _mm256_set1_epi32(i);
    for (uint64_t round = 0; round < rounds; round++)
        UNROLL for (int i = 0; i < CHAINS; i++) {
            sums[i] = _mm256_dpbusd_avx_epi32(sums[i], a, b);
            KEEP("x", sums[i]);
        }
    return (double)rounds * CHAINS * 32 * 2;
}

__attribute__((target("avx2"))) static double avx2(uint64_t rounds) {
    __m256i sums[CHAINS], a = _mm256_set1_epi16(3), b = _mm256_set1_epi16(5);
    UNROLL for (int i = 0; i < CHAINS; i++) sums[i] = _mm256_set1_epi32(i);
    for (uint64_t round = 0; round < rounds; round++)
        UNROLL for (int i = 0; i < CHAINS; i++) {
            __m256i products = _mm256_madd_epi16(a, b);
            KEEP("x", products);
            sums[i] = _mm256_add_epi32(sums[i], products);
            KEEP("x", sums[i]);
        }
    return (double)rounds * CHAINS * 16 * 2;
}

static bool has_avx512vnni(void) { return __builtin_cpu_supports("avx512vnni"); }
static bool has_avxvnni(void) { return __builtin_cpu_supports("avxvnni"); }

const char *peak_instruction(void) {
    return has_avx512vnni() ? "vpdpbusd zmm" : has_avxvnni() ? "vpdpbusd ymm" : "vpmaddwd ymm";
}

double peak_run(uint64_t rounds) {
    return has_avx512vnni() ? avx512vnni(rounds) : has_avxvnni() ? avxvnni(rounds) : avx2(rounds);
}

#elif defined(__aarch64__)
#include <arm_neon.h>
#include <sys/auxv.h>

enum { CHAINS = 16 };

__attribute__((target("i8mm"))) static double smmla(uint64_t rounds) {
    int32x4_t sums[CHAINS];
    int8x16_t a = vdupq_n_s8(3), b = vdupq_n_s8(5);
    UNROLL for (int i = 0; i < CHAINS; i++) sums[i] = vdupq_n_s32(i);
    for (uint64_t round = 0; round < rounds; round++)
        UNROLL for (int i = 0; i < CHAINS; i++) {
            sums[i] = vmmlaq_s32(sums[i], a, b);
            KEEP("w", sums[i]);
        }
    return (double)rounds * CHAINS * 32 * 2;
}

__attribute__((target("dotprod"))) static double sdot(uint64_t rounds) {
    int32x4_t sums[CHAINS];
    int8x16_t a = vdupq_n_s8(3), b = vdupq_n_s8(5);
    UNROLL for (int i = 0; i < CHAINS; i++) sums[i] = vdupq_n_s32(i);
    for (uint64_t round = 0; round < rounds; round++)
        UNROLL for (int i = 0; i < CHAINS; i++) {
            sums[i] = vdotq_s32(sums[i], a, b);
            KEEP("w", sums[i]);
        }
    return (double)rounds * CHAINS * 16 * 2;
}

static double smlal(uint64_t rounds) {
    int16x8_t sums[CHAINS];
    int8x8_t a = vdup_n_s8(3), b = vdup_n_s8(5);
    UNROLL for (int i = 0; i < CHAINS; i++) sums[i] = vdupq_n_s16((int16_t)i);
    for (uint64_t round = 0; round < rounds; round++)
        UNROLL for (int i = 0; i < CHAINS; i++) {
            sums[i] = vmlal_s8(sums[i], a, b);
            KEEP("w", sums[i]);
        }
    return (double)rounds * CHAINS * 8 * 2;
}

static bool has_sdot(void) { return (getauxval(AT_HWCAP) & (1ul << 20)) != 0; }
static bool has_smmla(void) { return (getauxval(AT_HWCAP2) & (1ul << 13)) != 0; }

const char *peak_instruction(void) { return has_smmla() ? "smmla" : has_sdot() ? "sdot" : "smlal"; }

double peak_run(uint64_t rounds) {
    return has_smmla() ? smmla(rounds) : has_sdot() ? sdot(rounds) : smlal(rounds);
}
#endif
