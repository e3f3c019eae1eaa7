import COpenSSL

/// Keeps libcrypto usable until the process has gone. Call it before anything else uses the library.
///
/// Otherwise the library frees what it shares when `exit` begins, while threads that nobody waits for may still verify a
/// signature: a process that was to end in order would end with a segmentation fault.
package func keepLibraryUntilTheEnd() {
    OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
}
