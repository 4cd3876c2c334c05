// Package dtls tests the product's DTLS against Mbed TLS, the library that
// every Thread border agent known to us is built on. The tests need a peer;
// without one they are skipped. It is peer/peer.c, linked with an Mbed TLS (2.28
// or 3) that was built with MBEDTLS_ECJPAKE_C and
// MBEDTLS_KEY_EXCHANGE_ECJPAKE_ENABLED, which distributions leave out:
//
//	cc -O2 -DMBEDTLS_ECJPAKE_C -DMBEDTLS_KEY_EXCHANGE_ECJPAKE_ENABLED -I$MBEDTLS/include -o peer peer/peer.c \
//		$MBEDTLS/library/libmbedtls.a $MBEDTLS/library/libmbedx509.a $MBEDTLS/library/libmbedcrypto.a
//	THREADMAP_MBEDTLS_PEER=$PWD/peer go test -v .
//
// The reader is beside diag/tmf/dtls; nothing imports this package.
package dtls
