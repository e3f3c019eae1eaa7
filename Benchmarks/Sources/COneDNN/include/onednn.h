#ifndef ONEDNN_H
#define ONEDNN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Prepares oneDNN's product of signed bytes, a [rows, width] x w [width, channels] -> int32, with
/// weights that it lays out once as it likes best. False if this was built without oneDNN.
bool onednn_prepare(size_t rows, size_t channels, size_t width);

/// Runs the prepared product.
void onednn_run(void);

#ifdef __cplusplus
}
#endif
#endif
