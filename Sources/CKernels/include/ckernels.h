#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Numeric kernels whose results are the same to the bit on every CPU.
//
// Shapes are written [rows, columns], row-major. "Padded" matrices have rows of `stride` elements,
// a multiple of CK_ROW_ALIGNMENT, of which the first `width` count; weights are zero beyond
// `width`.

enum { CK_ROW_ALIGNMENT = 64 };

// ---- Instruction sets ----

typedef enum {
    CK_SCALAR,
    CK_AVX2,
    CK_AVXVNNI,
    CK_AVX512VNNI,
    CK_NEON,
    CK_SDOT,
    CK_ISA_COUNT
} ck_isa;

/// "scalar", "avx2", "avxvnni", "avx512vnni", "neon" or "sdot".
const char *ck_isa_name(ck_isa isa);

/// Whether this CPU, and this build, can run `isa`.
bool ck_isa_available(ck_isa isa);

/// The fastest available one, or the one the environment variable TRIBUTARY_ISA names if it is
/// available.
ck_isa ck_isa_preferred(void);

// ---- Integer matrix product ----

/// out [rows, channels] = a [rows, width] x w [channels, width]^T, exact in int32.
///
/// `a` and `w` are padded with the same `stride`; `w` holds no -128; `w_sums` [channels] are the
/// sums of its rows. width <= 32768 keeps every sum, with a zero point taken off, below 2^30.
void ck_int8_gemm(ck_isa isa, const int8_t *a, size_t rows, const int8_t *w, const int32_t *w_sums,
                  size_t channels, size_t stride, int32_t *out);

// ---- Quantisation ----

/// out [rows, width] = (x - offset) / scale in float32. `offset` and `scale` hold one value if
/// `per_feature` is false, else `width`. `out` may be `x`.
void ck_normalise(const float *x, size_t rows, size_t width, const float *offset,
                  const float *scale, bool per_feature, float *out);

/// QuantizeLinear: q (padded) = saturate(rne(x / scale) + zero_point) to [-128, 127]; NaN becomes
/// -128.
///
/// If `scaled` [rows, width] is not NULL it receives x / scale; it may be `x`.
void ck_quantise(const float *x, size_t rows, size_t width, float scale, int32_t zero_point,
                 int8_t *q, size_t stride, float *scaled);

/// What QLinearConv does to its accumulators: q (padded) = rne(clamp(f32(acc + bias) * multiplier,
/// -128 - zero_point, 127 - zero_point)) + zero_point.
///
/// `acc` is [rows, width], `bias` and `multiplier` are [width]. If `scaled` [rows, width] is not
/// NULL it receives the product before the clamp.
void ck_requantise(const int32_t *acc, size_t rows, size_t width, const int32_t *bias,
                   const float *multiplier, int32_t zero_point, int8_t *q, size_t stride,
                   float *scaled);

/// DequantizeLinear: x [rows, width] = f32(q - zero_point) * scale; `q` is padded.
void ck_dequantise(const int8_t *q, size_t stride, size_t rows, size_t width, float scale,
                   int32_t zero_point, float *x);

/// Quantises a dense layer: w [channels, width] to `q` (padded) in [-127, 127] with one scale a
/// channel, bias [channels] to `q_bias` in units of input_scale * scale. `sums` [channels] receives
/// the row sums of `q`.
///
/// scale = max|w| / 127, raised where the bias would otherwise pass 2^22 units, and 1 for a channel
/// of zeros.
void ck_quantise_layer(const float *w, const float *bias, size_t channels, size_t width,
                       float input_scale, int8_t *q, size_t stride, float *scales, int32_t *sums,
                       int32_t *q_bias);

/// The backward pass of a quantiser whose clamp is [low, high] in units of its scale.
///
/// `scaled` and `gradient` have `count` elements. On return `gradient` is zero where `scaled` lay
/// outside the clamp (straight-through estimator). Returns the sum of gradient * d(quantised) /
/// d(scale): rne(v) - v inside, the bound outside (LSQ, Esser et al. 2020, before its gradient
/// scaling).
float ck_quantiser_gradient(const float *scaled, size_t count, float low, float high,
                            float *gradient);

// ---- Lattice ----

/// Unscaled fast Walsh-Hadamard transform, in place, of each run of `block` values; `block` is a
/// power of two that divides `count`. Additions and subtractions only, in one fixed order.
void ck_hadamard(float *values, size_t count, size_t block);

/// sums[i] += weight * values[i].
void ck_accumulate(const int8_t *values, size_t count, int64_t weight, int64_t *sums);

#endif
