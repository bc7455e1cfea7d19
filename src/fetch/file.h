/* SPDX-License-Identifier: Apache-2.0
 *
 * Plain files by URL into the store: many at once, each known by its signed SHA-256 and length. What the
 * store has is not fetched; what arrived in part goes on where it stopped; content that turns out wrong is
 * fetched once more from the start (a proxy may have spoiled it), then refused.
 */
#ifndef AIRLOCK_FETCH_FILE_H
#define AIRLOCK_FETCH_FILE_H

#include "base/progress.h"
#include "net/http.h"
#include "store/store.h"

#define FETCH_SMALL_MAX                                                                                      \
    (1u << 20) /* bytes: up to here a file is one of many rather than a stream of its own */

struct fetch_file {
    const char *name; /* for messages */
    const char *url;
    const struct http_auth *auth;
    uint8_t sha256[HASH_SIZE];
    uint64_t size;
};

/* One file that fails does not stop the others; the first error is returned when all have ended. A full disk
 * or a login that is refused ends the run at once. What arrived stays in the store either way. */
must_check int fetch_files(struct http *http, const struct store *store, const struct fetch_file *files,
                           size_t n, struct progress *progress, struct err *e);

#endif
