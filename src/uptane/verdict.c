/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/verdict.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "uptane/check.h"
#include "uptane/image_repo.h"
#include "uptane/lockbox.h"

static void assume(struct check *c)
{
    char now[CLOCK_TEXT_SIZE];
    clock_format(c->in->now, now);
    check_assume(c, "the device's clock says %s", now);
    check_assume(c, "the device is fresh: it has stored no newer metadata and has nothing of this installed");
    check_assume(c, "every ECU takes the kind of package that the lockbox holds for it");
    if (c->in->hardware_id_count == 0) {
        check_assume(c, "the device has all the hardware that the lockbox names: no hardware id was given");
        check_assume(c, "the ECUs behind the primary have a root of both repositories already");
    }
}

static void check_director(struct check *c, struct lockbox *lockbox)
{
    if (!check_has_folder(c, REPO_DIRECTOR)) {
        check_problem(c, REPO_DIRECTOR, "director", ERR_MISSING_DIRECTOR, true, true,
                      "there is no metadata of the director");
        return;
    }
    struct root *root = check_roots(c, REPO_DIRECTOR);
    if (root)
        lockbox_check(c, root, lockbox);
    root_delete(root);
}

static void check_image_repo(struct check *c, const struct lockbox *lockbox)
{
    if (!check_has_folder(c, REPO_IMAGE)) {
        check_problem(c, REPO_IMAGE, "image-repo", ERR_MISSING_IMAGE_REPO, true, true,
                      "there is no metadata of the image repository");
        return;
    }
    struct root *root = check_roots(c, REPO_IMAGE);
    if (root)
        image_repo_check(c, root, lockbox);
    root_delete(root);
}

static size_t count_wanted(const struct verdict *v)
{
    size_t wanted = 0;
    for (size_t i = 0; i < v->target_count; i++)
        wanted += v->targets[i].wanted;
    return wanted;
}

static bool is_wanted_for(const struct verdict *v, const char *hardware_id)
{
    for (size_t i = 0; i < v->target_count; i++)
        for (size_t j = 0; j < v->targets[i].hardware_id_count; j++)
            if (!strcmp(v->targets[i].hardware_ids[j], hardware_id))
                return true;
    return false;
}

/* A managed secondary gets from the primary every root but the last, then the last with the other metadata:
 * one that is fresh never gets any where version 1 is the last. Only one ECU can be the primary, and
 * docker-compose never is. */
static void check_secondaries(struct check *c)
{
    size_t updated = 0;
    bool compose = false;
    for (size_t i = 0; i < c->in->hardware_id_count; i++) {
        const char *id = c->in->hardware_ids[i];
        if (is_wanted_for(c->v, id)) {
            updated++;
            compose |= !strcmp(id, "docker-compose");
        }
    }
    if (updated == 1 && !compose)
        check_assume(c, "the ECU to be updated is the primary, or has a root of both repositories already");
    if (updated < 2 && !compose)
        return;
    for (enum verdict_repo repo = REPO_DIRECTOR; repo <= REPO_IMAGE; repo++)
        if (c->root_version[repo] == 1) {
            AUTO_FREE char *path = mem_format("%s/1.root.json", check_folder(repo));
            check_problem(c, repo, path, ERR_SECONDARY_ROOT, true, false,
                          "version 1 is the last root, and a fresh ECU behind the primary needs version 2");
        }
}

/* The device does not look at the image repository when nothing is for it. */
static void forgive_image_repo(struct check *c)
{
    const char *folder = check_folder(REPO_IMAGE);
    for (size_t i = 0; i < c->v->problem_count; i++)
        if (!strncmp(c->v->problems[i].role, folder, strlen(folder)))
            c->v->problems[i].device_refuses = false;
}

/* The order of the device's client: the director's metadata first; then, only where something is for this
 * device, the image repository's. */
static enum verdict_outcome decide(struct check *c, const struct lockbox *lockbox)
{
    if (c->refused[REPO_DIRECTOR])
        return VERDICT_REFUSE;
    if (!lockbox->role)
        return VERDICT_NOTHING;
    if (count_wanted(c->v) == 0) {
        forgive_image_repo(c);
        check_problem(c, REPO_DIRECTOR, "director", ERR_NOTHING_TO_INSTALL, false, false,
                      "none of the %zu targets of lockbox '%s' is for this hardware", c->v->target_count,
                      c->v->lockbox);
        return VERDICT_NOTHING;
    }
    check_secondaries(c);
    return c->refused[REPO_DIRECTOR] || c->refused[REPO_IMAGE] ? VERDICT_REFUSE : VERDICT_INSTALL;
}

static bool is_valid(const struct verdict *v)
{
    for (size_t i = 0; i < v->problem_count; i++)
        if (v->problems[i].breaks_validity)
            return false;
    return true;
}

int verdict_decide(const struct verdict_input *in, struct verdict *ret, struct err *e)
{
    (void)e;
    struct verdict v = {.valid_until = INT64_MAX, .newest_root = {-1, -1}};
    struct lockbox lockbox = {0};
    struct check c;
    check_start(&c, in, &v);
    assume(&c);
    check_director(&c, &lockbox);
    check_image_repo(&c, &lockbox);
    v.outcome = decide(&c, &lockbox);
    v.valid = is_valid(&v);
    lockbox_free(&lockbox);
    check_free(&c);
    *ret = v;
    return 0;
}

static void free_target(struct verdict_target *t)
{
    for (size_t i = 0; i < t->hardware_id_count; i++)
        free(t->hardware_ids[i]);
    free(t->hardware_ids);
    free(t->name);
    free(t->package_name);
    free(t->package_version);
    free(t->uri);
}

void verdict_free(struct verdict *v)
{
    for (size_t i = 0; i < v->role_count; i++) {
        free(v->roles[i].path);
        free(v->roles[i].name);
    }
    for (size_t i = 0; i < v->target_count; i++)
        free_target(&v->targets[i]);
    for (size_t i = 0; i < v->problem_count; i++) {
        free(v->problems[i].role);
        free(v->problems[i].message);
        free(v->problems[i].hint);
    }
    for (size_t i = 0; i < v->assumed_count; i++)
        free(v->assumed[i]);
    free(v->assumed);
    free(v->problems);
    free(v->roles);
    free(v->targets);
    free(v->lockbox);
    free(v->correlation_id);
    free(v->valid_until_role);
    *v = (struct verdict){0};
}
