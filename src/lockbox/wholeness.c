/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/wholeness.h"

#include <string.h>

#include "base/fs.h"
#include "base/mem.h"

static int check_bundle(const char *path, struct progress *progress, struct examination *ret, struct err *e)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *folder = slash ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup(".");
    AUTO_FD int fd = -1;
    if (fs_open_dir(folder, &fd, e))
        return -1;
    bundle_examine(fd, slash ? slash + 1 : path, progress, ret);
    return 0;
}

/* Dates and devices are verify's matter, so they leave the bytes what they are: PART_OK. */
static enum part_state state_of_problem(const struct verdict_problem *p)
{
    switch (p->id) {
    case ERR_EXPIRED_ROLE:
        return PART_OK;
    case ERR_MISSING_TARGET:
    case ERR_MISSING_ROLE:
    case ERR_MISSING_IMAGE_REPO:
    case ERR_MISSING_DIRECTOR:
        return PART_MISSING;
    case ERR_WRONG_HASH:
    case ERR_WRONG_LENGTH:
    case ERR_BAD_SIGNATURE:
    case ERR_THRESHOLD_NOT_MET:
    case ERR_BAD_JSON:
    case ERR_BAD_ROLE:
    case ERR_BAD_SQUASHFS:
    case ERR_MEDIUM_IO:
        return PART_DAMAGED;
    case ERR_IMAGE_SIGNATURE:
        return PART_FOREIGN;
    default:
        return p->device_refuses ? PART_FOREIGN : PART_OK; /* not what this computer's roots lead to */
    }
}

/* A directory has no frames, nor has an image: its contents against the signed hashes. Dates and devices are
 * verify's matter.
 */
static int check_folder(const char *path, struct survey_options how, struct examination *ret, struct err *e)
{
    AUTO(survey) struct survey c = {0};
    how.metadata_only = false;
    if (survey_path(path, &how, &c, e))
        return -1;
    const struct verdict *v = &c.items[0].verdict;
    for (size_t i = 0; i < v->problem_count; i++) {
        enum part_state state = state_of_problem(&v->problems[i]);
        if (state <= ret->state)
            continue;
        ret->state = state;
        err_set(&ret->reason, v->problems[i].id, "%s", v->problems[i].message);
    }
    return 0;
}

int wholeness_examine(const struct survey_item *item, const struct survey_options *options,
                      struct examination *ret, struct err *e)
{
    struct examination x = {0};
    if (item->kind == SURVEY_BUNDLE ? check_bundle(item->path, options->progress, &x, e)
                                    : check_folder(item->path, *options, &x, e))
        return -1;
    *ret = x;
    return 0;
}
