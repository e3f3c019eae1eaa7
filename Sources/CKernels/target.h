#ifndef CKERNELS_TARGET_H
#define CKERNELS_TARGET_H

// Functions for one instruction set, and loops that must vanish.

#define INLINE static inline __attribute__((always_inline))

#define UNROLL _Pragma("clang loop unroll(full)")

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))
#define AVXVNNI __attribute__((target("avx2,avxvnni")))
#define AVX512VNNI \
    __attribute__((target("avx2,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#elif defined(__aarch64__)
#define SDOT __attribute__((target("dotprod")))
#define I8MM __attribute__((target("i8mm")))
#endif

#endif
