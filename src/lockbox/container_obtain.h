/* SPDX-License-Identifier: Apache-2.0
 *
 * The container images of a lockbox into the store: for every target that is a compose file, once that file
 * is there. What registries are asked, and how, is fetch/container's.
 */
#ifndef AIRLOCK_LOCKBOX_CONTAINER_OBTAIN_H
#define AIRLOCK_LOCKBOX_CONTAINER_OBTAIN_H

#include "base/progress.h"
#include "cloud/cloud.h"
#include "store/record.h"
#include "uptane/verdict.h"

/* A login that was given for this run: in a file, or as it was typed. */
struct container_login {
    const char *registry;
    const char *file; /* its first line is USER:PASSWORD; NULL: `user` and `secret` */
    const char *user, *secret;
};

/* What a person says about container images; {0} is nothing. */
struct container_options {
    const char *const *platforms; /* none: the usual ones */
    size_t platform_count;
    const struct container_login *logins;
    size_t login_count;
    const char *const *overrides; /* "A=B" */
    size_t override_count;
    const char *docker_folder; /* NULL: none */
};

struct container_job {
    const struct container_options *options;
    const struct record *earlier; /* of this lockbox; NULL: there is none */
    struct progress *progress;
};

/* Fills r->apps of a new record. Errors: those of container_fetch(), ERR_USAGE and ERR_BAD_CONFIG of the
 * options. */
must_check int container_obtain(struct cloud *cloud, const struct store *s, const struct verdict *v,
                                const struct container_job *job, struct record *r, struct err *e);
/* A compose file, which the device gives to its Docker. */
bool container_is_app(const struct verdict_target *t);

#endif
