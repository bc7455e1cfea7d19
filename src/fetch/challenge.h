/* SPDX-License-Identifier: Apache-2.0
 *
 * How a registry wants to be logged in to, from the WWW-Authenticate of its 401 (RFC 9110, 11.6.1):
 *
 *     Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull"
 *     Basic realm="registry"
 *
 * Where both are offered, the token: it is the narrower right. `scope` may be missing, as GitLab's proxy and
 * the registry's own /v2/ leave it out.
 */
#ifndef AIRLOCK_FETCH_CHALLENGE_H
#define AIRLOCK_FETCH_CHALLENGE_H

#include <stdbool.h>

enum challenge_kind { CHALLENGE_NONE, CHALLENGE_BASIC, CHALLENGE_BEARER };

struct challenge {
    enum challenge_kind kind;
    char *realm, *service, *scope; /* NULL where absent */
};

/* False when nothing in it can be answered; NULL is such a nothing. */
bool challenge_parse(const char *header, struct challenge *ret);
void challenge_free(struct challenge *c);

#endif
