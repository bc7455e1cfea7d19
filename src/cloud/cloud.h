/* SPDX-License-Identifier: Apache-2.0
 *
 * One account of Torizon Cloud, or of a self-hosted server: every URL is made here.
 *
 *     cloud_open(&login, &http_options, &cloud, e)
 *     cloud_fetch_metadata(cloud, "pump-7", &metadata, e)      // metadata.h: all signed roles of a lockbox
 *     cloud_target_source(cloud, name, uri, &source)           // where the bytes are, for http_run()
 *     cloud_fetch_packages(cloud, …), …                        // platform.h
 *     cloud_close(cloud)
 *
 * There are two doors. The client of credentials.zip opens director, image repository and OSTree; an API
 * client opens the platform API. Each has a token of its own, and no token goes to any other origin. Bytes
 * are handed on as they came: nothing is verified here.
 */
#ifndef AIRLOCK_CLOUD_CLOUD_H
#define AIRLOCK_CLOUD_CLOUD_H

#include "cloud/endpoints.h"
#include "cloud/token.h"
#include "net/http.h"

struct cloud;

struct cloud_login {
    const struct cloud_endpoints *endpoints; /* settled; copied */
    struct token_client uptane;              /* id NULL: the servers ask for no login */
    struct token_client api;                 /* id NULL: there is no API client */
};

must_check int cloud_open(const struct cloud_login *login, const struct http_options *options,
                          struct cloud **ret, struct err *e);
void cloud_close(struct cloud *c);

/* For whoever fetches packages: the same connections, the same certificates. */
struct http *cloud_http(struct cloud *c);
/* Is there a client for the platform API? */
bool cloud_has_api(const struct cloud *c);
/* Logs in at every door that has a client, so that wrong credentials show at once: ERR_LOGIN_REFUSED. */
must_check int cloud_check_login(struct cloud *c, struct err *e);

/* Where bytes are, and who logs in there. */
struct cloud_source {
    char *url;
    const struct http_auth *auth; /* NULL: nobody; belongs to the cloud */
};
void cloud_source_free(struct cloud_source *s);

/* A target's bytes: at `uri` where its image repository entry has one (a login is never sent there), else in
 * the image repository. */
void cloud_target_source(struct cloud *c, const char *target, const char *uri, struct cloud_source *ret);
/* The OSTree repositories that may hold a commit, in the order in which to ask them: the account's (with its
 * login), the one that the target's image repository entry names by `uri` (NULL: none), the public feed (both
 * without). A `url` is the repository's base, without '/' at its end; those of the configuration may be
 * CLOUD_FILE ones, `uri` may not. Returns how many. */
#define CLOUD_OSTREE_SOURCES 3
size_t cloud_ostree_sources(struct cloud *c, const char *uri, struct cloud_source ret[CLOUD_OSTREE_SOURCES]);
/* A file of such a repository, "objects/ab/cdef….filez"; owned by the caller. */
char *cloud_ostree_url(const struct cloud_source *repository, const char *path);

#endif
