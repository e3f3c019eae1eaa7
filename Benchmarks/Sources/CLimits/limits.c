#include "limits_of_machine.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

void limit_copy(size_t bytes) {
    static char *from, *to;
    static size_t held;
    if (held != bytes) {
        free(from);
        free(to);
        from = malloc(bytes);
        to = malloc(bytes);
        if (!from || !to) abort();
        memset(from, 1, bytes);
        memset(to, 2, bytes);
        held = bytes;
    }
    memcpy(to, from, bytes);
    __asm__ volatile("" ::"r"(to) : "memory");
}

_Bool limit_encrypt(size_t bytes) {
    enum { RECORD = 16 << 10 };
    static unsigned char record[RECORD], sealed[RECORD], key[16], nonce[12], tag[16];
    static EVP_CIPHER_CTX *context;
    if (!context) {
        context = EVP_CIPHER_CTX_new();
        if (!context || !EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), NULL, key, NULL))
            return 0;
    }
    for (size_t done = 0; done < bytes; done += RECORD) {
        int count = 0;
        nonce[0]++;
        if (!EVP_EncryptInit_ex(context, NULL, NULL, NULL, nonce) ||
            !EVP_EncryptUpdate(context, sealed, &count, record, RECORD) ||
            !EVP_EncryptFinal_ex(context, sealed + count, &count) ||
            !EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, sizeof tag, tag))
            return 0;
    }
    return 1;
}
