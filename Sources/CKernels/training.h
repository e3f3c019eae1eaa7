#ifndef CKERNELS_TRAINING_H
#define CKERNELS_TRAINING_H

#include "ck_training.h"

// The gradient by a dense layer's weights is cut into blocks of channels and those into tiles of
// TILE_CHANNELS channels and TILE_COLUMNS inputs. Rows of the batch are taken in pairs, because
// processors multiply 16 bits by 16 in pairs and add both products to 32: a word holds the value of
// an even row in its lower half and that of the row after it in its upper half.
enum { TILE_CHANNELS = 8, TILE_COLUMNS = 48, BLOCK_CHANNELS = 64 };

typedef struct {
    size_t pairs;
    const uint32_t *gradient;  // [pairs, BLOCK_CHANNELS], from the tile's first channel on
    const uint32_t *input;     // [pairs, TILE_COLUMNS]
} gradient_tile;

/// out [TILE_CHANNELS, TILE_COLUMNS] = the products, summed over the rows.
typedef void multiply_gradient(const gradient_tile *tile, int32_t *out);

/// The lookup of a multiple of LOOKUP_BYTES bytes.
enum { LOOKUP_BYTES = 64 };
typedef void look_up_bytes(const uint8_t *x, size_t count, const int8_t *table, int8_t *out);

#if defined(__x86_64__)
multiply_gradient multiply_gradient_avx2, multiply_gradient_avxvnni, multiply_gradient_avx512vnni;
look_up_bytes look_up_avx2, look_up_avx512vbmi;
#elif defined(__aarch64__)
multiply_gradient multiply_gradient_neon;
look_up_bytes look_up_neon;
#endif

#endif
