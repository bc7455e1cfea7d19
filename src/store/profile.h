/* SPDX-License-Identifier: Apache-2.0
 *
 * Profiles: one login each. What may be seen stands in the INI file `config`, one section per profile; the
 * secrets in `secrets`, the same sections, mode 0600. `config` may be edited by hand; saving a profile keeps
 * the other sections.
 */
#ifndef AIRLOCK_STORE_PROFILE_H
#define AIRLOCK_STORE_PROFILE_H

#include "store/store.h"

#define PROFILE_DEFAULT "default"

struct profile {
    char *name;
    /* bases of the doors, no trailing '/'; NULL where unknown */
    char *director_url, *repo_url, *token_url, *api_url, *ostree_url, *feed_url;
    char *ca_file; /* NULL: the system's CAs */
    /* the client of credentials.zip (door of the roles and packages) */
    char *client_id, *client_secret, *scope;
    /* the API client (platform door); NULL where none */
    char *api_token_url, *api_client_id, *api_client_secret;
    /* the first pinned roots, by enum pin_repo (root_mark_print()): should the state folder be lost, no other
     * root is pinned in their place. NULL where none */
    char *root_marks[2];
};

/* Letters, digits, '-' and '_', at most 64: a profile's name is also a folder's. Else ERR_BAD_CONFIG. */
must_check int profile_check_name(const char *name, struct err *e);
/* ERR_NO_PROFILE where there is none of that name. */
must_check int profile_load(const struct store *s, const char *name, struct profile *ret, struct err *e);
/* `secrets` first, then `config`: a profile that is there can log in. */
must_check int profile_save(const struct store *s, const struct profile *p, struct err *e);
void profile_free(struct profile *p); /* wipes the secrets */

#endif
