#include "gemm.h"

#include <string.h>

#include "rounding.h"

#pragma STDC FP_CONTRACT OFF

// ---- Plain C ----

static void tile_scalar(const gemm_tile *tile) {
    int32_t sums[PANEL] = {0};
    for (size_t g = 0; g < tile->groups; g++)
        for (size_t c = 0; c < PANEL; c++)
            for (size_t k = 0; k < GROUP; k++)
                sums[c] += tile->a[g * GROUP + k] * tile->w[(g * PANEL + c) * GROUP + k];
    memcpy(tile->out, sums, sizeof sums);
}

static void requantise_scalar(const requantise_block *block) { requantise_rows(block); }

static void depthwise_scalar(const int8_t *const *pixels, const int8_t *w, size_t panel_stride,
                             size_t groups, size_t panels, int32_t *sums) {
    for (size_t c = 0; c < panels * PANEL; c++) {
        const int8_t *column = w + c / PANEL * panel_stride + c % PANEL * GROUP;
        for (size_t tap = 0; tap < groups * GROUP; tap++)
            sums[c] += pixels[tap][c] * column[tap / GROUP * PANEL * GROUP + tap % GROUP];
    }
}

const kernel_set kernels_scalar = {
    .shapes = (const gemm_shape[]){{1, 1, tile_scalar}},
    .requantise = requantise_scalar,
    .depthwise = depthwise_scalar,
};

const kernel_set *kernel_set_of(ck_isa isa) {
    switch (isa) {
#if defined(__x86_64__)
        case CK_AVX2: return &kernels_avx2;
        case CK_AVXVNNI: return &kernels_avxvnni;
        case CK_AVX512VNNI: return &kernels_avx512vnni;
#elif defined(__aarch64__)
        case CK_NEON: return &kernels_neon;
        case CK_SDOT: return &kernels_sdot;
        case CK_I8MM: return &kernels_i8mm;
#endif
        default: return &kernels_scalar;
    }
}

// ---- Packed weights ----

size_t ck_packed_size(size_t channels, size_t width) {
    return (channels + PANEL - 1) / PANEL * panel_size(width);
}

/// Where the packed weight of `channel` at `k` is.
static size_t packed_index(size_t panel, size_t channel, size_t k) {
    return channel / PANEL * panel + (k / GROUP * PANEL + channel % PANEL) * GROUP + k % GROUP;
}

void pack_weights(const int8_t *w, size_t channel, size_t first, size_t count, size_t width,
                  int8_t *packed) {
    int8_t *to = packed + packed_index(panel_size(width), channel, first);
    size_t k = 0;
    for (; k + GROUP <= count; k += GROUP, to += PANEL * GROUP) memcpy(to, w + k, GROUP);
    for (size_t i = 0; k + i < count; i++) to[i] = w[k + i];
}

void ck_pack(const int8_t *w, size_t channels, size_t width, int8_t *packed) {
    for (size_t c = 0; c < channels; c++) pack_weights(w + c * width, c, 0, width, width, packed);
}

static void unpack_weights(const int8_t *from, size_t width, int8_t *w) {
    size_t k = 0;
    for (; k + GROUP <= width; k += GROUP, from += PANEL * GROUP) memcpy(w + k, from, GROUP);
    for (size_t i = 0; k + i < width; i++) w[k + i] = from[i];
}

void ck_unpack(const int8_t *packed, size_t channels, size_t width, int8_t *w, size_t stride) {
    const size_t panel = panel_size(width);
    for (size_t c = 0; c < channels; c++)
        unpack_weights(packed + packed_index(panel, c, 0), width, w + c * stride);
}

// ---- Products ----

typedef struct {
    const kernel_set *kernels;
    const int8_t *a;
    size_t a_stride, rows;
    const int8_t *w;
    size_t channels, width;
    int32_t *products;                  // [rows, channels], or NULL:
    const requantise_block *requantise;  // for the first row and channel
} product;

/// Multiplies a tile and puts its results where they belong.
static void emit(const product *p, gemm_tile *tile, const gemm_shape *shape, size_t row,
                 size_t channel) {
    _Alignas(64) int32_t sums[TILE_VALUES];
    size_t width = shape->panels * PANEL;
    size_t used = p->channels - channel < width ? p->channels - channel : width;
    bool direct = p->products && used == width;
    tile->out = direct ? p->products + row * p->channels + channel : sums;
    tile->out_stride = direct ? p->channels : width;
    shape->multiply(tile);
    if (direct) return;
    if (p->products) {
        for (size_t r = 0; r < shape->rows; r++)
            memcpy(p->products + (row + r) * p->channels + channel, sums + r * width,
                   used * sizeof *sums);
        return;
    }
    requantise_block block = *p->requantise;
    block.acc = sums;
    block.acc_stride = width;
    block.rows = shape->rows;
    block.width = used;
    block.bias += channel;
    block.multiplier += channel;
    block.q += row * block.q_stride + channel;
    if (block.scaled) block.scaled += row * block.scaled_stride + channel;
    p->kernels->requantise(&block);
}

static void multiply(const product *p) {
    const size_t panels = (p->channels + PANEL - 1) / PANEL;
    int32_t row_sums[TILE_ROWS];
    gemm_tile tile = {.a_stride = p->a_stride,
                      .panel_stride = panel_size(p->width),
                      .groups = group_count(p->width),
                      .row_sums = row_sums};
    const gemm_shape *widest = p->kernels->shapes;
    for (size_t row = 0; row < p->rows; row += widest->rows) {
        while (widest->rows > p->rows - row) widest++;
        tile.a = p->a + row * p->a_stride;
        if (p->kernels->row_sums) p->kernels->row_sums(&tile, widest->rows, row_sums);
        const gemm_shape *shape = widest;
        for (size_t panel = 0; panel < panels; panel += shape->panels) {
            while (shape->panels > panels - panel) shape++;
            tile.w = p->w + panel * tile.panel_stride;
            emit(p, &tile, shape, row, panel * PANEL);
        }
    }
}

void ck_int8_gemm(ck_isa isa, const int8_t *a, size_t rows, size_t stride, const int8_t *w,
                  size_t channels, size_t width, int32_t *out) {
    product p = {.kernels = kernel_set_of(isa),
                 .a = a,
                 .a_stride = stride,
                 .rows = rows,
                 .w = w,
                 .channels = channels,
                 .width = width,
                 .products = out};
    multiply(&p);
}

void ck_int8_layer(ck_isa isa, const int8_t *a, size_t rows, size_t stride, const int8_t *w,
                   size_t channels, size_t width, const int32_t *bias, const float *multiplier,
                   int32_t zero_point, int8_t *q, size_t q_stride, float *scaled) {
    requantise_block block = {.bias = bias,
                              .multiplier = multiplier,
                              .zero_point = zero_point,
                              .q = q,
                              .q_stride = q_stride,
                              .scaled = scaled,
                              .scaled_stride = channels};
    product p = {.kernels = kernel_set_of(isa),
                 .a = a,
                 .a_stride = stride,
                 .rows = rows,
                 .w = w,
                 .channels = channels,
                 .width = width,
                 .requantise = &block};
    multiply(&p);
}

void ck_int8_images(ck_isa isa, const int8_t *a, size_t count, size_t positions, size_t stride,
                    const int8_t *w, size_t channels, size_t width, const int32_t *bias,
                    const float *multiplier, int32_t zero_point, int8_t *q, size_t image_stride,
                    float *scaled) {
    if (positions == 1 || image_stride == positions * channels) {
        ck_int8_layer(isa, a, count * positions, stride, w, channels, width, bias, multiplier,
                      zero_point, q, positions == 1 ? image_stride : channels, scaled);
        return;
    }
    for (size_t n = 0; n < count; n++) {
        ck_int8_layer(isa, a + n * positions * stride, positions, stride, w, channels, width, bias,
                      multiplier, zero_point, q + n * image_stride, channels,
                      scaled ? scaled + n * positions * channels : NULL);
    }
}
