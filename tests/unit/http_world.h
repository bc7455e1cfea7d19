/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of HTTP share: a rehearsal cloud with one package behind a login and one without,
 * connections to it, and downloads into memory.
 */
#ifndef AIRLOCK_TESTS_HTTP_WORLD_H
#define AIRLOCK_TESTS_HTTP_WORLD_H

#include "rehearsal.h"

#include <time.h>

#include "cloud/credentials.h"
#include "cloud/token.h"
#include "crypto/hash.h"
#include "net/http.h"

#define SIZE (1u << 20) /* of each package */

/* A download into memory, and what happened to its sink. */
struct download {
    struct buf body;
    unsigned restarts, writes;
    unsigned write_ms;  /* each write takes that long */
    enum err_id breaks; /* the sink's own error at its first write */
    struct err error;   /* ERR_NONE: all arrived */
    struct http_transfer transfer;
};

struct world {
    struct credentials credentials;
    char *ca_file, *repo_url, *origin;
    char *target_url; /* redirects to the store; login needed */
    char *public_url; /* the store itself; no login */
    char target_sha256[HASH_HEX_SIZE], public_sha256[HASH_HEX_SIZE];
    struct http_options options;
    struct http *http;
    struct token *token;
    struct http_auth auth;
};

static inline uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- the world of all tests ---- */

static inline void package_field(const char *id, const char *field, char *ret, size_t size)
{
    AUTO_FREE char *command = mem_format(
        REHEARSAL " ctl %s package list | python3 -c 'import json, sys; "
                  "print([p for p in json.load(sys.stdin) if p[\"target\"] == \"%s\"][0][\"%s\"], end=\"\")'",
        rehearsal_folder, id, field);
    AUTO_FREE char *value = rehearsal_run(command);
    assert_true(strlen(value) < size);
    strcpy(ret, value);
}

static inline int start(void **state)
{
    struct err e;
    char uri[200];
    struct world *w = mem_zeroed(1, sizeof *w);
    rehearsal_start("--keys ed25519");
    rehearsal_tell("package add target 1 --hwid h --random %u", SIZE);
    rehearsal_tell("package add public 1 --hwid h --random %u --uri hosted", SIZE);
    package_field("target-1", "sha256", w->target_sha256, sizeof w->target_sha256);
    package_field("public-1", "sha256", w->public_sha256, sizeof w->public_sha256);
    package_field("public-1", "uri", uri, sizeof uri);
    w->public_url = mem_strdup(uri);
    w->ca_file = rehearsal_value("REHEARSAL_CA");
    w->repo_url = rehearsal_value("REHEARSAL_REPO_URL");
    w->target_url = mem_format("%s/api/v1/user_repo/targets/target-1", w->repo_url);
    assert_true(http_origin(w->repo_url, &w->origin));
    AUTO_FREE char *archive = rehearsal_value("REHEARSAL_CREDENTIALS");
    if (credentials_read(archive, &w->credentials, &e))
        fail_msg("%s", e.message);
    *state = w;
    return 0;
}

static inline int stop(void **state)
{
    struct world *w = *state;
    credentials_free(&w->credentials);
    free(w->ca_file);
    free(w->repo_url);
    free(w->target_url);
    free(w->public_url);
    free(w->origin);
    free(w);
    rehearsal_stop();
    return 0;
}

static inline void open_http(struct world *w)
{
    struct err e;
    if (http_open(&w->options, &w->http, &e))
        fail_msg("%s", e.message);
    struct token_client client = {w->credentials.client_id, w->credentials.client_secret, NULL};
    w->token = token_new(w->http, w->credentials.endpoints.token, &client);
    w->auth = (struct http_auth){w->origin, token_header, w->token};
}

static inline void close_http(struct world *w)
{
    token_delete(w->token);
    http_close(w->http);
}

static inline int begin(void **state)
{
    struct world *w = *state;
    rehearsal_begin();
    w->options = (struct http_options){
        .ca_file = w->ca_file, .user_agent = rehearsal_agent, .pause_ms = 10, .stall_timeout_ms = 5000};
    open_http(w);
    return 0;
}

static inline int end(void **state)
{
    close_http(*state);
    return 0;
}

static inline void reopen(struct world *w)
{
    close_http(w);
    open_http(w);
}

/* ---- downloads ---- */

static inline int take(void *ctx, const void *bytes, size_t n, struct err *e)
{
    struct download *d = ctx;
    d->writes++;
    if (d->breaks)
        return err_set(e, d->breaks, "the sink breaks");
    usleep(d->write_ms * 1000);
    buf_add(&d->body, bytes, n);
    return 0;
}

static inline int forget(void *ctx, struct err *e)
{
    (void)e;
    struct download *d = ctx;
    buf_clear(&d->body);
    d->restarts++;
    return 0;
}

static inline struct download download_of(const char *url, const struct http_auth *auth)
{
    return (struct download){
        .transfer = {.url = url, .auth = auth, .sink = {.expected = SIZE, .write = take, .restart = forget}}};
}

static inline void download_free(struct download *d)
{
    buf_free(&d->body);
}

struct list {
    struct download *downloads;
    size_t count, next;
    bool stop_at_first;
    size_t ended;
};

static inline bool next_download(void *ctx, struct http_transfer *ret)
{
    struct list *list = ctx;
    if (list->next == list->count)
        return false;
    struct download *d = &list->downloads[list->next++];
    *ret = d->transfer;
    ret->sink.ctx = d;
    ret->user = d;
    return true;
}

static inline int download_done(void *ctx, struct http_transfer *t, const struct err *e, struct err *fail)
{
    struct list *list = ctx;
    struct download *d = t->user;
    if (e)
        d->error = *e;
    list->ended++;
    return list->stop_at_first ? err_set(fail, ERR_NO_SPACE, "enough") : 0;
}

static inline void run(struct world *w, struct download *downloads, size_t n)
{
    struct list list = {.downloads = downloads, .count = n};
    struct http_queue queue = {&list, next_download, download_done};
    struct err e;
    if (http_run(w->http, &queue, &e))
        fail_msg("%s", e.message);
    assert_int_equal(list.ended, n);
}

static inline void expect_whole(const struct download *d, const char *sha256)
{
    uint8_t digest[HASH_SIZE];
    char text[HASH_HEX_SIZE];
    if (d->error.id != ERR_NONE)
        fail_msg("%s", d->error.message);
    assert_int_equal(d->body.len, SIZE);
    hash_of(d->body.data, d->body.len, digest);
    hash_hex(digest, text);
    assert_string_equal(text, sha256);
}

/* One download of the public object, under the faults that were added. */
static inline void expect_public(struct world *w, unsigned restarts)
{
    AUTO(download) struct download d = download_of(w->public_url, NULL);
    run(w, &d, 1);
    expect_whole(&d, w->public_sha256);
    assert_int_equal(d.restarts, restarts);
}

static inline void expect_public_error(struct world *w, enum err_id id)
{
    AUTO(download) struct download d = download_of(w->public_url, NULL);
    run(w, &d, 1);
    if (d.error.id != id)
        fail_msg("%s, not %s: %s", err_name(d.error.id), err_name(id), d.error.message);
}

/* Every test has connections and a login of its own. */
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

#endif
