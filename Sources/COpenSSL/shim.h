// OpenSSL 3 for Swift: the headers, and inline functions for the macros and variadic functions that
// Swift cannot import.
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/ui.h>
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

/// HMAC of a message with a digest that has been fetched, into as many bytes as that makes; 0 on failure.
///
/// HMAC() fetches the digest and itself each time, under locks that all threads share.
static inline int tributary_hmac(const EVP_MD *digest, const unsigned char *key, int key_count,
                                 const unsigned char *message, size_t count,
                                 unsigned char *code) {
    HMAC_CTX *context = HMAC_CTX_new();
    int made = context != NULL && HMAC_Init_ex(context, key, key_count, digest, NULL) == 1 &&
               HMAC_Update(context, message, count) == 1 && HMAC_Final(context, code, NULL) == 1;
    HMAC_CTX_free(context);
    return made;
}

/// What OpenSSL gets when it asks for a key's passphrase, so that it never asks on a terminal.
struct tributary_passphrase {
    const unsigned char *bytes;  // NULL for none
    int count;
    int was_asked;
};

static inline int tributary_give_passphrase(char *buffer, int size, int writing, void *data) {
    struct tributary_passphrase *passphrase = data;
    (void)writing;
    passphrase->was_asked = 1;
    if (passphrase->bytes == NULL || passphrase->count > size) return -1;
    for (int i = 0; i < passphrase->count; i++) buffer[i] = (char)passphrase->bytes[i];
    return passphrase->count;
}

/// The private key in PEM that `bio` reads, decrypted with `passphrase` if it has to be; NULL when it is none or another
/// passphrase's.
static inline EVP_PKEY *tributary_read_private_key(
    BIO *bio, struct tributary_passphrase *passphrase) {
    return PEM_read_bio_PrivateKey(bio, NULL, tributary_give_passphrase, passphrase);
}

/// Writes `key` as PKCS#8 in PEM, encrypted with AES-256 under a key that scrypt derives (16 MiB, as `openssl pkcs8
/// -scrypt`); 1 on success.
static inline int tributary_write_encrypted_key(
    BIO *bio, const EVP_PKEY *key, const unsigned char *passphrase, int count) {
    PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key);
    X509_ALGOR *scheme =
        PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, 0, NULL, 16384, 8, 1);
    X509_SIG *sealed = NULL;
    int written = 0;
    if (plain != NULL && scheme != NULL)
        sealed = PKCS8_set0_pbe((const char *)passphrase, count, plain, scheme);
    if (sealed != NULL)
        written = PEM_write_bio_PKCS8(bio, sealed);
    else
        X509_ALGOR_free(scheme);
    X509_SIG_free(sealed);
    PKCS8_PRIV_KEY_INFO_free(plain);
    return written;
}

/// The engine through which OpenSSL 3.0 uses keys on PKCS#11 tokens, ready for use, with a reference that keeps it so; NULL
/// when it is not installed. Engines are deprecated, but Debian 12 has no other way to a token.
static inline ENGINE *tributary_pkcs11_engine(void) {
    ENGINE_load_dynamic();
    ENGINE *engine = ENGINE_by_id("pkcs11");
    if (engine != NULL && ENGINE_init(engine) != 1) {
        ENGINE_free(engine);
        return NULL;
    }
    if (engine != NULL) ENGINE_ctrl_cmd_string(engine, "QUIET", NULL, 0);
    return engine;
}

/// Sets `MODULE_PATH` or `PIN`; 1 on success.
static inline int tributary_pkcs11_set(ENGINE *engine, const char *name, const char *value) {
    return ENGINE_ctrl_cmd_string(engine, name, value, 0);
}

/// The private key that a PKCS#11 URI names, or NULL. Never asks for a PIN.
static inline EVP_PKEY *tributary_pkcs11_private_key(ENGINE *engine, const char *uri) {
    return ENGINE_load_private_key(engine, uri, (UI_METHOD *)UI_null(), NULL);
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
