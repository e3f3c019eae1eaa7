#ifndef CKERNELS_GEMM_H
#define CKERNELS_GEMM_H

#include <stddef.h>
#include <stdint.h>

#include "ckernels.h"

// The matrix product is cut into tiles of a few rows by a few panels of weights. Each instruction
// set has functions for the tile shapes that keep all sums of a tile in registers; activations are
// read where they lie, four of a row at a time, and nothing is allocated.
//
// A panel holds the weights of PANEL channels: for each group of GROUP weights along the width,
// PANEL x GROUP bytes.
enum { PANEL = CK_PANEL_CHANNELS, GROUP = 4, TILE_ROWS = 12, TILE_VALUES = 384 };

typedef struct {
    const int8_t *a;          // the tile's first row of activations
    size_t a_stride;
    const int8_t *w;          // the tile's first panel
    size_t panel_stride;      // bytes from one panel to the next
    size_t groups;            // along the width; the last may be partly zero weights
    const int32_t *row_sums;  // of the activations, if the instruction set wants them
    int32_t *out;             // receives [rows, panels * PANEL]
    size_t out_stride;
} gemm_tile;

typedef struct {
    size_t rows, panels;
    void (*multiply)(const gemm_tile *tile);
} gemm_shape;

/// A block of accumulators to requantise; see ck_requantise.
typedef struct {
    const int32_t *acc;
    size_t acc_stride, rows, width;
    const int32_t *bias;
    const float *multiplier;
    int32_t zero_point;
    int8_t *q;
    size_t q_stride;
    float *scaled;  // or NULL
    size_t scaled_stride;
} requantise_block;

typedef struct {
    /// By falling rows, then by falling panels; every row count goes down to one panel, the last
    /// shape is 1 x 1.
    const gemm_shape *shapes;
    /// sums [rows] of the first `groups` groups of each row; NULL if tiles need none.
    void (*row_sums)(const gemm_tile *tile, size_t rows, int32_t *sums);
    void (*requantise)(const requantise_block *block);
    /// Adds to sums [panels * PANEL] the products of `groups` x GROUP pixels with their weights,
    /// channel by channel.
    void (*depthwise)(const int8_t *const *pixels, const int8_t *w, size_t panel_stride,
                      size_t groups, size_t panels, int32_t *sums);
} kernel_set;

extern const kernel_set kernels_scalar;
#if defined(__x86_64__)
extern const kernel_set kernels_avx2, kernels_avxvnni, kernels_avx512vnni;
#elif defined(__aarch64__)
extern const kernel_set kernels_neon, kernels_sdot, kernels_i8mm;
#endif

const kernel_set *kernel_set_of(ck_isa isa);

/// Groups of a row of `width` weights.
static inline size_t group_count(size_t width) { return (width + GROUP - 1) / GROUP; }

/// Bytes of a panel; an even number of groups, because one instruction set takes them in pairs.
static inline size_t panel_size(size_t width) {
    return (group_count(width) + 1) / 2 * 2 * GROUP * PANEL;
}

/// Puts `count` of a channel's `width` weights, from `first` on, a multiple of GROUP, among the
/// packed ones.
void pack_weights(const int8_t *w, size_t channel, size_t first, size_t count, size_t width,
                  int8_t *packed);

#endif
