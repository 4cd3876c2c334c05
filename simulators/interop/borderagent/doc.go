// Package borderagent tests the simulated border agent against Mbed TLS, which
// commissioners are built on: the captured conversations of real ones, octet for
// octet, over real sockets. The tests need a peer, peer/commissioner.c, linked
// with an Mbed TLS that was built as simulators/interop/dtls says; without one
// they are skipped. The script with-mbedtls makes it and runs them:
//
//	./with-mbedtls $MBEDTLS
//
// The reader is beside simulators/borderagent; nothing imports this package.
package borderagent
