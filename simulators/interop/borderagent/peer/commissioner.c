/*
 * A commissioner's end of a session with a border agent, on Mbed TLS: DTLS with
 * TLS_ECJPAKE_WITH_AES_128_CCM_8.
 *
 *   commissioner PASSWORD PORT
 *
 * PASSWORD is hexadecimal, PORT on 127.0.0.1. Each line of the input is sent in
 * one record, hexadecimal too; what comes is printed as "< " and hexadecimal.
 * The end of the input ends the session. The exit status is 3 after a handshake
 * that failed.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/timing.h>

static void die(const char *what, int err, int status)
{
    char text[128];
    mbedtls_strerror(err, text, sizeof text);
    printf("%s: -0x%04x %s\n", what, (unsigned) -err, text);
    exit(status);
}

static void check(const char *what, int err)
{
    if (err != 0) {
        die(what, err, 1);
    }
}

static size_t unhex(const char *s, unsigned char *out, size_t max)
{
    size_t n = 0;
    unsigned v;
    while (n < max && sscanf(s + 2 * n, "%2x", &v) == 1) {
        out[n++] = (unsigned char) v;
    }
    return n;
}

int main(int argc, char **argv)
{
    static const int suites[] = { MBEDTLS_TLS_ECJPAKE_WITH_AES_128_CCM_8, 0 };
    unsigned char password[32], buf[4096];
    char line[2 * sizeof buf + 2];
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
    mbedtls_ssl_config conf;
    mbedtls_ssl_context ssl;
    mbedtls_timing_delay_context timer;
    mbedtls_net_context sock;
    int err;

    setvbuf(stdout, NULL, _IOLBF, 0);
    setvbuf(stdin, NULL, _IONBF, 0); /* poll sees what stdio has not read */
    if (argc != 3) {
        fprintf(stderr, "usage: commissioner PASSWORD PORT\n");
        return 2;
    }
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&drbg);
    mbedtls_ssl_config_init(&conf);
    mbedtls_ssl_init(&ssl);
    mbedtls_net_init(&sock);
    check("seed", mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, NULL, 0));
    check("config", mbedtls_ssl_config_defaults(&conf, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_DATAGRAM, MBEDTLS_SSL_PRESET_DEFAULT));
    mbedtls_ssl_conf_rng(&conf, mbedtls_ctr_drbg_random, &drbg);
    mbedtls_ssl_conf_ciphersuites(&conf, suites);
    mbedtls_ssl_conf_min_version(&conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    check("setup", mbedtls_ssl_setup(&ssl, &conf));
    mbedtls_ssl_set_timer_cb(&ssl, &timer, mbedtls_timing_set_delay, mbedtls_timing_get_delay);
    mbedtls_ssl_set_bio(&ssl, &sock, mbedtls_net_send, mbedtls_net_recv, mbedtls_net_recv_timeout);
    check("connect", mbedtls_net_connect(&sock, "127.0.0.1", argv[2], MBEDTLS_NET_PROTO_UDP));
    check("password", mbedtls_ssl_set_hs_ecjpake_password(&ssl, password, unhex(argv[1], password, sizeof password)));
    do {
        err = mbedtls_ssl_handshake(&ssl);
    } while (err == MBEDTLS_ERR_SSL_WANT_READ || err == MBEDTLS_ERR_SSL_WANT_WRITE);
    if (err != 0) {
        die("handshake", err, 3);
    }
    printf("up %s %s\n", mbedtls_ssl_get_version(&ssl), mbedtls_ssl_get_ciphersuite(&ssl));

    for (;;) {
        struct pollfd fds[2] = { { .fd = 0, .events = POLLIN }, { .fd = sock.fd, .events = POLLIN } };
        if (!mbedtls_ssl_check_pending(&ssl) && poll(fds, 2, -1) < 0) {
            return 1;
        }
        if (mbedtls_ssl_check_pending(&ssl) || fds[1].revents != 0) {
            err = mbedtls_ssl_read(&ssl, buf, sizeof buf);
            if (err == 0 || err == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
                printf("closed by the agent\n");
                return 0;
            }
            if (err < 0 && err != MBEDTLS_ERR_SSL_WANT_READ && err != MBEDTLS_ERR_SSL_TIMEOUT) {
                die("read", err, 1);
            }
            if (err > 0) {
                printf("< ");
                for (int i = 0; i < err; i++) {
                    printf("%02x", buf[i]);
                }
                printf("\n");
            }
        }
        if (fds[0].revents != 0) {
            if (fgets(line, sizeof line, stdin) == NULL) {
                mbedtls_ssl_close_notify(&ssl);
                printf("closed\n");
                return 0;
            }
            size_t n = unhex(line, buf, sizeof buf);
            if ((err = mbedtls_ssl_write(&ssl, buf, n)) != (int) n) {
                die("write", err, 1);
            }
        }
    }
}
