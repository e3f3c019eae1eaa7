#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Numeric kernels whose results are the same to the bit on every CPU.
//
// Shapes are written [rows, columns], row-major. "Padded" matrices have rows of `stride` elements,
// of which the first `width` count; the others are read up to the next multiple of
// CK_ROW_ALIGNMENT, but their values do not matter.
//
// Functions that take a ck_isa give the same results for each one that is available.

enum { CK_ROW_ALIGNMENT = 8 };

// ---- Instruction sets ----

typedef enum {
    CK_SCALAR,
    CK_AVX2,
    CK_AVXVNNI,
    CK_AVX512VNNI,
    CK_NEON,
    CK_SDOT,
    CK_I8MM,
    CK_ISA_COUNT
} ck_isa;

/// "scalar", "avx2", "avxvnni", "avx512vnni", "neon", "sdot" or "i8mm".
const char *ck_isa_name(ck_isa isa);

/// Whether this CPU, and this build, can run `isa`.
bool ck_isa_available(ck_isa isa);

/// The fastest available one, or the one the environment variable TRIBUTARY_ISA names if it is
/// available.
ck_isa ck_isa_preferred(void);

// ---- Integer matrix product ----
//
// Weights [channels, width] are packed into panels of 16 channels, in which four weights of each
// channel are followed by the next four. No weight is -128. width <= 32768 keeps every sum, with a
// zero point taken off, below 2^30.

/// Channels of a panel: what is packed from a multiple of this on lies ck_packed_size(that, width)
/// bytes further.
enum { CK_PANEL_CHANNELS = 16 };

/// Bytes of packed weights, which begin as zeros.
size_t ck_packed_size(size_t channels, size_t width);

/// Packs w [channels, width].
void ck_pack(const int8_t *w, size_t channels, size_t width, int8_t *packed);

/// The inverse of ck_pack; w is padded.
void ck_unpack(const int8_t *packed, size_t channels, size_t width, int8_t *w, size_t stride);

/// out [rows, channels] = a (padded) [rows, width] x w (packed) [channels, width]^T, exact in
/// int32.
void ck_int8_gemm(ck_isa isa, const int8_t *a, size_t rows, size_t stride, const int8_t *w,
                  size_t channels, size_t width, int32_t *out);

/// ck_int8_gemm and ck_requantise in one: q (padded) [rows, channels].
void ck_int8_layer(ck_isa isa, const int8_t *a, size_t rows, size_t stride, const int8_t *w,
                   size_t channels, size_t width, const int32_t *bias, const float *multiplier,
                   int32_t zero_point, int8_t *q, size_t q_stride, float *scaled);

/// The layer of `count` images with `positions` pixels of `channels` values each: as ck_int8_layer
/// for the count * positions rows of `a`; image n of `q` begins at n * image_stride.
void ck_int8_images(ck_isa isa, const int8_t *a, size_t count, size_t positions, size_t stride,
                    const int8_t *w, size_t channels, size_t width, const int32_t *bias,
                    const float *multiplier, int32_t zero_point, int8_t *q, size_t image_stride,
                    float *scaled);

// ---- Quantisation ----

/// out [rows, width] = (x - offset) / scale in float32. `offset` and `scale` hold one value if
/// `per_feature` is false, else `width`. `out` may be `x`.
void ck_normalise(ck_isa isa, const float *x, size_t rows, size_t width, const float *offset,
                  const float *scale, bool per_feature, float *out);

/// QuantizeLinear: q (padded) = saturate(rne(x / scale) + zero_point) to [-128, 127]; NaN becomes
/// -128.
///
/// If `scaled` [rows, width] is not NULL it receives x / scale; it may be `x`.
void ck_quantise(ck_isa isa, const float *x, size_t rows, size_t width, float scale,
                 int32_t zero_point, int8_t *q, size_t stride, float *scaled);

/// What QLinearConv does to its accumulators: q (padded) = rne(clamp(f32(acc + bias) * multiplier,
/// -128 - zero_point, 127 - zero_point)) + zero_point.
///
/// `acc` is [rows, width], `bias` and `multiplier` are [width]. If `scaled` [rows, width] is not
/// NULL it receives the product before the clamp.
void ck_requantise(ck_isa isa, const int32_t *acc, size_t rows, size_t width, const int32_t *bias,
                   const float *multiplier, int32_t zero_point, int8_t *q, size_t stride,
                   float *scaled);

/// ck_requantise for `count` images of `positions` pixels with `channels` values each: image n of
/// `q` begins at n * image_stride. `acc` and `scaled` are [count, positions, channels].
void ck_requantise_images(ck_isa isa, const int32_t *acc, size_t count, size_t positions,
                          size_t channels, const int32_t *bias, const float *multiplier,
                          int32_t zero_point, int8_t *q, size_t image_stride, float *scaled);

/// DequantizeLinear: x [rows, width] = f32(q - zero_point) * scale; `q` is padded.
void ck_dequantise(ck_isa isa, const int8_t *q, size_t stride, size_t rows, size_t width,
                   float scale, int32_t zero_point, float *x);

/// Quantises a layer: w [channels, width] to `packed` in [-127, 127] with one scale a channel, bias
/// [channels] to `q_bias` in units of input_scale * scale. `sums` [channels] receives the sums of
/// the rounded weights.
///
/// scale = max|w| / 127, raised where the bias would otherwise pass 2^22 units, and 1 for a channel
/// of zeros.
void ck_quantise_layer(ck_isa isa, const float *w, const float *bias, size_t channels,
                       size_t width, float input_scale, int8_t *packed, float *scales,
                       int32_t *sums, int32_t *q_bias);

/// q_bias [channels] = rne(bias / (input_scale * scale)), within 2^22 units; 0 for NaN.
void ck_quantise_bias(const float *bias, size_t channels, float input_scale, const float *scales,
                      int32_t *q_bias);

/// w [channels, width] = packed weights times their channel's scale.
void ck_dequantise_weights(const int8_t *packed, size_t channels, size_t width,
                           const float *scales, float *w);

/// Rounds w [channels, width] to `packed` by ck_round_stochastic, with random bits that `key`
/// decides.
///
/// A channel's scale stays while 63.5 scale <= max|w| <= 127 scale. Beyond, it becomes max|w| / 112;
/// below, it is halved until it fits. NaN, if a weight is not finite.
void ck_round_weights(ck_isa isa, const float *w, size_t channels, size_t width, uint64_t key,
                      int8_t *packed, float *scales, int32_t *sums);

/// The backward pass of a quantiser whose clamp is [low, high] in units of its scale.
///
/// `scaled` and `gradient` have `count` elements. On return `gradient` is zero where `scaled` lay
/// outside the clamp (straight-through estimator). Returns the sum of gradient * d(quantised) /
/// d(scale): rne(v) - v inside, the bound outside (LSQ, Esser et al. 2020, before its gradient
/// scaling).
float ck_quantiser_gradient(ck_isa isa, const float *scaled, size_t count, float low, float high,
                            float *gradient);

// ---- Convolution ----
//
// Images are stored with their channels innermost: an image is [height, width, channels]. Images of
// bytes lie `image_stride` elements apart, images of floats directly one after the other. A patch
// is what a window sees, [kernel_height, kernel_width, channels]; there are out_height x out_width
// of them, row-major.

typedef struct {
    size_t height, width, channels;  // of an image
    size_t kernel_height, kernel_width;
    size_t step_height, step_width;  // from one window to the next
    size_t top, left;                // rows and columns of padding before the image
    size_t out_height, out_width;    // windows; those that reach past the image see padding there
} ck_window;

/// patches (padded) [count * out_height * out_width, kernel_height * kernel_width * channels] of
/// `count` images; outside an image there is `padding`.
void ck_patches_int8(const ck_window *window, const int8_t *images, size_t count,
                     size_t image_stride, int8_t padding, int8_t *patches, size_t patch_stride);

/// As ck_patches_int8 for floats, without padded rows; outside an image there is 0.
void ck_patches_float(const ck_window *window, const float *images, size_t count, float *patches);

/// The transpose of ck_patches_float: adds every element of every patch to the element of the image
/// that it was read from.
void ck_add_patches(ck_isa isa, const ck_window *window, const float *patches, size_t count,
                    float *images);

/// out [count, out_height, out_width, channels]: each channel of each patch times that channel's
/// weights, exact in int32.
///
/// `w` is [channels, kernel_height * kernel_width], packed.
void ck_depthwise(ck_isa isa, const ck_window *window, const int8_t *images, size_t count,
                  size_t image_stride, int8_t padding, const int8_t *w, int32_t *out);

/// The backward pass of a depthwise convolution in float32.
///
/// `gradients` [count, out_height, out_width, channels] belong to its output. Adds to `w_gradients`
/// [channels, kernel_height * kernel_width], and, unless NULL, to `image_gradients`, shaped like
/// `images`. `w` is shaped like `w_gradients`.
void ck_depthwise_gradients(ck_isa isa, const ck_window *window, const float *gradients,
                            const float *images, size_t count, const float *w, float *w_gradients,
                            float *image_gradients);

/// The largest value of each channel of each patch; padding never wins, and of equals the first in
/// row-major order does.
///
/// out has out_stride elements an image, of which out_height * out_width * channels are written.
/// If `winners` [count, out_height, out_width, channels] is not NULL it receives the index of each
/// largest value in its image. Every window must see a part of the image.
void ck_max_pool(ck_isa isa, const ck_window *window, const int8_t *images, size_t count,
                 size_t image_stride, int8_t *out, size_t out_stride, int32_t *winners);

/// Adds gradients [count, outputs] to the elements of image_gradients [count, inputs] that
/// `winners` [count, outputs] name.
void ck_add_to_winners(const float *gradients, const int32_t *winners, size_t count, size_t outputs,
                       size_t inputs, float *image_gradients);

// ---- Lattice ----

/// Unscaled fast Walsh-Hadamard transform, in place, of each run of `block` values; `block` is a
/// power of two that divides `count`. Additions and subtractions only, in one fixed order.
void ck_hadamard(ck_isa isa, float *values, size_t count, size_t block);

/// Changes the sign of values [count] where the bit of `signs` is set, the least significant bit of
/// a word first.
void ck_flip_signs(ck_isa isa, float *values, size_t count, const uint64_t *signs);

/// ck_flip_signs, then ck_hadamard, with a visit to each value less.
void ck_rotate(ck_isa isa, float *values, size_t count, size_t block, const uint64_t *signs);

/// sums[i] += weight * values[i].
void ck_accumulate(ck_isa isa, const int8_t *values, size_t count, int64_t weight, int64_t *sums);

/// The same in sums of 32 bits, which neither a product nor a sum leaves.
void ck_accumulate_32(ck_isa isa, const int8_t *values, size_t count, int32_t weight,
                      int32_t *sums);

/// The same in sums of 16 bits, which neither a product nor a sum leaves.
void ck_accumulate_16(ck_isa isa, const int8_t *values, size_t count, int16_t weight,
                      int16_t *sums);

/// The sum of the squares of values [count]; -1 if one of them is -128.
int64_t ck_byte_norm(ck_isa isa, const int8_t *values, size_t count);

/// q = min(floor(clamp(x / scale, -127, 127) + u), 127), whose mean is x / scale inside the clamp:
/// u is uniform in [0, 1), the high 24 bits of each of `random` [count] over 2^24. NaN becomes -127
/// or -126.
void ck_round_stochastic(ck_isa isa, const float *x, size_t count, float scale,
                         const uint32_t *random, int8_t *q);

// ---- Update codec ----

/// The sum of the squares of x [count], in double and in one fixed order.
double ck_sum_of_squares(ck_isa isa, const float *x, size_t count);

/// out [count] = x - from; `out` may be `x`. Returns what ck_sum_of_squares gives for it.
double ck_subtract_floats(ck_isa isa, const float *x, const float *from, size_t count,
                          float *out);

/// x [count] *= factor, multiplied in double.
void ck_scale_floats(ck_isa isa, float *x, size_t count, double factor);

/// out [count] = x * factor, multiplied in double.
void ck_scale_integers(ck_isa isa, const int64_t *x, size_t count, double factor, float *out);

/// The same of 32 bits.
void ck_scale_integers_32(ck_isa isa, const int32_t *x, size_t count, double factor, float *out);

/// out [count] = x * factor.
void ck_scale_bytes(ck_isa isa, const int8_t *x, size_t count, float factor, float *out);

/// A step of a server's weights [count] along an average change [count].
typedef struct {
    const float *weights;
    const float *velocities;  // NULL for zeros
    const float *average;
    size_t count;
    float momentum, rate;
} ck_momentum_step;

/// velocities = momentum * step->velocities - average; weights = step->weights - rate * velocities.
/// Returns whether all of both are finite.
bool ck_step_with_momentum(ck_isa isa, const ck_momentum_step *step, float *weights,
                           float *velocities);

/// Whether no value is infinite or NaN.
bool ck_all_finite(ck_isa isa, const float *x, size_t count);

/// out [columns, rows] = x [rows, columns] transposed, times scale. The rows of `x` begin x_stride
/// values apart, those of `out` out_stride.
void ck_transpose(ck_isa isa, const float *x, size_t x_stride, size_t rows, size_t columns,
                  float scale, float *out, size_t out_stride);

/// q = floor(v + u), where v is x clamped to [-127, 127], its magnitude cut off after 32 bits of
/// fraction, and u is each of `random` [count] over 2^32: the mean is v. Returns the sum of q^2.
int64_t ck_round_to_lattice(ck_isa isa, const float *x, size_t count, const uint32_t *random,
                            int8_t *q);

// ---- Random numbers ----

/// The `count` numbers that SplitMix64 gives after `state`; `words` need not be aligned.
void ck_splitmix(ck_isa isa, uint64_t state, size_t count, void *words);

#endif
