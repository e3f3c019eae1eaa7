// OpenSSL 3 for Swift: the headers, and inline functions for the macros and variadic functions that
// Swift cannot import.
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

/// A new elliptic-curve key on the named curve ("P-256"), or NULL.
static inline EVP_PKEY *tributary_generate_ec(const char *curve) {
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve);
}

/// A new Ed25519 key, or NULL.
static inline EVP_PKEY *tributary_generate_ed25519(void) {
    return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

/// The bytes that a memory BIO holds, through `data`, and their count.
static inline long tributary_memory_contents(BIO *bio, char **data) {
    return BIO_get_mem_data(bio, data);
}

/// Allows TLS 1.3 and nothing else; 1 on success.
static inline int tributary_require_tls13(SSL_CTX *context) {
    return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1
        && SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1;
}

/// Sends `name` as the server name; 1 on success.
static inline long tributary_set_server_name(SSL *ssl, const char *name) {
    return SSL_set_tlsext_host_name(ssl, name);
}

static inline STACK_OF(X509) *tributary_certificates_new(void) { return sk_X509_new_null(); }
static inline void tributary_certificates_free(STACK_OF(X509) *stack) { sk_X509_free(stack); }

/// Appends without taking a reference; more than 0 on success.
static inline int tributary_certificates_push(STACK_OF(X509) *stack, X509 *certificate) {
    return sk_X509_push(stack, certificate);
}

/// The count, -1 for NULL.
static inline int tributary_certificates_count(const STACK_OF(X509) *stack) {
    return sk_X509_num(stack);
}

static inline X509 *tributary_certificates_at(const STACK_OF(X509) *stack, int index) {
    return sk_X509_value(stack, index);
}

/// The count, -1 for NULL.
static inline int tributary_names_count(const GENERAL_NAMES *names) {
    return sk_GENERAL_NAME_num(names);
}

static inline GENERAL_NAME *tributary_names_at(const GENERAL_NAMES *names, int index) {
    return sk_GENERAL_NAME_value(names, index);
}

/// Prints `name` on one line with control characters escaped; 1 on success.
static inline int tributary_print_name(BIO *bio, const X509_NAME *name) {
    return X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE) >= 0;
}
