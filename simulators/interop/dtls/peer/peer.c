/*
 * A DTLS peer on Mbed TLS, to test package dtls against: a client or a server
 * for one session with TLS_ECJPAKE_WITH_AES_128_CCM_8.
 *
 *   peer server PASSWORD MTU   prints its port, echoes messages until
 *                              close_notify; MTU 0 is the default
 *   peer client PASSWORD PORT  sends three messages, expects them back
 *
 * PASSWORD is hexadecimal. What happened is printed in words; the exit status
 * is 0 after a session that ended well, 3 after a handshake that failed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cookie.h>
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
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc != 4) {
        fprintf(stderr, "usage: peer server PASSWORD MTU | peer client PASSWORD PORT\n");
        return 2;
    }
    int server = strcmp(argv[1], "server") == 0;
    unsigned char password[32];
    size_t password_len = unhex(argv[2], password, sizeof password);

    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
    mbedtls_ssl_config conf;
    mbedtls_ssl_context ssl;
    mbedtls_ssl_cookie_ctx cookies;
    mbedtls_timing_delay_context timer;
    mbedtls_net_context sock, bound;
    static const int suites[] = { MBEDTLS_TLS_ECJPAKE_WITH_AES_128_CCM_8, 0 };

    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&drbg);
    mbedtls_ssl_config_init(&conf);
    mbedtls_ssl_init(&ssl);
    mbedtls_ssl_cookie_init(&cookies);
    mbedtls_net_init(&sock);
    mbedtls_net_init(&bound);
    check("seed", mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, NULL, 0));
    check("config", mbedtls_ssl_config_defaults(&conf, server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
                                                MBEDTLS_SSL_TRANSPORT_DATAGRAM, MBEDTLS_SSL_PRESET_DEFAULT));
    mbedtls_ssl_conf_rng(&conf, mbedtls_ctr_drbg_random, &drbg);
    mbedtls_ssl_conf_ciphersuites(&conf, suites);
    mbedtls_ssl_conf_min_version(&conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_read_timeout(&conf, 20000);
    if (server) {
        check("cookies", mbedtls_ssl_cookie_setup(&cookies, mbedtls_ctr_drbg_random, &drbg));
        mbedtls_ssl_conf_dtls_cookies(&conf, mbedtls_ssl_cookie_write, mbedtls_ssl_cookie_check, &cookies);
        mbedtls_ssl_conf_handshake_timeout(&conf, 8000, 60000); /* as OpenThread */
    }
    check("setup", mbedtls_ssl_setup(&ssl, &conf));
    mbedtls_ssl_set_timer_cb(&ssl, &timer, mbedtls_timing_set_delay, mbedtls_timing_get_delay);
    mbedtls_ssl_set_bio(&ssl, &sock, mbedtls_net_send, mbedtls_net_recv, mbedtls_net_recv_timeout);

    unsigned char peer[16];
    size_t peer_len = 0;
    if (server) {
        struct sockaddr_storage at;
        socklen_t at_len = sizeof at;
        char port[8];
        if (atoi(argv[3]) > 0) {
            mbedtls_ssl_set_mtu(&ssl, (uint16_t) atoi(argv[3]));
        }
        check("bind", mbedtls_net_bind(&bound, "127.0.0.1", "0", MBEDTLS_NET_PROTO_UDP));
        getsockname(bound.fd, (struct sockaddr *) &at, &at_len);
        snprintf(port, sizeof port, "%u", (unsigned) ntohs(((struct sockaddr_in *) &at)->sin_port));
        printf("port %s\n", port);
    } else {
        check("connect", mbedtls_net_connect(&sock, "127.0.0.1", argv[3], MBEDTLS_NET_PROTO_UDP));
    }

    int err;
    do {
        if (server) {
            mbedtls_net_free(&sock);
            mbedtls_ssl_session_reset(&ssl);
            check("accept", mbedtls_net_accept(&bound, &sock, peer, sizeof peer, &peer_len));
            check("transport id", mbedtls_ssl_set_client_transport_id(&ssl, peer, peer_len));
        }
        check("password", mbedtls_ssl_set_hs_ecjpake_password(&ssl, password, password_len));
        do {
            err = mbedtls_ssl_handshake(&ssl);
        } while (err == MBEDTLS_ERR_SSL_WANT_READ || err == MBEDTLS_ERR_SSL_WANT_WRITE);
    } while (server && err == MBEDTLS_ERR_SSL_HELLO_VERIFY_REQUIRED);
    if (err != 0) {
        die("handshake", err, 3);
    }
    printf("up %s %s\n", mbedtls_ssl_get_version(&ssl), mbedtls_ssl_get_ciphersuite(&ssl));

    unsigned char buf[4096], out[4096];
    if (!server) {
        static const int sizes[] = { 1, 100, 1000 };
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            memset(out, 'a' + (int) i, sizeof out);
            if ((err = mbedtls_ssl_write(&ssl, out, (size_t) sizes[i])) != sizes[i]) {
                die("write", err, 1);
            }
            if ((err = mbedtls_ssl_read(&ssl, buf, sizeof buf)) != sizes[i] || memcmp(buf, out, (size_t) sizes[i]) != 0) {
                die("read", err, 1);
            }
        }
        mbedtls_ssl_close_notify(&ssl);
        err = mbedtls_ssl_read(&ssl, buf, sizeof buf);
    } else {
        while ((err = mbedtls_ssl_read(&ssl, buf, sizeof buf)) > 0) {
            int n = err;
            if ((err = mbedtls_ssl_write(&ssl, buf, (size_t) n)) != n) {
                die("write", err, 1);
            }
        }
        mbedtls_ssl_close_notify(&ssl);
    }
    if (err != 0 && err != MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        die("end", err, 1);
    }
    printf("closed\n");
    return 0;
}
