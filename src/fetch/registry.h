/* SPDX-License-Identifier: Apache-2.0
 *
 * Container registries (Docker's registry protocol v2, the OCI distribution specification), read only:
 *
 *     registries_open(&options, &all, e)
 *     registries_find(all, &name, &repository, e)                 // whom to ask for an image; asks nobody
 * yet repository_manifest(repository, digest, &bytes, e)          // logs in as the registry wants
 *     repository_blob(repository, digest)                         // a URL for fetch_files()
 *     registries_close(all)
 *
 * Everything is asked for by digest, so a registry can refuse, but not lie. TLS always, except towards this
 * machine and where an override names http. A login goes to its registry, or to the token server that this
 * registry names, and never along a redirect to an object store.
 */
#ifndef AIRLOCK_FETCH_REGISTRY_H
#define AIRLOCK_FETCH_REGISTRY_H

#include "crypto/hash.h"
#include "fetch/image_name.h"
#include "fetch/registry_login.h"
#include "net/http.h"

struct registries;
struct repository;

struct registry_options {
    struct http *http;                   /* for registries without certificates of their own */
    const struct registry_login *logins; /* given for this run */
    size_t login_count;
    /* "A=B": ask B for what is in A, with B's login. B is [http://|https://]HOST[:PORT][/PATH] */
    const char *const *overrides;
    size_t override_count;
    const char *docker_folder; /* of the user's config.json and certs.d/; NULL: none */
};

/* The options must outlive it. ERR_USAGE for an override that is none. */
must_check int registries_open(const struct registry_options *options, struct registries **ret,
                               struct err *e);
void registries_close(struct registries *r);

/* Belongs to the registries. Certificates: the first of certs.d/<registry>/ca.crt in the user's Docker
 * folder, /etc/containers and /etc/docker, beside the system's. */
must_check int registries_find(struct registries *r, const struct image_name *name, struct repository **ret,
                               struct err *e);
/* At most IMAGE_JSON_MAX bytes of that SHA-256. ERR_LOGIN_REFUSED, ERR_NOT_ALLOWED, ERR_NO_SUCH_FILE,
 * ERR_DEVICE_LIMIT, ERR_WRONG_HASH, or the network's. */
must_check int repository_manifest(struct repository *r, const uint8_t digest[HASH_SIZE], struct buf *ret,
                                   struct err *e);
/* Owned by the caller. */
char *repository_blob(const struct repository *r, const uint8_t digest[HASH_SIZE]);
bool repository_was_asked(const struct repository *r);
/* How to fetch that; NULL: nobody logs in. Known after the first manifest. */
const struct http_auth *repository_auth(const struct repository *r);
struct http *repository_http(const struct repository *r);
/* "registry.example:5000": the one that is really asked. */
const char *repository_registry(const struct repository *r);

#endif
