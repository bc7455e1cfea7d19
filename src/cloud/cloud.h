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
/* A file of the account's OSTree repository, such as "objects/ab/cdef….commit". ERR_BAD_CONFIG where the
 * account has none. */
must_check int cloud_ostree_source(struct cloud *c, const char *path, struct cloud_source *ret,
                                   struct err *e);

#endif
