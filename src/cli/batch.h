/* SPDX-License-Identifier: Apache-2.0
 *
 * A command over several names, of which some may fail: the others go on, each failure is said, and the
 * answer lists both. With one name, its error is the command's.
 */
#ifndef AIRLOCK_CLI_BATCH_H
#define AIRLOCK_CLI_BATCH_H

#include "cli/app.h"

struct cJSON;

struct batch {
    const struct app *app;
    size_t count;         /* of all that is to be done */
    struct cJSON *done;   /* an object for each that succeeded */
    struct cJSON *failed; /* {"lockbox", "to", "id", "message"} for each that did not */
    struct cJSON *pinned; /* the fingerprints of a first contact; NULL where there was none */
    size_t failures;
    struct err error; /* the last one */
};

struct batch batch_begin(const struct app *app, size_t count);
void batch_free(struct batch *b);
/* to: the one of its places where it failed; NULL: all. */
void batch_fail(struct batch *b, const char *name, const char *to, const struct err *e);
/* The end of the command: prints {"schema", key: done, "failed"} and "pinned" with --json. When all failed
 * the last error is the command's: -1 where it was the only thing to be done, else its exit code and answer,
 * as it was said already. *exit_code becomes EXIT_SOME_FAILED when some did. */
must_check int batch_end(struct batch *b, const char *key, int *exit_code, struct err *e);

#endif
