/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/verdict.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "uptane/check.h"
#include "uptane/ecus.h"
#include "uptane/image_repo.h"
#include "uptane/lockbox.h"
#include "uptane/verdict_merge.h"

static void assume_clock(struct check *c)
{
    char now[CLOCK_TEXT_SIZE];
    clock_format(c->in->now, now);
    check_assume(c, "the device's clock says %s", now);
}

/* What a file that says something of what is stored leaves out. */
static void assume_stored(struct check *c, const struct device *device)
{
    for (enum device_stored i = 0; i < STORED_COUNT; i++) {
        if (!device->stored[i].is_said)
            check_assume(c, "the device has stored no newer %s", device_view_path(i));
        else if (c->view && c->view->takes_for_same[i])
            check_assume(c, "what the device has stored as version %lld of %s is what lies here",
                         (long long)device->stored[i].version, device_view_path(i));
    }
    if (!device->knows_delegations)
        check_assume(c, "the device has stored no newer delegation");
}

static void assume_installed(struct check *c, const struct device *device)
{
    for (size_t i = 0; i < device->ecu_count; i++)
        if (!device->ecus[i].knows_installed)
            check_assume(c, "'%s' has nothing of this installed", device->ecus[i].hardware_id);
    if (!device->knows_pending)
        check_assume(c, "no install waits for a reboot");
}

static void assume(struct check *c)
{
    const struct device *device = c->in->device;
    AUTO_FREE char *label = device ? device_label(device) : NULL;
    assume_clock(c);
    if (!device || !device->knows_stored)
        check_assume(c, "the device has stored no newer metadata");
    else
        assume_stored(c, device);
    if (!device || !device->knows_ecus)
        check_assume(c, "the device has nothing of this installed%s",
                     device && device->knows_pending ? "" : ", and no install waits for a reboot");
    else
        assume_installed(c, device);
    if (!device || !device->knows_media)
        check_assume(c, "offline updates are switched on");
    if (!device || !device->source)
        check_assume(c, "the device looks for updates in the folder where this will lie");
    if (!device || device->packages == PACKAGES_UNSAID)
        check_assume(c, "every ECU takes the kind of package that the lockbox holds for it");
    if (!device || !device->has_free_space)
        check_assume(c, "the device has room for the packages");
    if (c->ecu_count == 0)
        check_assume(c, "the device has all the hardware that the lockbox names: no hardware id was given");
    if (c->ecu_count == 0)
        check_assume(c, "ECUs behind the primary, other than %s, have a root of both repositories already",
                     HARDWARE_COMPOSE);
    else if (c->own_ecus && c->ecu_count > 1)
        check_assume(c, "'%s' is the primary's, the other hardware ids are of ECUs behind it",
                     c->ecus[0].hardware_id);
    if (label)
        check_assume(c, "the stick's volume label is '%s'", label);
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

/* The device does not look at the image repository when nothing is for it. */
static void forgive_image_repo(struct check *c)
{
    const char *folder = verdict_folder(REPO_IMAGE);
    for (size_t i = 0; i < c->v->problem_count; i++)
        if (!strncmp(c->v->problems[i].role, folder, strlen(folder)))
            c->v->problems[i].device_refuses = false;
}

/* None of the targets is to be fetched: they are for other hardware, or installed already. */
static enum verdict_outcome decide_nothing(struct check *c)
{
    size_t installed = 0;
    for (size_t i = 0; i < c->v->target_count; i++)
        installed += c->v->targets[i].installed;
    forgive_image_repo(c);
    if (installed)
        check_problem(c, REPO_DIRECTOR, "", ERR_ALREADY_INSTALLED, false, false,
                      "all that lockbox '%s' holds for this device is installed", c->v->lockbox);
    else
        check_problem(c, REPO_DIRECTOR, "director", ERR_NOTHING_TO_INSTALL, false, false,
                      "no package of lockbox '%s' is for this hardware", c->v->lockbox);
    return VERDICT_NOTHING;
}

static void judge(const struct verdict_input *in, const struct device_view *view, int64_t now,
                  struct verdict *ret);

/* It does not look at the date of the image repository's snapshot. */
static bool others_refuse_for(const struct verdict_problem *p)
{
    bool is_unread = p->id == ERR_EXPIRED_ROLE && !strcmp(p->role, device_view_path(STORED_IMAGE_SNAPSHOT));
    return p->device_refuses && !is_unread && p->id != ERR_SECONDARY_ROOT;
}

/* An ECU behind the primary has nothing of what the primary has stored, and reads what lies there. */
static void check_for_others(struct check *c)
{
    bool keeps = false;
    for (enum device_stored i = 0; c->view && i < STORED_COUNT; i++)
        keeps |= c->view->keeps[i];
    if (!keeps || !ecus_updates_others(c))
        return;
    struct verdict_input in = *c->view->lies, without_state = in;
    AUTO(device_view) struct device_view lies = {0};
    AUTO(verdict) struct verdict v = {0};
    without_state.device = NULL;
    device_view_make(&without_state, &lies);
    in.files = lies.files;
    in.file_count = lies.file_count;
    in.now = c->in->now;
    judge(&in, NULL, in.now, &v);
    for (size_t i = 0; i < v.problem_count; i++)
        if (others_refuse_for(&v.problems[i]))
            check_problem(c, REPO_DIRECTOR, v.problems[i].role, ERR_SECONDARY_ROLE, true, false,
                          "an ECU behind the primary reads what lies here, and refuses it (%s)",
                          err_name(v.problems[i].id));
    if (v.valid_until_role)
        check_until(c, v.valid_until_role, v.valid_until);
    if (v.outcome == VERDICT_NOTHING)
        check_problem(c, REPO_DIRECTOR, device_view_path(STORED_OFFLINE_SNAPSHOT), ERR_SECONDARY_ROLE, true,
                      false, "an ECU behind the primary goes by what lies here, and finds no lockbox");
}

/* The order of the device's client: the director's metadata first; then, only where something is to be
 * fetched, the image repository's. */
static enum verdict_outcome decide(struct check *c, const struct lockbox *lockbox)
{
    if (c->refused[REPO_DIRECTOR])
        return VERDICT_REFUSE;
    if (!lockbox->role)
        return VERDICT_NOTHING;
    if (count_wanted(c->v) == 0)
        return decide_nothing(c);
    ecus_check_roots(c);
    check_for_others(c);
    return c->refused[REPO_DIRECTOR] || c->refused[REPO_IMAGE] ? VERDICT_REFUSE : VERDICT_INSTALL;
}

/* ---- the device itself ---- */

static void report_stored(struct check *c)
{
    for (enum device_stored i = 0; i < STORED_COUNT; i++) {
        const char *path = device_view_path(i);
        enum verdict_repo repo = i == STORED_OFFLINE_SNAPSHOT ? REPO_DIRECTOR : REPO_IMAGE;
        if (c->view->keeps[i])
            check_problem(c, repo, path, ERR_STORED_NEWER, c->view->blocks[i], false,
                          "the device has stored version %lld and goes by that%s",
                          (long long)c->in->device->stored[i].version,
                          c->view->blocks[i] ? "; what it says is not known" : "");
    }
}

#define CLOCK_SLACK 86400 /* seconds by which a clock may be off before it is worth a word */

static void report_clock(struct check *c, int64_t now)
{
    char shown[CLOCK_TEXT_SIZE], right[CLOCK_TEXT_SIZE];
    const struct device *device = c->in->device;
    int64_t off = c->in->now - now;
    bool stands = device->has_clock && !device->has_clock_checked && device->clock < now - CLOCK_SLACK;
    clock_format(stands ? device->clock : c->in->now, shown);
    clock_format(now, right);
    if (off > CLOCK_SLACK || off < -CLOCK_SLACK)
        check_problem(c, REPO_DIRECTOR, "", ERR_DEVICE_CLOCK, false, false,
                      "the device's clock says %s when it is %s: by that it decides what has expired", shown,
                      right);
    else if (stands)
        check_problem(
            c, REPO_DIRECTOR, "", ERR_DEVICE_CLOCK, false, false,
            "the device's clock said %s: if it is not set by %s, the device installs what has expired", shown,
            right);
}

/* What the device's state says by itself. Whether the device looks for a lockbox at all. */
static bool check_device(struct check *c, int64_t now)
{
    const struct device *device = c->in->device;
    if (!device)
        return true;
    report_clock(c, now);
    report_stored(c);
    if (device->pending_install)
        check_problem(c, REPO_DIRECTOR, "", ERR_PENDING_INSTALL, true, false,
                      "the device refuses every update until it has rebooted into the last one");
    if (device->ignores_media)
        check_problem(c, REPO_DIRECTOR, "", ERR_NOT_LOOKED_FOR, false, false,
                      "offline updates are switched off on the device");
    return !device->ignores_media;
}

static bool is_valid(const struct verdict *v)
{
    for (size_t i = 0; i < v->problem_count; i++)
        if (v->problems[i].breaks_validity)
            return false;
    return true;
}

/* One pass over the files: `view` is that of the device, or NULL where only the standard is asked for.
 * `now`: the time that is right. */
static void judge(const struct verdict_input *in, const struct device_view *view, int64_t now,
                  struct verdict *ret)
{
    struct verdict v = {.valid_until = INT64_MAX, .newest_root = {-1, -1}, .device = in->device};
    struct lockbox lockbox = {0};
    struct check c;
    check_start(&c, in, view, &v);
    c.true_now = now;
    ecus_start(&c);
    assume(&c);
    bool looks = !view || check_device(&c, now);
    check_director(&c, &lockbox);
    check_image_repo(&c, &lockbox);
    v.outcome = decide(&c, &lockbox);
    if (!looks)
        v.outcome = VERDICT_NOTHING;
    v.valid = is_valid(&v);
    lockbox_free(&lockbox);
    ecus_free(&c);
    check_free(&c);
    *ret = v;
}

int verdict_decide(const struct verdict_input *in, struct verdict *ret, struct err *e)
{
    struct verdict_input seen = *in;
    AUTO(device_view) struct device_view view = {0};
    (void)e;
    device_view_make(in, &view);
    seen.now = in->device ? device_now(in->device, in->now) : in->now;
    if (!view.differs && seen.now == in->now) {
        judge(in, &view, in->now, ret);
        return 0;
    }
    struct verdict standard, device;
    struct verdict_input same = *in;
    seen.files = view.files;
    seen.file_count = view.file_count;
    judge(&seen, &view, in->now, &device);
    same.lockbox = in->lockbox ? in->lockbox : device.lockbox; /* its snapshot may lead it to another one */
    judge(&same, NULL, in->now, &standard);
    verdict_merge(&standard, &device, ret);
    return 0;
}

const char *verdict_renewal(const char *role_path, const char *lockbox)
{
    AUTO_FREE char *lockbox_path = mem_format("director/%s.json", lockbox ? lockbox : "");
    enum verdict_repo repo = strncmp(role_path, "director/", 9) == 0 ? REPO_DIRECTOR : REPO_IMAGE;
    return check_renewal(repo, strcmp(role_path, lockbox_path) == 0 ? ROLE_LOCKBOX : ROLE_ROOT);
}

const char *verdict_folder(enum verdict_repo repo)
{
    return repo == REPO_DIRECTOR ? "director" : "image-repo";
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
