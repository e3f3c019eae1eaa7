#ifndef LIMITS_OF_MACHINE_H
#define LIMITS_OF_MACHINE_H

#include <stddef.h>

/// Copies `bytes` bytes between two buffers of that size.
void limit_copy(size_t bytes);

/// Reads, changes and writes each word of a buffer of `bytes` bytes, a multiple of 64.
void limit_update(size_t bytes);

/// Encrypts `bytes` bytes in records of 16 KiB with AES-128-GCM, as TLS 1.3 does; false when OpenSSL will not.
_Bool limit_encrypt(size_t bytes);

#endif
