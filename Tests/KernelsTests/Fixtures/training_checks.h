// Part of agreement.c: what a step of training does besides the forward pass.

#include "ck_training.h"

static float *floats(size_t count, float size) {
    float *values = room(count * 4);
    for (size_t i = 0; i < count; i++) values[i] = (unit() - 0.5f) * size;
    return values;
}

/// The gradient by the weights as ck_weight_gradient defines it.
static void plain_weight_gradient(const ck_dense_batch *b, float *out) {
    for (size_t first = 0; first < b->rows; first += CK_ROWS_TOGETHER) {
        const size_t end = b->rows - first < CK_ROWS_TOGETHER ? b->rows : first + CK_ROWS_TOGETHER;
        for (size_t c = 0; c < b->channels; c++) {
            const float *g = b->gradient + c;
            float largest = 0;
            bool finite = true;
            for (size_t r = first; r < end; r++) {
                finite &= isfinite(g[r * b->gradient_stride]) != 0;
                largest = fmaxf(largest, fabsf(g[r * b->gradient_stride]));
            }
            const float inverse = finite && largest > 0x1p-100f ? 32767 / largest : 0;
            const float worth = finite ? largest / 32767 * b->scale : NAN;
            for (size_t k = 0; k < b->width; k++) {
                int32_t sum = 0;
                for (size_t r = first; r < end; r++) {
                    float q = inverse == 0 ? 0 : rintf(g[r * b->gradient_stride] * inverse);
                    sum += (int32_t)q * (b->input[r * b->input_stride + k] - b->zero_point);
                }
                float value = (float)sum * worth;
                out[c * b->width + k] = first ? out[c * b->width + k] + value : value;
            }
        }
    }
}

static void plain_descent(const ck_descent *d, const float *gradient, size_t count) {
    for (size_t i = 0; i < count; i++) {
        float direction = gradient[i];
        if (d->start) direction += d->pull * (d->values[i] - d->start[i]);
        if (d->decay != 0) direction += d->decay * d->values[i];
        if (d->velocity) {
            d->velocity[i] = d->momentum * d->velocity[i] + direction;
            direction = d->nesterov ? direction + d->momentum * d->velocity[i] : d->velocity[i];
        }
        d->values[i] -= d->rate * direction;
    }
}

static void check_dense(void) {
    const size_t rows = (size_t)(dice(0, 9) ? dice(1, 40) : dice(120, 300));
    const size_t channels = (size_t)(dice(0, 9) ? dice(1, 20) : dice(50, 140));
    const size_t width = (size_t)dice(1, 150), stride = (width + 7) / 8 * 8;
    const size_t outputs = channels + (size_t)dice(0, 5), count = channels * width;
    float *gradient = floats(rows * outputs, dice(0, 3) ? 1 : 1e-20f);
    int8_t *input = room(rows * stride);
    fill(input, rows * stride, -128, 127);
    if (dice(0, 9) == 0) gradient[0] = dice(0, 1) ? NAN : INFINITY;
    if (dice(0, 3) == 0)
        for (size_t r = 0; r < rows; r++) gradient[r * outputs + channels - 1] = 0;
    const ck_dense_batch batch = {.gradient = gradient,
                                  .gradient_stride = outputs,
                                  .rows = rows,
                                  .channels = channels,
                                  .input = input,
                                  .input_stride = stride,
                                  .width = width,
                                  .zero_point = dice(0, 1) ? 0 : -128,
                                  .scale = unit() + 0.01f};
    float *by_weight = room(count * 4), *got = room(count * 4), *values = floats(count, 2);
    float *velocity = floats(count, 2), *start = floats(count, 2);
    float *moved[2] = {room(count * 4), room(count * 4)};
    float *speed[2] = {room(count * 4), room(count * 4)};
    float *by_input[2] = {room(rows * width * 4), floats(rows * width, 2)};
    float *given = room(rows * width * 4);
    memcpy(given, by_input[1], rows * width * 4);
    float columns[2][150] = {{0}};
    for (size_t i = 0; i < rows * width; i++) columns[0][i % width] += given[i];
    const bool adds = dice(0, 1), has_velocity = dice(0, 1);
    ck_descent descent = {.rate = unit(),
                          .momentum = unit(),
                          .decay = dice(0, 1) ? unit() : 0,
                          .pull = unit(),
                          .start = dice(0, 1) ? start : NULL,
                          .nesterov = has_velocity && dice(0, 1)};
    plain_weight_gradient(&batch, by_weight);
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < width; k++) {
            float sum = adds ? given[r * width + k] : 0;
            for (size_t c = 0; c < channels; c++)
                sum += gradient[r * outputs + c] * values[c * width + k];
            by_input[0][r * width + k] = sum;
        }
    for (int mine = 0; mine < 2; mine++) {
        memcpy(moved[mine], values, count * 4);
        memcpy(speed[mine], velocity, count * 4);
    }
    descent.values = moved[0];
    descent.velocity = has_velocity ? speed[0] : NULL;
    plain_descent(&descent, by_weight, count);
    descent.values = moved[1];
    descent.velocity = has_velocity ? speed[1] : NULL;
    // NaNs may differ in bits that mean nothing.
    for (size_t i = 0; i < rows * width; i++)
        if (isnan(by_input[0][i])) by_input[0][i] = NAN;
    for (size_t i = 0; i < count; i++) {
        if (isnan(by_weight[i])) by_weight[i] = NAN;
        if (isnan(moved[0][i])) moved[0][i] = NAN;
        if (isnan(speed[0][i])) speed[0][i] = NAN;
    }
    EACH_ISA(isa) {
        memset(got, 1, count * 4);
        ck_weight_gradient(isa, &batch, false, got);
        for (size_t i = 0; i < count; i++)
            if (isnan(got[i])) got[i] = NAN;
        check("gradient by the weights", got, by_weight, count * 4);
        if (rows <= CK_ROWS_TOGETHER) {
            memcpy(got, values, count * 4);
            ck_weight_gradient(isa, &batch, true, got);
            for (size_t i = 0; i < count; i++) {
                float sum = values[i] + by_weight[i];
                if (isnan(sum) && isnan(got[i])) got[i] = sum = NAN;
                check("added gradient by the weights", got + i, &sum, 4);
            }
        }
        for (int kept = rows > CK_ROWS_TOGETHER; kept < 2; kept++) {
            memcpy(moved[1], values, count * 4);
            memcpy(speed[1], velocity, count * 4);
            if (kept)
                ck_descend(isa, &descent, by_weight, count);
            else
                ck_weight_descent(isa, &batch, &descent);
            for (size_t i = 0; i < count; i++) {
                if (isnan(moved[1][i])) moved[1][i] = NAN;
                if (isnan(speed[1][i])) speed[1][i] = NAN;
            }
            check("moved weights", moved[1], moved[0], count * 4);
            check("velocity", speed[1], speed[0], count * 4);
        }
        ck_column_sums(isa, given, rows, width, columns[1]);
        check("sums of columns", columns[1], columns[0], width * 4);
        memcpy(by_input[1], given, rows * width * 4);
        ck_input_gradient(isa, gradient, outputs, rows, channels, values, width, adds,
                          by_input[1]);
        for (size_t i = 0; i < rows * width; i++)
            if (isnan(by_input[1][i])) by_input[1][i] = NAN;
        check("gradient by the input", by_input[1], by_input[0], rows * width * 4);
    }
    add_to_digest(moved[0], count * 4);
    add_to_digest(by_input[0], rows * width * 4);
    void *all[] = {gradient, input,    by_weight, got,      values,      velocity,    start,
                   moved[0], moved[1], speed[0],  speed[1], by_input[0], by_input[1], given};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void check_input(void) {
    const size_t rows = (size_t)dice(1, 5), width = (size_t)dice(1, 300), count = rows * width;
    const size_t stride = width + (size_t)dice(0, 1) * 5, channels = (size_t)dice(1, 40);
    uint8_t *bytes = room(count);
    int8_t table[256], *found = room(rows * stride), *expected = room(rows * stride);
    int8_t *error = room(rows * stride), *expected_error = room(rows * stride);
    int8_t *rest = room(rows * stride), *expected_rest = room(rows * stride);
    int8_t *beyond = room(rows * stride), *expected_beyond = room(rows * stride);
    float *scaled = floats(count, dice(0, 1) ? 300 : 100);
    float *gradient = floats(rows * channels, 1), *scales = floats(channels, 1);
    int32_t *products = room(rows * channels * 4);
    double lanes[8] = {0}, sum = 0;
    bool any = false;
    fill(table, sizeof table, -128, 127);
    memset(expected, 7, rows * stride);
    memset(expected_error, 7, rows * stride);
    memset(expected_rest, 7, rows * stride);
    memset(expected_beyond, 7, rows * stride);
    if (dice(0, 3) == 0) scaled[0] = NAN;
    for (size_t i = 0; i < count; i++) {
        const size_t place = i / width * stride + i % width;
        bytes[i] = (uint8_t)dice(0, 255);
        expected[place] = table[bytes[i]];
        const float v = scaled[i];
        const bool inside = v >= -128 && v <= 127;
        any |= !inside;
        float moved = 254 * (rintf(v) - v);
        expected_error[place] = (int8_t)(inside ? rintf(moved) : 0);
        expected_rest[place] = (int8_t)(inside ? rintf(254 * (moved - rintf(moved))) : 0);
        expected_beyond[place] = (int8_t)(inside ? 0 : v > 127 ? 127 : -128);
    }
    for (size_t i = 0; i < rows * channels; i++) {
        const size_t c = i % channels;
        products[i] = dice(-1000000, 1000000);
        lanes[c < channels / 8 * 8 ? c % 8 : 0] +=
            (double)gradient[i] * ((double)products[i] * (double)scales[c]);
    }
    for (int lane = 0; lane < 8; lane++) sum += lanes[lane];
    EACH_ISA(isa) {
        memset(found, 7, rows * stride);
        ck_look_up(isa, bytes, rows, width, table, found, stride);
        check("table", found, expected, rows * stride);
        memset(error, 7, rows * stride);
        memset(rest, 7, rows * stride);
        memset(beyond, 7, rows * stride);
        bool got =
            ck_rounding_errors(isa, scaled, rows, width, -128, 127, error, rest, beyond, stride);
        check("any clamped", &got, &any, sizeof got);
        check("rounding errors", error, expected_error, rows * stride);
        check("what they leave out", rest, expected_rest, rows * stride);
        check("bounds", beyond, expected_beyond, rows * stride);
        double got_sum = ck_weighted_sum(isa, gradient, products, scales, rows, channels);
        check("weighted sum", &got_sum, &sum, sizeof sum);
    }
    add_to_digest(found, rows * stride);
    add_to_digest(error, rows * stride);
    add_to_digest(&sum, sizeof sum);
    void *all[] = {bytes,  found,    expected, error,   expected_error, rest,   expected_rest, beyond, expected_beyond,
                   scaled, gradient, scales,   products};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

/// Weights rounded in units of their channel's scale, by division.
static void check_quantise_layer(void) {
    const size_t channels = (size_t)dice(1, 20), width = (size_t)dice(1, 200);
    const size_t count = channels * width, size = ck_packed_size(channels, width);
    float *w = floats(count, 1), *bias = floats(channels, dice(0, 1) ? 1 : 1e-3f);
    float *scales = room(channels * 4);
    int32_t *sums = room(channels * 4), *expected_sums = room(channels * 4);
    int32_t *q_bias = room(channels * 4);
    int8_t *packed = room(size), *expected = room(size), *q = room(count);
    for (size_t c = 0; c < channels; c++) {
        const float sizes[] = {0, 1e-36f, 1e-30f, 1, 1e30f};
        const float factor = dice(0, 2) ? 1 : sizes[dice(0, 4)];
        const bool halves = dice(0, 2) == 0;
        for (size_t k = 0; k < width; k++) {
            // Of halves of a scale many lie in the middle between two integers.
            float value = halves ? (float)dice(-254, 254) / 254 : w[c * width + k];
            w[c * width + k] = value * factor;
        }
        if (halves) w[c * width] = factor;
    }
    for (size_t c = 0; c < channels; c++) {
        float largest = 0;
        for (size_t k = 0; k < width; k++) largest = fmaxf(largest, fabsf(w[c * width + k]));
        float scale = largest / 127, least = fabsf(bias[c]) / (0.5f * 4194304.0f);
        if (scale < least) scale = exp2f(ceilf(log2f(least)));
        if (!(scale > 0)) scale = 1;
        scales[c] = scale;
        expected_sums[c] = 0;
        for (size_t k = 0; k < width; k++) {
            float v = fminf(fmaxf(w[c * width + k] / scale, -127), 127);
            q[c * width + k] = (int8_t)rintf(v);
            expected_sums[c] += q[c * width + k];
        }
    }
    memset(expected, 0, size);
    ck_pack(q, channels, width, expected);
    float *got_scales = room(channels * 4);
    EACH_ISA(isa) {
        memset(packed, 0, size);
        ck_quantise_layer(isa, w, bias, channels, width, 0.5f, packed, got_scales, sums, q_bias);
        check("scales of weights", got_scales, scales, channels * 4);
        check("quantised weights", packed, expected, size);
        check("their sums", sums, expected_sums, channels * 4);
    }
    add_to_digest(packed, size);
    add_to_digest(q_bias, channels * 4);
    void *all[] = {w, bias, scales, sums, expected_sums, q_bias, packed, expected, q, got_scales};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void check_training(void) {
    check_dense();
    check_input();
    check_quantise_layer();
}
