#ifndef CKERNELS_WIDTHS_H
#define CKERNELS_WIDTHS_H

#include "ckernels.h"
#include "target.h"

// Functions of plain loops, which the compiler turns into vectors, compiled once for each width of
// vectors that a build may meet. The baseline of AArch64 has NEON, that of x86-64 SSE2.

/// Defines NAME_for(isa), the copy of the inlined function NAME to use with `isa`.
#define FOR_EACH_WIDTH(result, name, parameters, arguments) \
    COPY(, baseline, result, name, parameters, arguments)   \
    WIDER_COPIES(result, name, parameters, arguments)       \
    static __typeof__(&name##_baseline) name##_for(ck_isa isa) { return CHOOSE(isa, name); }

#define COPY(target, width, result, name, parameters, arguments) \
    target static result name##_##width parameters { return name arguments; }

#if defined(__x86_64__)
#define WIDER_COPIES(result, name, parameters, arguments) \
    COPY(AVX2, avx2, result, name, parameters, arguments) \
    COPY(AVX512VNNI, avx512, result, name, parameters, arguments)
#define CHOOSE(isa, name)                                         \
    (isa) == CK_AVX512VNNI                         ? name##_avx512 \
    : (isa) == CK_AVX2 || (isa) == CK_AVXVNNI ? name##_avx2        \
                                              : name##_baseline
#else
#define WIDER_COPIES(result, name, parameters, arguments)
#define CHOOSE(isa, name) ((void)(isa), name##_baseline)
#endif

#endif
