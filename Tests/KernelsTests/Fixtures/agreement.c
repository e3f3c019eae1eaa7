// Runs every integer kernel on every available instruction set over random shapes and compares with
// plain loops. Prints one line an instruction set, then which one is preferred and a digest of all
// results, which is the same on every CPU.
//
// usage: agreement SHAPES        exit status 1 and a line naming the case when something disagrees

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ckernels.h"

#pragma STDC FP_CONTRACT OFF

static uint64_t random_state = 20, digest = 14695981039346656037u;
static const char *current = "";
static int current_case;

static uint32_t random_bits(void) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 32);
}

/// Uniform in [low, high].
static int32_t dice(int32_t low, int32_t high) {
    return low + (int32_t)(random_bits() % (uint32_t)(high - low + 1));
}

static float unit(void) { return (float)(random_bits() >> 8) / 16777216.0f; }

/// Exactly as large as asked for, so that a sanitizer sees every access beyond.
static void *room(size_t bytes) {
    void *memory = malloc(bytes ? bytes : 1);
    if (!memory) exit(2);
    return memory;
}

/// Random, or only extreme, or all the same extreme.
static void fill(int8_t *bytes, size_t count, int low, int high) {
    int mode = dice(0, 3);
    int same = dice(0, 1) ? low : high;
    for (size_t i = 0; i < count; i++) {
        int value = mode == 0 ? same : mode == 1 ? (dice(0, 1) ? low : high) : dice(low, high);
        bytes[i] = (int8_t)value;
    }
}

static void check(const char *what, const void *got, const void *expected, size_t bytes) {
    if (memcmp(got, expected, bytes) == 0) return;
    printf("%s disagrees: %s, case %d\n", current, what, current_case);
    exit(1);
}

static void add_to_digest(const void *bytes, size_t count) {
    const uint8_t *each = bytes;
    for (size_t i = 0; i < count; i++) digest = (digest ^ each[i]) * 1099511628211u;
}

/// The body for every instruction set that this CPU has.
#define EACH_ISA(isa)                               \
    for (ck_isa isa = 0; isa < CK_ISA_COUNT; isa++) \
        if (ck_isa_available(isa) && (current = ck_isa_name(isa)))

// ---- Products and requantising ----

static int8_t rounded(float v, int32_t zero_point) {
    float low = (float)(-128 - zero_point), high = (float)(127 - zero_point);
    return (int8_t)((int32_t)rintf(fminf(fmaxf(v, low), high)) + zero_point);
}

static void check_layer(void) {
    size_t rows = (size_t)dice(1, 30), channels = (size_t)dice(1, 70), width = (size_t)dice(1, 130);
    if (current_case % 10 == 0) rows = 1, channels = (size_t)dice(100, 300);
    const size_t stride = (width + CK_ROW_ALIGNMENT - 1) / CK_ROW_ALIGNMENT * CK_ROW_ALIGNMENT;
    const size_t results = rows * channels, q_stride = channels + (size_t)dice(0, 3);
    const int zero_points[] = {-128, 0, 127, dice(-128, 127)};
    const int32_t zero_point = zero_points[dice(0, 3)];
    int8_t *a = room(rows * stride), *w = room(channels * width);
    int8_t *q = room(rows * q_stride), *expected_q = room(rows * q_stride);
    int8_t *packed = room(ck_packed_size(channels, width));
    int32_t *products = room(results * 4), *expected = room(results * 4);
    int32_t *bias = room(channels * 4);
    float *scaled = room(results * 4), *expected_scaled = room(results * 4);
    float *multiplier = room(channels * 4);
    fill(a, rows * stride, -128, 127);  // beyond the width too: that must not matter
    fill(w, channels * width, -127, 127);
    memset(packed, 0, ck_packed_size(channels, width));
    ck_pack(w, channels, width, packed);
    for (size_t c = 0; c < channels; c++) {
        bias[c] = dice(-4194304, 4194304);
        multiplier[c] = unit() * (dice(0, 9) ? 0.01f : 1e30f);
    }
    memset(expected_q, 77, rows * q_stride);
    for (size_t i = 0; i < results; i++) {
        size_t r = i / channels, c = i % channels;
        expected[i] = 0;
        for (size_t k = 0; k < width; k++) expected[i] += a[r * stride + k] * w[c * width + k];
        expected_scaled[i] = (float)(expected[i] + bias[c]) * multiplier[c];
        expected_q[r * q_stride + c] = rounded(expected_scaled[i], zero_point);
    }
    EACH_ISA(isa) {
        memset(products, 1, results * 4);
        ck_int8_gemm(isa, a, rows, stride, packed, channels, width, products);
        check("product", products, expected, results * 4);
        for (int fused = 0; fused < 3; fused++) {
            memset(q, 77, rows * q_stride);
            memset(scaled, 1, results * 4);
            if (fused == 0)
                ck_requantise(isa, products, rows, channels, bias, multiplier, zero_point, q,
                              q_stride, scaled);
            else
                ck_int8_layer(isa, a, rows, stride, packed, channels, width, bias, multiplier,
                              zero_point, q, q_stride, fused == 1 ? scaled : NULL);
            check(fused ? "layer" : "requantised", q, expected_q, rows * q_stride);
            if (fused < 2) check("scaled", scaled, expected_scaled, results * 4);
        }
    }
    add_to_digest(expected, results * 4);
    add_to_digest(q, rows * q_stride);
    void *all[] = {a,        w,    q,      expected_q,      packed,    products,
                   expected, bias, scaled, expected_scaled, multiplier};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

// ---- Convolution ----

static ck_window random_window(void) {
    ck_window w = {.height = (size_t)dice(1, 9),
                   .width = (size_t)dice(1, 9),
                   .channels = (size_t)(dice(0, 9) ? dice(1, 37) : dice(200, 300)),
                   .kernel_height = (size_t)dice(1, 5),
                   .kernel_width = (size_t)dice(1, 5),
                   .step_height = (size_t)dice(1, 3),
                   .step_width = (size_t)dice(1, 3)};
    if (current_case % 20 == 0) {  // more taps than are gathered at once
        w.height = w.width = 9, w.kernel_height = 9, w.kernel_width = 8;
    }
    w.top = (size_t)dice(0, (int)w.kernel_height - 1);
    w.left = (size_t)dice(0, (int)w.kernel_width - 1);
    if (w.kernel_height > w.height + 2 * w.top) w.kernel_height = 1, w.top = 0;
    if (w.kernel_width > w.width + 2 * w.left) w.kernel_width = 1, w.left = 0;
    w.out_height = (w.height + 2 * w.top - w.kernel_height) / w.step_height + 1;
    w.out_width = (w.width + 2 * w.left - w.kernel_width) / w.step_width + 1;
    return w;
}

/// The index of a patch's element in its image, or -1 outside.
static ptrdiff_t source(const ck_window *w, size_t position, size_t tap, size_t channel) {
    ptrdiff_t y = (ptrdiff_t)(position / w->out_width * w->step_height + tap / w->kernel_width);
    ptrdiff_t x = (ptrdiff_t)(position % w->out_width * w->step_width + tap % w->kernel_width);
    y -= (ptrdiff_t)w->top, x -= (ptrdiff_t)w->left;
    if (y < 0 || x < 0 || y >= (ptrdiff_t)w->height || x >= (ptrdiff_t)w->width) return -1;
    return (y * (ptrdiff_t)w->width + x) * (ptrdiff_t)w->channels + (ptrdiff_t)channel;
}

static void check_max_pool(const ck_window *w, const int8_t *images, size_t count, size_t stride) {
    const size_t outputs = w->out_height * w->out_width * w->channels;
    int8_t *largest = room(count * outputs), *expected = room(count * outputs);
    int32_t *winners = room(count * outputs * 4), *expected_winners = room(count * outputs * 4);
    for (size_t i = 0; i < count * outputs; i++) {
        const int8_t *image = images + i / outputs * stride;
        ptrdiff_t winner = -1;
        for (size_t tap = 0; tap < w->kernel_height * w->kernel_width; tap++) {
            ptrdiff_t from = source(w, i % outputs / w->channels, tap, i % w->channels);
            if (from >= 0 && (winner < 0 || image[from] > image[winner])) winner = from;
        }
        expected[i] = image[winner];
        expected_winners[i] = (int32_t)winner;
    }
    EACH_ISA(isa) {
        memset(winners, 1, count * outputs * 4);
        ck_max_pool(isa, w, images, count, stride, largest, outputs, winners);
        check("largest", largest, expected, count * outputs);
        check("winners", winners, expected_winners, count * outputs * 4);
        memset(largest, 1, count * outputs);
        ck_max_pool(isa, w, images, count, stride, largest, outputs, NULL);
        check("largest alone", largest, expected, count * outputs);
    }
    add_to_digest(winners, count * outputs * 4);
    void *all[] = {largest, expected, winners, expected_winners};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

/// `count` small integers, whose sums are exact in any order.
static float *integers(size_t count) {
    float *values = room(count * 4);
    for (size_t i = 0; i < count; i++) values[i] = (float)dice(-9, 9);
    return values;
}

static void check_window_gradients(const ck_window *w) {
    const size_t taps = w->kernel_height * w->kernel_width, length = taps * w->channels;
    const size_t positions = w->out_height * w->out_width;
    const size_t image = w->height * w->width * w->channels;
    float *patches = integers(positions * length), *images = integers(image);
    float *gradients = integers(positions * w->channels), *weights = integers(length);
    float *added = integers(image), *by_weight = integers(length), *by_image = integers(image);
    float *got = room(image * 4), *got_by_weight = room(length * 4);
    float *given = room(image * 4), *given_by_weight = room(length * 4);
    memcpy(given, added, image * 4);
    memcpy(by_image, given, image * 4);
    memcpy(given_by_weight, by_weight, length * 4);
    for (size_t i = 0; i < positions * length; i++) {
        size_t p = i / length, tap = i % length / w->channels, c = i % w->channels;
        ptrdiff_t from = source(w, p, tap, c);
        if (from < 0) continue;
        added[from] += patches[i];
        by_weight[c * taps + tap] += gradients[p * w->channels + c] * images[from];
        by_image[from] += gradients[p * w->channels + c] * weights[c * taps + tap];
    }
    EACH_ISA(isa) {
        memcpy(got, given, image * 4);
        ck_add_patches(isa, w, patches, 1, got);
        check("added patches", got, added, image * 4);
        memcpy(got, given, image * 4);
        memcpy(got_by_weight, given_by_weight, length * 4);
        ck_depthwise_gradients(isa, w, gradients, images, 1, weights, got_by_weight, got);
        check("depthwise gradient by the image", got, by_image, image * 4);
        check("depthwise gradient by the weights", got_by_weight, by_weight, length * 4);
    }
    void *all[] = {patches,  images, gradients,     weights, added,          by_weight,
                   by_image, got,    got_by_weight, given,   given_by_weight};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void check_convolution(void) {
    const ck_window w = random_window();
    const size_t taps = w.kernel_height * w.kernel_width, positions = w.out_height * w.out_width;
    const size_t length = taps * w.channels, count = (size_t)dice(1, 3);
    const size_t image = w.height * w.width * w.channels, stride = image + (size_t)dice(0, 3);
    const size_t patch_stride = (length + 7) / 8 * 8, outputs = positions * w.channels;
    const int8_t padding = (int8_t)dice(-128, 127);
    int8_t *images = room(count * stride), *weights = room(length);
    int8_t *packed = room(ck_packed_size(w.channels, taps));
    int8_t *patches = room(count * positions * patch_stride);
    int8_t *expected_patches = room(count * positions * patch_stride);
    int32_t *products = room(count * outputs * 4), *expected = room(count * outputs * 4);
    fill(images, count * stride, -128, 127);
    fill(weights, length, -127, 127);
    memset(packed, 0, ck_packed_size(w.channels, taps));
    ck_pack(weights, w.channels, taps, packed);
    memset(expected, 0, count * outputs * 4);
    memset(expected_patches, 0, count * positions * patch_stride);
    for (size_t p = 0; p < count * positions; p++)
        for (size_t tap = 0; tap < taps; tap++)
            for (size_t c = 0; c < w.channels; c++) {
                ptrdiff_t from = source(&w, p % positions, tap, c);
                int8_t x = from < 0 ? padding : images[p / positions * stride + (size_t)from];
                expected_patches[p * patch_stride + tap * w.channels + c] = x;
                expected[p * w.channels + c] += x * weights[c * taps + tap];
            }
    current = "ck_patches_int8";
    ck_patches_int8(&w, images, count, stride, padding, patches, patch_stride);
    check("patches", patches, expected_patches, count * positions * patch_stride);
    EACH_ISA(isa) {
        ck_depthwise(isa, &w, images, count, stride, padding, packed, products);
        check("depthwise", products, expected, count * outputs * 4);
    }
    check_max_pool(&w, images, count, stride);
    check_window_gradients(&w);
    add_to_digest(expected, count * outputs * 4);
    void *all[] = {images, weights, packed, patches, expected_patches, products, expected};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

// ---- Transform, sums, rounding ----

static void check_lattice(void) {
    const size_t block = (size_t)1 << dice(0, 9), count = block * (size_t)dice(1, 5);
    const int64_t weight = dice(0, 1) ? dice(-1000000, 1000000) : (int64_t)random_bits() << 20;
    const int32_t weight_32 = dice(-(1 << 23), 1 << 23);
    const int16_t weight_16 = (int16_t)dice(-255, 255);
    float *values = room(count * 4), *given = room(count * 4), *expected = room(count * 4);
    int8_t *bytes = room(count), *q = room(count), *expected_q = room(count);
    uint32_t *random = room(count * 4);
    uint64_t *signs = room((count + 63) / 64 * 8);
    for (size_t i = 0; i < (count + 63) / 64; i++)
        signs[i] = (uint64_t)random_bits() << 32 | random_bits();
    int64_t *sums = room(count * 8), *expected_sums = room(count * 8), norm = 0;
    int32_t *sums_32 = room(count * 4), *expected_32 = room(count * 4);
    int16_t *sums_16 = room(count * 2), *expected_16 = room(count * 2);
    fill(bytes, count, -128 + dice(0, 1), 127);
    for (size_t i = 0; i < count && norm >= 0; i++)
        norm = bytes[i] == -128 ? -1 : norm + bytes[i] * bytes[i];
    for (size_t i = 0; i < count; i++) {
        given[i] = expected[i] = (unit() - 0.5f) * (dice(0, 20) ? 100 : 1e20f);
        random[i] = dice(0, 3) ? random_bits() : UINT32_MAX;
        expected_sums[i] = (int64_t)i + weight * bytes[i];
        expected_32[i] = -(int32_t)i + weight_32 * bytes[i];
        expected_16[i] = (int16_t)(3 + weight_16 * bytes[i]);
        float bounded = fminf(fmaxf(given[i] / 0.3f, -127), 127);
        float floor = floorf(bounded + (float)(random[i] >> 8) * 0x1p-24f);
        expected_q[i] = (int8_t)fminf(floor, 127);
    }
    for (size_t half = 1; half < block; half *= 2)
        for (size_t i = 0; i < count; i++)
            if ((i & half) == 0) {
                float a = expected[i], b = expected[i + half];
                expected[i] = a + b;
                expected[i + half] = a - b;
            }
    EACH_ISA(isa) {
        memcpy(values, given, count * 4);
        ck_hadamard(isa, values, count, block);
        check("hadamard", values, expected, count * 4);
        // What is flipped twice is as it was.
        memcpy(values, given, count * 4);
        ck_flip_signs(isa, values, count, signs);
        ck_rotate(isa, values, count, block, signs);
        check("rotation", values, expected, count * 4);
        for (size_t i = 0; i < count; i++) sums[i] = (int64_t)i;
        ck_accumulate(isa, bytes, count, weight, sums);
        check("accumulate", sums, expected_sums, count * 8);
        for (size_t i = 0; i < count; i++) sums_32[i] = -(int32_t)i;
        ck_accumulate_32(isa, bytes, count, weight_32, sums_32);
        check("accumulate in 32 bits", sums_32, expected_32, count * 4);
        for (size_t i = 0; i < count; i++) sums_16[i] = 3;
        ck_accumulate_16(isa, bytes, count, weight_16, sums_16);
        check("accumulate in 16 bits", sums_16, expected_16, count * 2);
        const int64_t got_norm = ck_byte_norm(isa, bytes, count);
        check("norm of bytes", &got_norm, &norm, sizeof norm);
        ck_round_stochastic(isa, given, count, 0.3f, random, q);
        check("stochastic rounding", q, expected_q, count);
    }
    add_to_digest(values, count * 4);
    add_to_digest(q, count);
    void *all[] = {values, given,  expected,      bytes,   q,           expected_q, random,
                   signs,  sums,   expected_sums, sums_32, expected_32, sums_16,    expected_16};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

// ---- Update codec ----

/// What is made of values and others, which here are the same in another order, and of bytes.
static void check_changes(const float *x, size_t count, double factor) {
    float *others = room(count * 4), *got = room(count * 4), *velocities = room(count * 4);
    float *expected[5];  // differences, scaled integers and bytes, weights and velocities of a step
    for (size_t k = 0; k < 5; k++) expected[k] = room(count * 4);
    int32_t *integers = room(count * 4);
    int8_t *bytes = room(count);
    const float rate = (float)factor, momentum = unit();
    const bool has_velocity = dice(0, 1);
    double lanes[16] = {0}, squares = 0;
    bool finite = true;
    fill(bytes, count, -128, 127);
    for (size_t i = 0; i < count; i++) {
        others[i] = x[count - 1 - i];
        integers[i] = (int32_t)random_bits();
        expected[0][i] = x[i] - others[i];
        lanes[i % 16] += (double)expected[0][i] * expected[0][i];
        expected[1][i] = (float)((double)integers[i] * factor);
        expected[2][i] = (float)bytes[i] * rate;
        expected[4][i] = momentum * (has_velocity ? others[i] : 0) - x[i];
        expected[3][i] = x[i] - rate * expected[4][i];
        finite &= isfinite(expected[3][i]) && isfinite(expected[4][i]);
    }
    for (int i = 0; i < 16; i++) squares += lanes[i];
    const ck_momentum_step step = {x, has_velocity ? others : NULL, x, count, momentum, rate};
    EACH_ISA(isa) {
        const double sum = ck_subtract_floats(isa, x, others, count, got);
        check("difference", got, expected[0], count * 4);
        check("squares of a difference", &sum, &squares, sizeof sum);
        ck_scale_integers_32(isa, integers, count, factor, got);
        check("scaled integers of 32 bits", got, expected[1], count * 4);
        ck_scale_bytes(isa, bytes, count, rate, got);
        check("scaled bytes", got, expected[2], count * 4);
        const bool was_finite = ck_step_with_momentum(isa, &step, got, velocities);
        check("step", got, expected[3], count * 4);
        check("velocities of a step", velocities, expected[4], count * 4);
        check("whether a step is finite", &was_finite, &finite, sizeof finite);
    }
    for (size_t k = 0; k < 5; k++) free(expected[k]);
    void *all[] = {others, got, velocities, integers, bytes};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void check_codec(void) {
    const size_t rows = (size_t)dice(1, 40), columns = (size_t)dice(1, 40), count = rows * columns;
    const size_t x_stride = columns + (size_t)dice(0, 9), out_stride = rows + (size_t)dice(0, 9);
    const double factor = unit() - 0.5;
    const float scale = unit();
    float *x = room(count * 4), *got = room(count * 4), *expected = room(count * 4);
    int64_t *integers = room(count * 8);
    uint64_t *signs = room((count + 63) / 64 * 8);
    uint32_t *random = room(count * 4);
    int8_t *q = room(count), *expected_q = room(count);
    double lanes[16] = {0}, squares = 0;
    int64_t q_squares = 0;
    for (size_t i = 0; i < (count + 63) / 64; i++)
        signs[i] = (uint64_t)random_bits() << 32 | random_bits();
    for (size_t i = 0; i < count; i++) {
        const float sizes[] = {300, 4, 1e-9f, 1e30f, 0};
        x[i] = (unit() - 0.5f) * sizes[dice(0, 4)];
        if (dice(0, 9) == 0) x[i] = rintf(x[i]);
        random[i] = dice(0, 3) ? random_bits() : dice(0, 1) ? 0 : UINT32_MAX;
        integers[i] = (int64_t)((uint64_t)random_bits() << 32 | random_bits()) >> dice(0, 60);
        lanes[i % 16] += (double)x[i] * x[i];
        const double cut = trunc(fmin(fmax((double)x[i], -127), 127) * 0x1p32);
        expected_q[i] = (int8_t)floor((cut + random[i]) * 0x1p-32);
        q_squares += expected_q[i] * expected_q[i];
    }
    for (int i = 0; i < 16; i++) squares += lanes[i];
    const size_t at = (size_t)dice(0, (int32_t)count - 1);
    const float infinite = dice(0, 1) ? NAN : dice(0, 1) ? INFINITY : -INFINITY;
    EACH_ISA(isa) {
        const double sum = ck_sum_of_squares(isa, x, count);
        check("sum of squares", &sum, &squares, sizeof sum);
        memcpy(got, x, count * 4);
        ck_scale_floats(isa, got, count, factor);
        for (size_t i = 0; i < count; i++) expected[i] = (float)((double)x[i] * factor);
        check("scaled floats", got, expected, count * 4);
        ck_scale_integers(isa, integers, count, factor, got);
        for (size_t i = 0; i < count; i++) expected[i] = (float)((double)integers[i] * factor);
        check("scaled integers", got, expected, count * 4);
        memcpy(got, x, count * 4);
        ck_flip_signs(isa, got, count, signs);
        for (size_t i = 0; i < count; i++)
            expected[i] = signs[i / 64] >> (i % 64) & 1 ? -x[i] : x[i];
        check("signs", got, expected, count * 4);
        const int64_t sum_q = ck_round_to_lattice(isa, x, count, random, q);
        check("lattice", q, expected_q, count);
        check("lattice squares", &sum_q, &q_squares, sizeof sum_q);

        const bool was_finite = ck_all_finite(isa, x, count);
        memcpy(got, x, count * 4);
        got[at] = infinite;
        const bool answers[] = {was_finite, ck_all_finite(isa, got, count)};
        const bool truth[] = {true, false};
        check("finite", answers, truth, sizeof truth);

        float *wide = room(((rows - 1) * x_stride + columns) * 4);
        float *out = room(((columns - 1) * out_stride + rows) * 4);
        for (size_t row = 0; row < rows; row++)
            memcpy(wide + row * x_stride, x + row * columns, columns * 4);
        ck_transpose(isa, wide, x_stride, rows, columns, scale, out, out_stride);
        for (size_t i = 0; i < count; i++) {
            const float value = x[i] * scale;
            check("transpose", out + i % columns * out_stride + i / columns, &value, 4);
        }
        free(wide);
        free(out);
    }
    check_changes(x, count, factor);
    add_to_digest(&squares, sizeof squares);
    add_to_digest(expected, count * 4);
    add_to_digest(q, count);
    void *all[] = {x, got, expected, integers, signs, random, q, expected_q};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

/// Every instruction set rounds as the first, which is scalar.
static void check_round_weights(void) {
    const size_t channels = (size_t)dice(1, 20), width = (size_t)dice(1, 600);
    const size_t size = ck_packed_size(channels, width);
    const uint64_t key = (uint64_t)random_bits() << 32 | random_bits();
    float *w = room(channels * width * 4), *scales = room(channels * 4);
    float *expected_scales = room(channels * 4);
    int32_t *sums = room(channels * 4);
    int8_t *packed = room(size), *expected = room(size);
    for (size_t i = 0; i < channels * width; i++) w[i] = (unit() - 0.5f) * 3;
    EACH_ISA(isa) {
        memset(packed, 0, size);
        for (size_t c = 0; c < channels; c++) scales[c] = c % 2 ? 1 : 0.01f;
        ck_round_weights(isa, w, channels, width, key, packed, scales, sums);
        if (isa == CK_SCALAR) {
            memcpy(expected, packed, size);
            memcpy(expected_scales, scales, channels * 4);
        }
        check("rounded weights", packed, expected, size);
        check("their scales", scales, expected_scales, channels * 4);
    }
    add_to_digest(expected, size);
    void *all[] = {w, scales, expected_scales, sums, packed, expected};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

// ---- The way back to floats ----

static void check_gradient(void) {
    const size_t count = (size_t)dice(0, 200);
    const float scale = unit() + 0.01f;
    const int32_t zero_point = dice(-128, 127);
    const float low = (float)(-128 - zero_point), high = (float)(127 - zero_point);
    float *scaled = room(count * 4), *given = room(count * 4), *gradient = room(count * 4);
    float *expected = room(count * 4), *real = room(count * 4), lanes[16] = {0}, sum = 0;
    int8_t *q = room(count);
    fill(q, count, -128, 127);
    for (size_t i = 0; i < count; i++) {
        scaled[i] = (unit() - 0.5f) * (dice(0, 9) ? 500 : 1e9f);
        given[i] = (unit() - 0.5f) * (dice(0, 3) ? 1 : 1000);
        bool inside = scaled[i] >= low && scaled[i] <= high;
        float bound = scaled[i] < low ? low : high;
        lanes[i % 16] += given[i] * (inside ? rintf(scaled[i]) - scaled[i] : bound);
        expected[i] = inside ? given[i] : 0;
    }
    for (int i = 0; i < 16; i++) sum += lanes[i];
    EACH_ISA(isa) {
        memcpy(real, given, count * 4);
        ck_quantise(isa, real, 1, count, scale, zero_point, q, count, real);
        for (size_t i = 0; i < count; i++) {
            float value = given[i] / scale;
            int8_t byte = rounded(value, zero_point);
            check("quantised", &q[i], &byte, 1);
            check("in units of the scale", &real[i], &value, sizeof value);
        }
        memcpy(gradient, given, count * 4);
        float by_scale = ck_quantiser_gradient(isa, scaled, count, low, high, gradient);
        check("gradient", gradient, expected, count * 4);
        check("gradient by the scale", &by_scale, &sum, sizeof sum);
        ck_dequantise(isa, q, count, 1, count, scale, zero_point, real);
        for (size_t i = 0; i < count; i++) {
            float value = (float)(q[i] - zero_point) * scale;
            check("dequantised", &real[i], &value, sizeof value);
        }
    }
    add_to_digest(&sum, sizeof sum);
    add_to_digest(real, count * 4);
    void *all[] = {scaled, given, gradient, expected, real, q};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

#include "training_checks.h"

int main(int count, char **arguments) {
    const int shapes = count == 2 ? atoi(arguments[1]) : 0;
    if (shapes <= 0) return 2;
    for (current_case = 0; current_case < shapes; current_case++) {
        check_layer();
        check_convolution();
        check_lattice();
        check_codec();
        check_round_weights();
        check_gradient();
        check_training();
    }
    EACH_ISA(isa) printf("%s agrees over %d shapes\n", ck_isa_name(isa), shapes);
    printf("prefers %s\n", ck_isa_name(ck_isa_preferred()));
    printf("digest %016llx\n", (unsigned long long)digest);
    return 0;
}
