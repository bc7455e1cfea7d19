/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/admit.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "lockbox/content_check.h"
#include "uptane/refusal.h"

int admit_verdict(const struct verdict *v, int64_t needed_until, struct err *e)
{
    char ends[CLOCK_TEXT_SIZE], needed[CLOCK_TEXT_SIZE];
    if (refusal_check(v, e))
        return -1;
    if (v->valid_until > needed_until) /* at its last second a role is expired already */
        return 0;
    clock_format(v->valid_until, ends);
    clock_format(needed_until, needed);
    err_set(e, ERR_EXPIRES_TOO_SOON, "%s ends at %s, needed until %s", v->valid_until_role, ends, needed);
    return err_hint(e, "%s", verdict_renewal(v->valid_until_role, v->lockbox));
}

static int check_path(const char *path, struct err *e)
{
    struct stat st;
    int rc = stat(path, &st);
    if (rc && errno == ENOENT)
        return err_set(e, ERR_NO_SUCH_PATH, "there is no such file");
    if (rc == 0 && S_ISDIR(st.st_mode)) {
        err_set(e, ERR_NOT_A_LOCKBOX, "it is a folder; a bundle is a file x.lockbox");
        return err_hint(e, "name the bundle's head, such as STICK/airlock/x.lockbox");
    }
    return 0;
}

int admit_bundle(const char *path, const struct admit_options *o, struct admitted *ret, struct err *e)
{
    AUTO(admitted) struct admitted a = {.from = {.dirfd = -1}};
    if (check_path(path, e) || place_path(path, &a.from, e) ||
        bundle_open_from(a.from.dirfd, a.from.name, o->elsewhere, &a.bundle, e) ||
        roles_from_bundle(a.bundle, &a.roles, e) || judge_roles(o->judge, &a.roles, NULL, &a.verdict, e) ||
        needs_from_bundle(a.bundle, &a.needs, e))
        return -1;
    needs_judge(&a.needs, o->judge->device, &a.verdict);
    if (content_check_bundle(a.bundle, &a.needs, &a.verdict, CONTENT_IMAGES, o->progress, e) ||
        admit_verdict(&a.verdict, o->needed_until, e))
        return -1;
    *ret = a;
    a = (struct admitted){.from = {.dirfd = -1}};
    return 0;
}

void admitted_free(struct admitted *a)
{
    place_free(&a->from);
    bundle_close(a->bundle);
    roles_free(&a->roles);
    verdict_free(&a->verdict);
}
