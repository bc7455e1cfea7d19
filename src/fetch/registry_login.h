/* SPDX-License-Identifier: Apache-2.0
 *
 * Who logs in to a container registry: what was given for this run (--login), else what Docker keeps for the
 * user in config.json, there a credential helper first (a program "docker-credential-NAME", run without a
 * shell), then the stored login. Secrets stay in memory and are wiped.
 */
#ifndef AIRLOCK_FETCH_REGISTRY_LOGIN_H
#define AIRLOCK_FETCH_REGISTRY_LOGIN_H

#include <stdbool.h>

#include "base/err.h"

struct registry_login {
    char *registry; /* "registry.example:5000"; Docker Hub is "docker.io" */
    char *user;
    char *secret; /* password, or an OAuth2 refresh token where `is_token` */
    bool is_token;
};

/* "USER:PASSWORD" in the first line of a file that nobody else may read. ERR_BAD_CONFIG. */
must_check int registry_login_read(const char *registry, const char *path, struct registry_login *ret,
                                   struct err *e);
/* From the folder of Docker's config.json (NULL: none). *ret stays empty (user NULL) where Docker knows no
 * login. ERR_BAD_CONFIG when the file or its helper cannot be used. */
must_check int registry_login_of_docker(const char *folder, const char *registry, struct registry_login *ret,
                                        struct err *e);
void registry_login_free(struct registry_login *l);
/* The same registry, however it is spelled: with a scheme, a path, by one of Docker Hub's names? */
bool registry_is_same(const char *a, const char *b);

#endif
