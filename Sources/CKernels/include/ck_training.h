#ifndef CK_TRAINING_H
#define CK_TRAINING_H

#include "ckernels.h"

// What a step of training does besides the forward pass. As everywhere in these kernels, results
// are the same to the bit on every CPU: products of integers are exact, and floats are added in one
// fixed order, without fused operations.

// ---- Inputs that are bytes ----

/// out (padded) [rows, width] = table [256] at each of x [rows, width].
void ck_look_up(ck_isa isa, const uint8_t *x, size_t rows, size_t width, const int8_t *table,
                int8_t *out, size_t stride);

/// How far rounding moved each value, for the gradient by the quantiser's scale: where v of `scaled`
/// [rows, width] is inside [low, high], `error` (padded) [rows, width] = rne(m) with m =
/// 254 (rne(v) - v), and `rest` (padded) = rne(254 (m - error)); elsewhere 0. `beyond` (padded) = 0
/// inside, else the bound. Bounds fit int8.
///
/// Returns whether any value lies beyond. NaN lies below.
bool ck_rounding_errors(ck_isa isa, const float *scaled, size_t rows, size_t width, float low,
                        float high, int8_t *error, int8_t *rest, int8_t *beyond, size_t stride);

/// The sum over rows and channels of gradient * scale [channels] * product [rows, channels], in
/// double.
double ck_weighted_sum(ck_isa isa, const float *gradient, const int32_t *product,
                       const float *scales, size_t rows, size_t channels);

// ---- Dense layers, backwards ----

/// A batch at a dense layer: the loss's gradient by some of its outputs, [rows, channels], whose
/// rows are `gradient_stride` values apart, and its input, (input (padded) [rows, width] -
/// zero_point) * scale.
typedef struct {
    const float *gradient;
    size_t gradient_stride, rows, channels;
    const int8_t *input;
    size_t input_stride, width;
    int32_t zero_point;  // 0 or -128
    float scale;
} ck_dense_batch;

/// How stochastic gradient descent moves values [count]; arrays that it does without are NULL.
typedef struct {
    float *values, *velocity;
    const float *start;  // what `pull` pulls to
    float rate, momentum, decay, pull;
    bool nesterov;
} ck_descent;

/// Most rows whose gradient descends without being kept.
enum { CK_ROWS_TOGETHER = 128 };

/// out [channels, width] = the gradient by the layer's weights, added to `out` if `adds`.
///
/// Each channel's gradient is rounded to 15 bits and a sign, in units of its largest magnitude
/// among CK_ROWS_TOGETHER rows; the products of those are exact.
void ck_weight_gradient(ck_isa isa, const ck_dense_batch *batch, bool adds, float *out);

/// Moves the weights [channels, width] along that gradient. At most CK_ROWS_TOGETHER rows.
void ck_weight_descent(ck_isa isa, const ck_dense_batch *batch, const ck_descent *descent);

/// Moves values along `gradient` [count].
void ck_descend(ck_isa isa, const ck_descent *descent, const float *gradient, size_t count);

/// out [width] = the sums of the columns of x [rows, width].
void ck_column_sums(ck_isa isa, const float *x, size_t rows, size_t width, float *out);

/// out [rows, width] = gradient [rows, channels] x w [channels, width], added to `out` if `adds`;
/// the rows of `gradient` are `stride` values apart.
void ck_input_gradient(ck_isa isa, const float *gradient, size_t stride, size_t rows,
                       size_t channels, const float *w, size_t width, bool adds, float *out);

#endif
