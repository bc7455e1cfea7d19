/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside registry.c and repository.c: one repository of one registry, and its login. A bearer is good for one
 * repository, so each has its own.
 */
#ifndef AIRLOCK_FETCH_REPOSITORY_H
#define AIRLOCK_FETCH_REPOSITORY_H

#include "fetch/challenge.h"
#include "fetch/registry.h"

/* One registry that is asked. */
struct registry {
    char *host;        /* as it was named: for logins and messages */
    char *base;        /* "https://host[:port]" */
    struct http *http; /* its own, where it has a CA of its own */
    bool owns_http;
    bool looked_for_login;
    struct registry_login login; /* user NULL: none is known */
};

struct repository {
    struct registry *registry;
    const struct registry_options *options;
    char *path; /* "library/busybox", behind a mirror's own path */
    struct challenge challenge;
    char *bearer;
    char *origin;
    bool was_asked;
    struct http_auth auth; /* origin NULL: the registry asks for no login */
};

void repository_delete(struct repository *r);

#endif
