#include <string.h>

#include "gemm.h"
#include "widths.h"

#pragma STDC FP_CONTRACT OFF

/// The part of a window's rows or columns that lies on the image: [first, end) in the kernel;
/// `origin` is the image's coordinate of the kernel's first, perhaps negative.
typedef struct {
    ptrdiff_t origin;
    size_t first, end;
} overlap;

static inline overlap overlap_at(size_t index, size_t step, size_t before, size_t kernel,
                                 size_t length) {
    ptrdiff_t origin = (ptrdiff_t)(index * step) - (ptrdiff_t)before;
    ptrdiff_t first = origin < 0 ? -origin : 0, end = (ptrdiff_t)length - origin;
    if (end > (ptrdiff_t)kernel) end = (ptrdiff_t)kernel;
    if (first > end) first = end < 0 ? 0 : end;
    if (end < first) end = first;
    return (overlap){.origin = origin, .first = (size_t)first, .end = (size_t)end};
}

static inline overlap rows_at(const ck_window *w, size_t y) {
    return overlap_at(y, w->step_height, w->top, w->kernel_height, w->height);
}

static inline overlap columns_at(const ck_window *w, size_t x) {
    return overlap_at(x, w->step_width, w->left, w->kernel_width, w->width);
}

/// The index in an image of row `ky`, column `kx` of the window whose overlaps these are.
static inline size_t element_at(const ck_window *w, overlap rows, overlap columns, size_t ky,
                                size_t kx) {
    size_t y = (size_t)(rows.origin + (ptrdiff_t)ky);
    size_t x = (size_t)(columns.origin + (ptrdiff_t)kx);
    return (y * w->width + x) * w->channels;
}

static size_t patch_length(const ck_window *w) {
    return w->kernel_height * w->kernel_width * w->channels;
}

/// memcpy without its call for the few bytes of a run of few channels.
static inline void copy(void *restrict to, const void *restrict from, size_t bytes) {
    char *t = to;
    const char *f = from;
    if (bytes > 128) {
        memcpy(t, f, bytes);
    } else if (bytes >= 16) {  // the last 16 may overlap those before
        for (size_t i = 0; i + 16 < bytes; i += 16) memcpy(t + i, f + i, 16);
        memcpy(t + bytes - 16, f + bytes - 16, 16);
    } else if (bytes >= 8) {  // both ends, which may overlap
        memcpy(t, f, 8);
        memcpy(t + bytes - 8, f + bytes - 8, 8);
    } else if (bytes >= 4) {
        memcpy(t, f, 4);
        memcpy(t + bytes - 4, f + bytes - 4, 4);
    } else if (bytes > 0) {
        t[0] = f[0];
        t[bytes / 2] = f[bytes / 2];
        t[bytes - 1] = f[bytes - 1];
    }
}

/// to[i] += from[i].
INLINE void add(float *restrict to, const float *restrict from, size_t count) {
    enum { SHORT = 16 };
    if (count < SHORT) {
        _Pragma("clang loop vectorize(disable) unroll(disable)")
        for (size_t i = 0; i < count; i++) to[i] += from[i];
    } else {
        for (size_t i = 0; i < count; i++) to[i] += from[i];
    }
}

/// Whether no part of the window lies outside the image.
static inline bool is_whole(const ck_window *w, overlap rows, overlap columns) {
    return rows.end - rows.first == w->kernel_height &&
           columns.end - columns.first == w->kernel_width;
}

/// The patches of one row of windows, none of which reaches beyond the image: `from` is where the
/// first begins, `step` is from one to the next.
INLINE void whole_patches(const ck_window *w, const int8_t *restrict from, size_t step,
                          size_t count, size_t run, int8_t *restrict patches,
                          size_t patch_stride) {
    const size_t row = w->width * w->channels, length = w->kernel_height * run;
    // Of the few bytes that fill a row up, the copies write over those that are not padding.
    const bool padded =
        length + CK_ROW_ALIGNMENT > patch_stride && patch_stride >= CK_ROW_ALIGNMENT;
    for (size_t x = 0; x < count; x++, from += step, patches += patch_stride) {
        if (padded)
            memset(patches + patch_stride - CK_ROW_ALIGNMENT, 0, CK_ROW_ALIGNMENT);
        else
            memset(patches + length, 0, patch_stride - length);
        for (size_t ky = 0; ky < w->kernel_height; ky++)
            copy(patches + ky * run, from + ky * row, run);
    }
}

/// The patch of one window, wherever it is.
static void any_patch(const ck_window *w, const int8_t *image, overlap rows, overlap columns,
                      int8_t padding, int8_t *patch, size_t patch_stride) {
    const size_t run = w->kernel_width * w->channels, length = patch_length(w);
    memset(patch, padding, length);
    for (size_t i = length; i < patch_stride; i++) patch[i] = 0;
    for (size_t ky = rows.first; ky < rows.end; ky++)
        copy(patch + ky * run + columns.first * w->channels,
             image + element_at(w, rows, columns, ky, columns.first),
             (columns.end - columns.first) * w->channels);
}

void ck_patches_int8(const ck_window *w, const int8_t *images, size_t count, size_t image_stride,
                     int8_t padding, int8_t *patches, size_t patch_stride) {
    const size_t run = w->kernel_width * w->channels, step = w->step_width * w->channels;
    // The columns of windows that lie on the image.
    size_t first = (w->left + w->step_width - 1) / w->step_width, end = first;
    while (end < w->out_width && columns_at(w, end).end == w->kernel_width) end++;
    if (first > w->out_width) first = end = w->out_width;
    for (size_t n = 0; n < count; n++, images += image_stride)
        for (size_t y = 0; y < w->out_height; y++, patches += w->out_width * patch_stride) {
            overlap rows = rows_at(w, y);
            const bool whole = rows.end - rows.first == w->kernel_height && first < end;
            for (size_t x = 0; x < w->out_width; x++) {
                if (whole && x == first) {
                    const int8_t *from =
                        images + element_at(w, rows, columns_at(w, first), 0, 0);
                    int8_t *to = patches + first * patch_stride;
                    if (run == 3)
                        whole_patches(w, from, step, end - first, 3, to, patch_stride);
                    else
                        whole_patches(w, from, step, end - first, run, to, patch_stride);
                    x = end - 1;
                    continue;
                }
                any_patch(w, images, rows, columns_at(w, x), padding, patches + x * patch_stride,
                          patch_stride);
            }
        }
}

void ck_patches_float(const ck_window *w, const float *images, size_t count, float *patches) {
    const size_t run = w->kernel_width * w->channels, length = patch_length(w);
    const size_t image = w->height * w->width * w->channels;
    for (size_t n = 0; n < count; n++, images += image)
        for (size_t y = 0; y < w->out_height; y++) {
            overlap rows = rows_at(w, y);
            for (size_t x = 0; x < w->out_width; x++, patches += length) {
                overlap columns = columns_at(w, x);
                if (!is_whole(w, rows, columns)) memset(patches, 0, length * sizeof *patches);
                for (size_t ky = rows.first; ky < rows.end; ky++)
                    copy(patches + ky * run + columns.first * w->channels,
                         images + element_at(w, rows, columns, ky, columns.first),
                         (columns.end - columns.first) * w->channels * sizeof *patches);
            }
        }
}

INLINE void add_patches(const ck_window *w, const float *patches, size_t count, float *images) {
    const size_t run = w->kernel_width * w->channels, length = patch_length(w);
    const size_t image = w->height * w->width * w->channels;
    for (size_t n = 0; n < count; n++, images += image)
        for (size_t y = 0; y < w->out_height; y++) {
            overlap rows = rows_at(w, y);
            for (size_t x = 0; x < w->out_width; x++, patches += length) {
                overlap columns = columns_at(w, x);
                for (size_t ky = rows.first; ky < rows.end; ky++)
                    add(images + element_at(w, rows, columns, ky, columns.first),
                        patches + ky * run + columns.first * w->channels,
                        (columns.end - columns.first) * w->channels);
            }
        }
}

FOR_EACH_WIDTH(void, add_patches,
               (const ck_window *w, const float *patches, size_t count, float *images),
               (w, patches, count, images))

void ck_add_patches(ck_isa isa, const ck_window *w, const float *patches, size_t count,
                    float *images) {
    add_patches_for(isa)(w, patches, count, images);
}

// Taps and channels of a window that are taken together.
enum { MAX_TAPS = 64, MAX_CHANNELS = 256 };

/// Adds the products of `used` channels, fewer than a panel, with their weights to out.
static void depthwise_rest(const kernel_set *kernels, const int8_t *const *pixels, size_t groups,
                           size_t used, const int8_t *panel, int32_t *out) {
    // The pixels are copied: beyond the last there may be nothing to read.
    int8_t copies[MAX_TAPS][PANEL];
    const int8_t *copied[MAX_TAPS];
    for (size_t tap = 0; tap < groups * GROUP; tap++) {
        memcpy(copies[tap], pixels[tap], used);
        copied[tap] = copies[tap];
    }
    int32_t sums[PANEL] = {0};
    kernels->depthwise(copied, panel, 0, groups, 1, sums);
    for (size_t c = 0; c < used; c++) out[c] += sums[c];
}

/// One position of a depthwise convolution: out [channels].
static void depthwise_at(const ck_window *w, const kernel_set *kernels, const int8_t *image,
                         overlap rows, overlap columns, const int8_t *padding,
                         const int8_t *weights, int32_t *out) {
    const size_t taps = w->kernel_height * w->kernel_width, panel = panel_size(taps);
    memset(out, 0, w->channels * sizeof *out);
    for (size_t channel = 0; channel < w->channels; channel += MAX_CHANNELS) {
        size_t left = w->channels - channel, used = left < MAX_CHANNELS ? left : MAX_CHANNELS;
        size_t panels = used / PANEL, rest = panels * PANEL;
        size_t tap = 0, ky = 0, kx = 0;
        while (tap < taps) {
            const int8_t *pixels[MAX_TAPS];
            const int8_t *w_first = weights + channel / PANEL * panel + tap * PANEL;
            size_t count = 0;
            for (; tap < taps && count < MAX_TAPS; tap++, count++) {
                bool on_image =
                    ky >= rows.first && ky < rows.end && kx >= columns.first && kx < columns.end;
                pixels[count] =
                    on_image ? image + element_at(w, rows, columns, ky, kx) + channel : padding;
                if (++kx == w->kernel_width) ky++, kx = 0;
            }
            for (; count % GROUP != 0; count++) pixels[count] = padding;
            kernels->depthwise(pixels, w_first, panel, count / GROUP, panels, out + channel);
            if (rest == used) continue;
            for (size_t i = 0; i < count; i++) pixels[i] += rest;
            depthwise_rest(kernels, pixels, count / GROUP, used - rest, w_first + panels * panel,
                           out + channel + rest);
        }
    }
}

void ck_depthwise(ck_isa isa, const ck_window *w, const int8_t *images, size_t count,
                  size_t image_stride, int8_t padding, const int8_t *weights, int32_t *out) {
    const kernel_set *kernels = kernel_set_of(isa);
    int8_t outside[MAX_CHANNELS];
    memset(outside, padding, sizeof outside);
    for (size_t n = 0; n < count; n++, images += image_stride)
        for (size_t y = 0; y < w->out_height; y++) {
            overlap rows = rows_at(w, y);
            for (size_t x = 0; x < w->out_width; x++, out += w->channels)
                depthwise_at(w, kernels, images, rows, columns_at(w, x), outside, weights, out);
        }
}

/// Some channels' and taps' weights and their gradients, tap by tap.
typedef struct {
    size_t channel, channels, tap, taps;
    float weights[MAX_TAPS][PANEL], gradients[MAX_TAPS][PANEL];
} weight_block;

/// to[c] += a[c] * b[c]; the compiler knows the length of a whole panel.
INLINE void add_products(size_t channels, const float *restrict a, const float *restrict b,
                         float *restrict to) {
    if (channels == PANEL) {
        for (size_t c = 0; c < PANEL; c++) to[c] += a[c] * b[c];
    } else {
        for (size_t c = 0; c < channels; c++) to[c] += a[c] * b[c];
    }
}

/// ck_depthwise_gradients for the weights of `block`.
INLINE void block_gradients(const ck_window *w, const float *gradients, const float *images,
                            size_t count, weight_block *block, float *image_gradients) {
    const size_t image = w->height * w->width * w->channels;
    for (size_t n = 0; n < count; n++, images += image)
        for (size_t y = 0; y < w->out_height; y++) {
            overlap rows = rows_at(w, y);
            for (size_t x = 0; x < w->out_width; x++, gradients += w->channels) {
                overlap columns = columns_at(w, x);
                const float *g = gradients + block->channel;
                for (size_t ky = rows.first; ky < rows.end; ky++)
                    for (size_t kx = columns.first; kx < columns.end; kx++) {
                        size_t tap = ky * w->kernel_width + kx - block->tap;
                        if (tap >= block->taps) continue;
                        size_t at = element_at(w, rows, columns, ky, kx) + block->channel;
                        add_products(block->channels, g, images + at, block->gradients[tap]);
                        if (!image_gradients) continue;
                        add_products(block->channels, g, block->weights[tap],
                                     image_gradients + n * image + at);
                    }
            }
        }
}

FOR_EACH_WIDTH(void, block_gradients,
               (const ck_window *w, const float *gradients, const float *images, size_t count,
                weight_block *block, float *image_gradients),
               (w, gradients, images, count, block, image_gradients))

void ck_depthwise_gradients(ck_isa isa, const ck_window *w, const float *gradients,
                            const float *images, size_t count, const float *weights,
                            float *w_gradients, float *image_gradients) {
    const size_t taps = w->kernel_height * w->kernel_width;
    for (size_t channel = 0; channel < w->channels; channel += PANEL)
        for (size_t tap = 0; tap < taps; tap += MAX_TAPS) {
            weight_block block = {.channel = channel, .tap = tap};
            block.channels = w->channels - channel < PANEL ? w->channels - channel : PANEL;
            block.taps = taps - tap < MAX_TAPS ? taps - tap : MAX_TAPS;
            for (size_t t = 0; t < block.taps; t++)
                for (size_t c = 0; c < block.channels; c++) {
                    size_t index = (channel + c) * taps + tap + t;
                    block.weights[t][c] = weights[index];
                    block.gradients[t][c] = w_gradients[index];
                }
            block_gradients_for(isa)(w, gradients, images, count, &block, image_gradients);
            for (size_t t = 0; t < block.taps; t++)
                for (size_t c = 0; c < block.channels; c++)
                    w_gradients[(channel + c) * taps + tap + t] = block.gradients[t][c];
        }
}

/// The largest of `used` channels from `channel` on under one window, and where in the image.
INLINE void max_pool_panel(const ck_window *w, const int8_t *image, overlap rows, overlap columns,
                           size_t channel, const size_t used, int8_t *largest, int32_t *winners) {
    int32_t best[PANEL], where[PANEL] = {0};
    for (size_t c = 0; c < used; c++) best[c] = INT32_MIN;
    for (size_t ky = rows.first; ky < rows.end; ky++)
        for (size_t kx = columns.first; kx < columns.end; kx++) {
            size_t at = element_at(w, rows, columns, ky, kx) + channel;
            for (size_t c = 0; c < used; c++) {
                int32_t value = image[at + c], index = (int32_t)(at + c);
                where[c] = value > best[c] ? index : where[c];
                best[c] = value > best[c] ? value : best[c];
            }
        }
    for (size_t c = 0; c < used; c++) largest[channel + c] = (int8_t)best[c];
    for (size_t c = 0; winners && c < used; c++) winners[channel + c] = where[c];
}

INLINE void max_pool(const ck_window *w, const int8_t *images, size_t count, size_t image_stride,
                     int8_t *out, size_t out_stride, int32_t *winners) {
    for (size_t n = 0; n < count; n++, images += image_stride, out += out_stride) {
        int8_t *largest = out;
        for (size_t y = 0; y < w->out_height; y++) {
            overlap rows = rows_at(w, y);
            for (size_t x = 0; x < w->out_width; x++, largest += w->channels) {
                overlap columns = columns_at(w, x);
                size_t c = 0;  // the compiler knows the length of a whole panel
                for (; c + PANEL <= w->channels; c += PANEL)
                    max_pool_panel(w, images, rows, columns, c, PANEL, largest, winners);
                if (c < w->channels)
                    max_pool_panel(w, images, rows, columns, c, w->channels - c, largest, winners);
                if (winners) winners += w->channels;
            }
        }
    }
}

FOR_EACH_WIDTH(void, max_pool,
               (const ck_window *w, const int8_t *images, size_t count, size_t image_stride,
                int8_t *out, size_t out_stride, int32_t *winners),
               (w, images, count, image_stride, out, out_stride, winners))

void ck_max_pool(ck_isa isa, const ck_window *w, const int8_t *images, size_t count,
                 size_t image_stride, int8_t *out, size_t out_stride, int32_t *winners) {
    max_pool_for(isa)(w, images, count, image_stride, out, out_stride, winners);
}

void ck_add_to_winners(const float *gradients, const int32_t *winners, size_t count, size_t outputs,
                       size_t inputs, float *image_gradients) {
    for (size_t n = 0; n < count; n++, image_gradients += inputs)
        for (size_t i = 0; i < outputs; i++) image_gradients[*winners++] += *gradients++;
}
