/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/http.h"

/* An HTTP server that gives every request the same answer. */
struct server {
    int listener;
    char url[64];
    const char *begin, *repeated, *end; /* of the answer */
    size_t repeats;
    unsigned requests;
    pthread_t thread;
};

static bool send_text(int peer, const char *text)
{
    size_t len = strlen(text);
    return send(peer, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void *serve(void *ctx)
{
    struct server *s = ctx;
    for (int peer; (peer = accept(s->listener, NULL, NULL)) >= 0; close(peer)) {
        char request[4096];
        if (recv(peer, request, sizeof request, 0) <= 0)
            continue;
        s->requests++;
        bool is_heard = send_text(peer, s->begin);
        for (size_t i = 0; i < s->repeats && is_heard; i++)
            is_heard = send_text(peer, s->repeated);
        if (is_heard)
            send_text(peer, s->end);
    }
    return NULL;
}

static void server_start(struct server *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s->listener >= 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s->listener, 8), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &len), 0);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u/", ntohs(at.sin_port));
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_stop(struct server *s)
{
    shutdown(s->listener, SHUT_RDWR); /* ends accept() */
    pthread_join(s->thread, NULL);
    close(s->listener);
}

/* Asks the server once; what http_send() returned. */
static int ask(struct server *s, struct err *e)
{
    const struct http_options options = {.pause_ms = 1};
    struct http_request request = {.url = s->url};
    AUTO(buf) struct buf body = {0};
    AUTO(http_reply) struct http_reply reply = {0};
    struct http *http;
    server_start(s);
    assert_int_equal(http_open(&options, &http, e), 0);
    int rc = http_send(http, &request, &body, &reply, e);
    http_close(http);
    server_stop(s);
    if (rc == 0)
        assert_string_equal(buf_text(&body), "a");
    return rc;
}

static void expect_too_large(struct server *s)
{
    struct err e = {0};
    assert_int_equal(ask(s, &e), -1);
    assert_int_equal(e.id, ERR_BAD_ANSWER);
    assert_non_null(strstr(e.message, "the answer's head is larger than 256 KiB"));
    assert_int_equal(s->requests, 1);
}

#define CHUNKED "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
#define HEAD_LINE "X-Filler: 012345678901234567890123456789012345678901234567890\r\n"

static void a_few_trailers_do_no_harm(void **state)
{
    (void)state;
    struct server s = {.begin = CHUNKED, .repeated = HEAD_LINE, .end = "\r\n", .repeats = 3 * 1024};
    struct err e = {0};
    if (ask(&s, &e))
        fail_msg("%s", e.message);
}

static void a_flood_of_trailers_is_cut_off_and_not_asked_for_again(void **state)
{
    (void)state;
    expect_too_large(
        &(struct server){.begin = CHUNKED, .repeated = HEAD_LINE, .end = "\r\n", .repeats = 5 * 1024});
}

static void a_flood_of_early_answers_is_cut_off(void **state)
{
    (void)state;
    expect_too_large(&(struct server){.begin = "",
                                      .repeated = "HTTP/1.1 103 Early Hints\r\n" HEAD_LINE "\r\n",
                                      .end = CHUNKED "\r\n",
                                      .repeats = 5 * 1024});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_few_trailers_do_no_harm),
        cmocka_unit_test(a_flood_of_trailers_is_cut_off_and_not_asked_for_again),
        cmocka_unit_test(a_flood_of_early_answers_is_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
