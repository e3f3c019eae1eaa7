#ifndef PEAK_H
#define PEAK_H

#include <stdint.h>

/// The fastest instruction for products of bytes that this CPU has and a loop here knows, by name.
const char *peak_instruction(void);

/// Runs that instruction on registers alone, `rounds` times a fixed number of independent chains;
/// returns the multiplications and additions that were done.
double peak_run(uint64_t rounds);

/// The fastest fused multiplication and addition of float32 that this CPU has, by name.
const char *peak_fp32_instruction(void);

/// As `peak_run`, with that instruction.
double peak_fp32_run(uint64_t rounds);

#endif
