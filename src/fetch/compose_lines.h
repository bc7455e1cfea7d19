/* SPDX-License-Identifier: Apache-2.0
 *
 * A compose file as the device's client reads it before it loads images: not as YAML but line by line
 * (dockerofflineloader.cc of toradex/aktualizr). A key in column 0 opens or ends "services", a key indented
 * by two spaces names a service, "image:" and "platform:" count where they are indented by exactly four and
 * followed by one value, in double quotes or not, and nothing else. Every other line is passed over. What
 * such a reader sees in a file that is no such file is kept here exactly, so that compose.h can compare it
 * with what the YAML means.
 */
#ifndef AIRLOCK_FETCH_COMPOSE_LINES_H
#define AIRLOCK_FETCH_COMPOSE_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define COMPOSE_BYTES_MAX (4u << 20) /* the device reads no more */
#define COMPOSE_LINE_MAX 4096u       /* bytes of a line, its end included */
#define COMPOSE_SERVICES_MAX 256u    /* ours: an application on one device has a dozen */

struct compose_line {
    char *text; /* NULL: the device has found none */
    unsigned line;
};

struct compose_lines_service {
    struct compose_line name, image, platform;
};

struct compose_lines {
    bool has_services; /* "services:" was seen */
    struct compose_lines_service *services;
    size_t count, room;
};

/* ERR_DEVICE_LIMIT where the device gives up: a line or the whole file is too long. ERR_TOO_LARGE for too
 * many services. */
must_check int compose_lines_read(const void *bytes, size_t len, struct compose_lines *ret, struct err *e);
/* NULL: the device knows no service of this name. */
const struct compose_lines_service *compose_lines_find(const struct compose_lines *l, const char *name);
void compose_lines_free(struct compose_lines *l);

#endif
