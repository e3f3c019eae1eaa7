#include <stdlib.h>
#include <string.h>

#include "ckernels.h"

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

#pragma STDC FP_CONTRACT OFF

const char *ck_isa_name(ck_isa isa) {
    static const char *const names[CK_ISA_COUNT] = {
        [CK_SCALAR] = "scalar",         [CK_AVX2] = "avx2", [CK_AVXVNNI] = "avxvnni",
        [CK_AVX512VNNI] = "avx512vnni", [CK_NEON] = "neon", [CK_SDOT] = "sdot",
        [CK_I8MM] = "i8mm",
    };
    return isa < CK_ISA_COUNT ? names[isa] : "unknown";
}

bool ck_isa_available(ck_isa isa) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    switch (isa) {
        case CK_SCALAR: return true;
        case CK_AVX2: return __builtin_cpu_supports("avx2");
        case CK_AVXVNNI: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("avxvnni");
        case CK_AVX512VNNI:
            return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
        default: return false;
    }
#elif defined(__aarch64__)
    const unsigned long dot_product = 1ul << 20;       // HWCAP_ASIMDDP
    const unsigned long matrix_product = 1ul << 13;  // HWCAP2_I8MM
    const bool has_dot_product = (getauxval(AT_HWCAP) & dot_product) != 0;
    switch (isa) {
        case CK_SCALAR:
        case CK_NEON: return true;
        case CK_SDOT: return has_dot_product;
        case CK_I8MM: return has_dot_product && (getauxval(AT_HWCAP2) & matrix_product) != 0;
        default: return false;
    }
#else
    return isa == CK_SCALAR;
#endif
}

ck_isa ck_isa_preferred(void) {
    static const ck_isa fastest_first[] = {CK_AVX512VNNI, CK_AVXVNNI, CK_AVX2, CK_I8MM,
                                           CK_SDOT,       CK_NEON,    CK_SCALAR};
    const size_t count = sizeof fastest_first / sizeof fastest_first[0];
    const char *wanted = getenv("TRIBUTARY_ISA");
    for (size_t i = 0; wanted && i < count; i++)
        if (strcmp(wanted, ck_isa_name(fastest_first[i])) == 0 &&
            ck_isa_available(fastest_first[i]))
            return fastest_first[i];
    for (size_t i = 0; i < count; i++)
        if (ck_isa_available(fastest_first[i])) return fastest_first[i];
    return CK_SCALAR;
}
