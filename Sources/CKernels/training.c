#include "training.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "rounding.h"
#include "widths.h"

#pragma STDC FP_CONTRACT OFF

// ---- Inputs that are bytes ----

static void look_up_scalar(const uint8_t *x, size_t count, const int8_t *table, int8_t *out) {
    for (size_t i = 0; i < count; i++) out[i] = table[x[i]];
}

static look_up_bytes *look_up_for(ck_isa isa) {
    switch (isa) {
#if defined(__x86_64__)
        case CK_AVX512VNNI:
            return __builtin_cpu_supports("avx512vbmi") ? look_up_avx512vbmi : look_up_avx2;
        case CK_AVX2:
        case CK_AVXVNNI: return look_up_avx2;
#elif defined(__aarch64__)
        case CK_NEON:
        case CK_SDOT:
        case CK_I8MM: return look_up_neon;
#endif
        default: return look_up_scalar;
    }
}

void ck_look_up(ck_isa isa, const uint8_t *x, size_t rows, size_t width, const int8_t *table,
                int8_t *out, size_t stride) {
    look_up_bytes *look_up = look_up_for(isa);
    if (stride == width) {
        width *= rows;
        rows = 1;
    }
    const size_t whole = width / LOOKUP_BYTES * LOOKUP_BYTES;
    for (size_t row = 0; row < rows; row++, x += width, out += stride) {
        look_up(x, whole, table, out);
        look_up_scalar(x + whole, width - whole, table, out + whole);
    }
}

/// The values of `error` a unit of the quantiser, and those of `rest` a unit of `error`.
static const float error_steps = 254;

INLINE bool rounding_errors(const float *restrict scaled, size_t count, float low, float high,
                            int8_t *restrict error, int8_t *restrict rest,
                            int8_t *restrict beyond) {
    int found = 0;
    for (size_t i = 0; i < count; i++) {
        float v = scaled[i], bounded = clamp(v, low, high);
        int inside = bounded == v;
        float moved = error_steps * (round_even(bounded) - bounded), whole = round_even(moved);
        float left = round_even(error_steps * (moved - whole));
        error[i] = (int8_t)(inside ? (int32_t)whole : 0);
        rest[i] = (int8_t)(inside ? (int32_t)left : 0);
        beyond[i] = (int8_t)(inside ? 0 : (int32_t)bounded);
        found |= !inside;
    }
    return found;
}

FOR_EACH_WIDTH(bool, rounding_errors,
               (const float *scaled, size_t count, float low, float high, int8_t *error,
                int8_t *rest, int8_t *beyond),
               (scaled, count, low, high, error, rest, beyond))

bool ck_rounding_errors(ck_isa isa, const float *scaled, size_t rows, size_t width, float low,
                        float high, int8_t *error, int8_t *rest, int8_t *beyond, size_t stride) {
    bool found = false;
    for (size_t row = 0; row < rows; row++)
        found |=
            rounding_errors_for(isa)(scaled + row * width, width, low, high, error + row * stride,
                                     rest + row * stride, beyond + row * stride);
    return found;
}

enum { SUM_LANES = 8 };

INLINE double weighted_sum(const float *restrict gradient, const int32_t *restrict product,
                           const float *restrict scales, size_t rows, size_t channels) {
    // Lanes fix the order of the additions, so that the compiler may use vectors.
    double lanes[SUM_LANES] = {0};
    for (size_t row = 0; row < rows; row++, gradient += channels, product += channels) {
        size_t c = 0;
        for (; c + SUM_LANES <= channels; c += SUM_LANES)
            for (size_t lane = 0; lane < SUM_LANES; lane++) {
                double real = (double)product[c + lane] * (double)scales[c + lane];
                lanes[lane] += (double)gradient[c + lane] * real;
            }
        for (; c < channels; c++)
            lanes[0] += (double)gradient[c] * ((double)product[c] * (double)scales[c]);
    }
    double sum = 0;
    for (size_t lane = 0; lane < SUM_LANES; lane++) sum += lanes[lane];
    return sum;
}

FOR_EACH_WIDTH(double, weighted_sum,
               (const float *gradient, const int32_t *product, const float *scales, size_t rows,
                size_t channels),
               (gradient, product, scales, rows, channels))

double ck_weighted_sum(ck_isa isa, const float *gradient, const int32_t *product,
                       const float *scales, size_t rows, size_t channels) {
    return weighted_sum_for(isa)(gradient, product, scales, rows, channels);
}

// ---- Descent ----

INLINE void descend(const ck_descent *descent, size_t first, const float *restrict gradient,
                    size_t count) {
    float *restrict values = descent->values + first;
    const float rate = descent->rate, momentum = descent->momentum;
    const float decay = descent->decay, pull = descent->pull;
    if (!descent->start && decay == 0 && !descent->nesterov) {
        if (!descent->velocity) {
            for (size_t i = 0; i < count; i++) values[i] -= rate * gradient[i];
            return;
        }
        float *restrict velocity = descent->velocity + first;
        for (size_t i = 0; i < count; i++) {
            float v = momentum * velocity[i] + gradient[i];
            velocity[i] = v;
            values[i] -= rate * v;
        }
        return;
    }
    const float *restrict start = descent->start ? descent->start + first : NULL;
    float *restrict velocity = descent->velocity ? descent->velocity + first : NULL;
    for (size_t i = 0; i < count; i++) {
        float direction = gradient[i];
        if (start) direction += pull * (values[i] - start[i]);
        direction += decay * values[i];
        if (velocity) {
            velocity[i] = momentum * velocity[i] + direction;
            direction = descent->nesterov ? direction + momentum * velocity[i] : velocity[i];
        }
        values[i] -= rate * direction;
    }
}

FOR_EACH_WIDTH(void, descend,
               (const ck_descent *descent, size_t first, const float *gradient, size_t count),
               (descent, first, gradient, count))

void ck_descend(ck_isa isa, const ck_descent *descent, const float *gradient, size_t count) {
    descend_for(isa)(descent, 0, gradient, count);
}

// ---- The gradient by the weights ----

static size_t lesser(size_t a, size_t b) { return a < b ? a : b; }

/// The two halves of a word.
INLINE int32_t even(uint32_t word) { return (int16_t)(word & 0xffff); }
INLINE int32_t odd(uint32_t word) { return (int32_t)word >> 16; }
INLINE uint32_t paired(int32_t even, int32_t odd) {
    return ((uint32_t)even & 0xffff) | (uint32_t)odd << 16;
}

static void multiply_gradient_scalar(const gradient_tile *tile, int32_t *out) {
    memset(out, 0, TILE_CHANNELS * TILE_COLUMNS * sizeof *out);
    for (size_t pair = 0; pair < tile->pairs; pair++) {
        const uint32_t *x = tile->input + pair * TILE_COLUMNS;
        for (size_t c = 0; c < TILE_CHANNELS; c++) {
            uint32_t g = tile->gradient[pair * BLOCK_CHANNELS + c];
            for (size_t i = 0; i < TILE_COLUMNS; i++)
                out[c * TILE_COLUMNS + i] += even(g) * even(x[i]) + odd(g) * odd(x[i]);
        }
    }
}

static multiply_gradient *multiply_gradient_for(ck_isa isa) {
    switch (isa) {
#if defined(__x86_64__)
        case CK_AVX2: return multiply_gradient_avx2;
        case CK_AVXVNNI: return multiply_gradient_avxvnni;
        case CK_AVX512VNNI: return multiply_gradient_avx512vnni;
#elif defined(__aarch64__)
        case CK_NEON:
        case CK_SDOT:
        case CK_I8MM: return multiply_gradient_neon;
#endif
        default: return multiply_gradient_scalar;
    }
}

/// Some channels of a batch with their gradient rounded.
typedef struct {
    size_t first, used;
    /// Words [pairs, BLOCK_CHANNELS]; zero beyond `used`.
    _Alignas(64) uint32_t gradient[CK_ROWS_TOGETHER / 2 * BLOCK_CHANNELS];
    /// What one unit of each channel's products is worth.
    float units[BLOCK_CHANNELS];
} channel_block;

INLINE void round_gradient(const ck_dense_batch *batch, size_t row, size_t rows,
                           channel_block *block) {
    // Magnitudes are compared as integers, in which order infinities and NaNs are the largest.
    uint32_t largest[BLOCK_CHANNELS] = {0};
    const float *first = batch->gradient + row * batch->gradient_stride + block->first;
    for (size_t r = 0; r < rows; r++) {
        const float *from = first + r * batch->gradient_stride;
        for (size_t c = 0; c < block->used; c++) {
            uint32_t bits;
            memcpy(&bits, from + c, sizeof bits);
            bits &= 0x7fffffff;
            largest[c] = largest[c] > bits ? largest[c] : bits;
        }
    }
    const float levels = 32767, smallest = 0x1p-100f;
    float inverse[BLOCK_CHANNELS] = {0};
    for (size_t c = 0; c < block->used; c++) {
        float magnitude;
        memcpy(&magnitude, largest + c, sizeof magnitude);
        bool finite = magnitude <= FLT_MAX;
        inverse[c] = finite && magnitude > smallest ? levels / magnitude : 0;
        block->units[c] = finite ? magnitude / levels * batch->scale : NAN;
    }
    for (size_t r = 0; r < rows; r += 2) {
        const float *from = first + r * batch->gradient_stride;
        // The row after the last counts for nothing.
        const float *next = r + 1 < rows ? from + batch->gradient_stride : from;
        const float share = r + 1 < rows ? 1 : 0;
        uint32_t *to = block->gradient + r / 2 * BLOCK_CHANNELS;
        for (size_t c = 0; c < block->used; c++) {
            float unit = inverse[c];
            // What is not finite must not be converted.
            float v = unit == 0 ? 0 : round_even(from[c] * unit);
            float w = unit == 0 ? 0 : round_even(next[c] * unit) * share;
            to[c] = paired((int32_t)v, (int32_t)w);
        }
        for (size_t c = block->used; c < BLOCK_CHANNELS; c++) to[c] = 0;
    }
}

/// words [pairs, TILE_COLUMNS] of some columns of the input; zero beyond `used`.
INLINE void pair_input(const ck_dense_batch *batch, size_t row, size_t rows, size_t column,
                       size_t used, uint32_t *words) {
    const int32_t zero_point = batch->zero_point;
    for (size_t r = 0; r < rows; r += 2, words += TILE_COLUMNS) {
        const int8_t *from = batch->input + (row + r) * batch->input_stride + column;
        const int8_t *next = r + 1 < rows ? from + batch->input_stride : from;
        if (used == TILE_COLUMNS) {
            for (size_t i = 0; i < TILE_COLUMNS; i++)
                words[i] = paired(from[i] - zero_point, next[i] - zero_point);
            continue;
        }
        for (size_t i = 0; i < used; i++)
            words[i] = paired(from[i] - zero_point, next[i] - zero_point);
        for (size_t i = used; i < TILE_COLUMNS; i++) words[i] = 0;
    }
}

/// What becomes of the gradient.
typedef enum { KEEP, ADD, DESCEND, DESCEND_WITH_MOMENTUM, DESCEND_ANYHOW } gradient_use;

static gradient_use use_of(const ck_descent *descent) {
    if (descent->start || descent->decay != 0 || descent->nesterov) return DESCEND_ANYHOW;
    return descent->velocity ? DESCEND_WITH_MOMENTUM : DESCEND;
}

/// Uses the gradient of `count` weights from `place` on, `products` times `unit`.
INLINE void use_gradient(const int32_t *restrict products, float unit, size_t count,
                         gradient_use use, const ck_descent *descent, float *restrict out,
                         size_t place) {
    if (use == KEEP) {
        for (size_t i = 0; i < count; i++) out[place + i] = (float)products[i] * unit;
    } else if (use == ADD) {
        for (size_t i = 0; i < count; i++) out[place + i] += (float)products[i] * unit;
    } else if (use == DESCEND) {
        float *restrict values = descent->values + place;
        const float rate = descent->rate;
        for (size_t i = 0; i < count; i++) values[i] -= rate * ((float)products[i] * unit);
    } else if (use == DESCEND_WITH_MOMENTUM) {
        float *restrict values = descent->values + place;
        float *restrict velocity = descent->velocity + place;
        const float rate = descent->rate, momentum = descent->momentum;
        for (size_t i = 0; i < count; i++) {
            float v = momentum * velocity[i] + (float)products[i] * unit;
            velocity[i] = v;
            values[i] -= rate * v;
        }
    } else {
        float gradient[TILE_COLUMNS];
        for (size_t i = 0; i < count; i++) gradient[i] = (float)products[i] * unit;
        descend(descent, place, gradient, count);
    }
}

/// All tiles of a block of channels.
INLINE void block_gradient(const ck_dense_batch *batch, size_t row, size_t rows,
                           const channel_block *block, multiply_gradient *multiply,
                           gradient_use use, const ck_descent *descent, float *out) {
    _Alignas(64) uint32_t input[CK_ROWS_TOGETHER / 2 * TILE_COLUMNS];
    _Alignas(64) int32_t products[TILE_CHANNELS * TILE_COLUMNS];
    for (size_t column = 0; column < batch->width; column += TILE_COLUMNS) {
        const size_t columns = lesser(batch->width - column, TILE_COLUMNS);
        pair_input(batch, row, rows, column, columns, input);
        for (size_t c = 0; c < block->used; c += TILE_CHANNELS) {
            gradient_tile tile = {(rows + 1) / 2, block->gradient + c, input};
            multiply(&tile, products);
            const size_t channels = lesser(block->used - c, TILE_CHANNELS);
            for (size_t i = 0; i < channels; i++) {
                const int32_t *from = products + i * TILE_COLUMNS;
                const size_t place = (block->first + c + i) * batch->width + column;
                // A constant count needs no loop over what is left.
                if (columns == TILE_COLUMNS)
                    use_gradient(from, block->units[c + i], TILE_COLUMNS, use, descent, out, place);
                else
                    use_gradient(from, block->units[c + i], columns, use, descent, out, place);
            }
        }
    }
}

/// Writes the gradient to `out`, or descends along it.
INLINE void weight_gradient(const ck_dense_batch *batch, multiply_gradient *multiply,
                            gradient_use first_use, const ck_descent *descent, float *out) {
    channel_block block;
    for (size_t row = 0; row < batch->rows; row += CK_ROWS_TOGETHER) {
        const size_t rows = lesser(batch->rows - row, CK_ROWS_TOGETHER);
        const gradient_use use = row > 0 ? ADD : first_use;
        for (block.first = 0; block.first < batch->channels; block.first += BLOCK_CHANNELS) {
            block.used = lesser(batch->channels - block.first, BLOCK_CHANNELS);
            round_gradient(batch, row, rows, &block);
#define CASE(use) \
    case use: block_gradient(batch, row, rows, &block, multiply, use, descent, out); break
            switch (use) {
                CASE(KEEP);
                CASE(ADD);
                CASE(DESCEND);
                CASE(DESCEND_WITH_MOMENTUM);
                CASE(DESCEND_ANYHOW);
            }
#undef CASE
        }
    }
}

FOR_EACH_WIDTH(void, weight_gradient,
               (const ck_dense_batch *batch, multiply_gradient *multiply, gradient_use first_use,
                const ck_descent *descent, float *out),
               (batch, multiply, first_use, descent, out))

void ck_weight_gradient(ck_isa isa, const ck_dense_batch *batch, bool adds, float *out) {
    weight_gradient_for(isa)(batch, multiply_gradient_for(isa), adds ? ADD : KEEP, NULL, out);
}

void ck_weight_descent(ck_isa isa, const ck_dense_batch *batch, const ck_descent *descent) {
    weight_gradient_for(isa)(batch, multiply_gradient_for(isa), use_of(descent), descent, NULL);
}

/// The sums of `columns` columns, which stay in registers if that is a constant.
INLINE void column_run(const float *restrict x, size_t rows, size_t width, size_t columns,
                       float *restrict out) {
    float sums[TILE_COLUMNS] = {0};
    for (size_t row = 0; row < rows; row++, x += width)
        for (size_t i = 0; i < columns; i++) sums[i] += x[i];
    for (size_t i = 0; i < columns; i++) out[i] = sums[i];
}

INLINE void column_sums(const float *x, size_t rows, size_t width, float *out) {
    enum { RUN = 16 };
    size_t column = 0;
    for (; column + RUN <= width; column += RUN)
        column_run(x + column, rows, width, RUN, out + column);
    column_run(x + column, rows, width, width - column, out + column);
}

FOR_EACH_WIDTH(void, column_sums, (const float *x, size_t rows, size_t width, float *out),
               (x, rows, width, out))

void ck_column_sums(ck_isa isa, const float *x, size_t rows, size_t width, float *out) {
    column_sums_for(isa)(x, rows, width, out);
}

// ---- The gradient by the input ----

enum { INPUT_ROWS = 4, INPUT_COLUMNS = 64, FEW_COLUMNS = 16 };

/// A tile of `rows` x `columns`, whose sums stay in registers if both are the full constants.
INLINE void input_tile(const float *restrict gradient, size_t stride, size_t channels,
                       const float *restrict w, size_t width, size_t rows, size_t columns,
                       bool adds, float *restrict out) {
    float sums[INPUT_ROWS][INPUT_COLUMNS];
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < columns; i++) sums[r][i] = adds ? out[r * width + i] : 0;
    for (size_t c = 0; c < channels; c++)
        for (size_t r = 0; r < rows; r++) {
            const float g = gradient[r * stride + c];
            for (size_t i = 0; i < columns; i++) sums[r][i] += g * w[c * width + i];
        }
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < columns; i++) out[r * width + i] = sums[r][i];
}

INLINE void input_gradient(const float *gradient, size_t stride, size_t rows, size_t channels,
                           const float *w, size_t width, bool adds, float *out) {
    size_t columns;
    for (size_t column = 0; column < width; column += columns) {
        // Constant sizes keep the sums in registers.
        const size_t left = width - column;
        columns = left >= INPUT_COLUMNS ? INPUT_COLUMNS : lesser(left, FEW_COLUMNS);
        for (size_t row = 0; row < rows; row += INPUT_ROWS) {
            const size_t used = lesser(rows - row, INPUT_ROWS);
            const float *g = gradient + row * stride;
            float *to = out + row * width + column;
            if (used == INPUT_ROWS && columns == INPUT_COLUMNS)
                input_tile(g, stride, channels, w + column, width, INPUT_ROWS, INPUT_COLUMNS,
                           adds, to);
            else if (used == INPUT_ROWS && columns == FEW_COLUMNS)
                input_tile(g, stride, channels, w + column, width, INPUT_ROWS, FEW_COLUMNS, adds,
                           to);
            else
                input_tile(g, stride, channels, w + column, width, used, columns, adds, to);
        }
    }
}

FOR_EACH_WIDTH(void, input_gradient,
               (const float *gradient, size_t stride, size_t rows, size_t channels,
                const float *w, size_t width, bool adds, float *out),
               (gradient, stride, rows, channels, w, width, adds, out))

void ck_input_gradient(ck_isa isa, const float *gradient, size_t stride, size_t rows,
                       size_t channels, const float *w, size_t width, bool adds, float *out) {
    input_gradient_for(isa)(gradient, stride, rows, channels, w, width, adds, out);
}
