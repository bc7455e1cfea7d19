/* SPDX-License-Identifier: Apache-2.0
 *
 * The platform API v2, as far as offline updates need it. It is the account's description of itself, not
 * signed: good for showing, never for deciding what a device may install.
 */
#ifndef AIRLOCK_CLOUD_PLATFORM_H
#define AIRLOCK_CLOUD_PLATFORM_H

#include "cloud/metadata.h"

#define PLATFORM_ANSWER_MAX (16u << 20) /* bytes of one answer */
#define PLATFORM_NODES_MAX 1000000u     /* JSON values of one: 16 bytes each */
#define PLATFORM_PACKAGES_MAX 100000u   /* bounds the pages that are asked for */

struct cloud_names {
    char **names;
    size_t count, room;
};
void cloud_names_free(struct cloud_names *n);

struct cloud_package {
    char *id; /* the Uptane target's name */
    char *name, *version;
    uint64_t size;
    char *sha256; /* hex; NULL where absent */
    char *source; /* the role that lists it: "targets.json" or a delegation's file */
    struct cloud_names hardware_ids;
    char *uri;        /* NULL where absent */
    char *created_at; /* RFC 3339; NULL where absent */
};

struct cloud_packages {
    struct cloud_package *list;
    size_t count, room;
};
void cloud_packages_free(struct cloud_packages *p);

/* All of these: ERR_NO_PROFILE where there is no API client, ERR_NOT_ALLOWED, ERR_LOGIN_REFUSED,
 * ERR_HTTP_STATUS with what the server said, ERR_BAD_ANSWER, or those of http_send(). Text is as the server
 * sent it: escape before showing. */

/* Names of the lockboxes, expired and empty ones too. */
must_check int cloud_list_lockboxes(struct cloud *c, struct cloud_names *ret, struct err *e);
/* The signed role of every lockbox as "director/<name>.json", exact bytes. */
must_check int cloud_fetch_lockbox_details(struct cloud *c, struct cloud_metadata *ret, struct err *e);
/* The signed role of one, exact bytes. ERR_NO_SUCH_LOCKBOX. */
must_check int cloud_get_lockbox(struct cloud *c, const char *name, struct buf *ret_role, struct err *e);
must_check int cloud_list_packages(struct cloud *c, struct cloud_packages *ret, struct err *e);

#endif
