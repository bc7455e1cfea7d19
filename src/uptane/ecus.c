/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/ecus.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static struct device_ecu *ecus_of_hardware(const struct verdict_input *in)
{
    struct device_ecu *ecus = mem_zeroed(in->hardware_id_count, sizeof *ecus);
    for (size_t i = 0; i < in->hardware_id_count; i++) {
        ecus[i].hardware_id = mem_strdup(in->hardware_ids[i]);
        ecus[i].is_primary = i == 0 && strcmp(in->hardware_ids[i], HARDWARE_COMPOSE) != 0;
    }
    return ecus;
}

void ecus_start(struct check *c)
{
    const struct device *device = c->in->device;
    bool known = device && device->knows_ecus;
    c->ecu_count = known ? device->ecu_count : c->in->hardware_id_count;
    c->own_ecus = known ? NULL : ecus_of_hardware(c->in);
    c->ecus = known ? device->ecus : c->own_ecus;
    const char **ids = mem_zeroed(c->ecu_count, sizeof *ids);
    for (size_t i = 0; i < c->ecu_count; i++)
        ids[i] = c->ecus[i].hardware_id;
    c->hardware = (struct hardware){ids, c->ecu_count};
}

void ecus_free(struct check *c)
{
    for (size_t i = 0; c->own_ecus && i < c->ecu_count; i++)
        free(c->own_ecus[i].hardware_id);
    free(c->own_ecus);
    free((void *)c->hardware.ids);
}

/* ---- targets ---- */

static bool is_for(const struct target *t, const struct device_ecu *ecu)
{
    const char *id = ecu->hardware_id;
    const struct hardware one = {&id, 1};
    return target_is_wanted(t, &one);
}

static size_t count_ecus(const struct check *c, const struct target *t)
{
    size_t n = 0;
    for (size_t i = 0; i < c->ecu_count; i++)
        n += is_for(t, &c->ecus[i]);
    return n;
}

static bool same_hardware(const struct target *t, const struct device_package *installed)
{
    if (!installed->knows_hardware)
        return true;
    size_t n = json_count(installed->hardware), len;
    if (n != json_count(t->hardware))
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *id = json_string(json_at(installed->hardware, i), &len);
        AUTO_FREE char *copy = mem_strndup(id, len);
        if (!json_string_equals(json_at(t->hardware, i), copy))
            return false;
    }
    return true;
}

/* The client compares more than the content: what it remembers belongs to one ECU, so a package that is for
 * several of them never equals what one of them has. */
static bool is_same(const struct check *c, const struct target *t, const struct device_package *installed)
{
    return t->length == installed->length && t->has_sha256 &&
           !memcmp(t->sha256, installed->sha256, HASH_SIZE) && same_hardware(t, installed) &&
           count_ecus(c, t) == 1;
}

struct ecus_wish ecus_want(struct check *c, const char *name, const struct target *t, bool is_ostree,
                           struct flaws *flaws)
{
    struct ecus_wish wish = {.wanted = c->ecu_count == 0 && target_is_wanted(t, &c->hardware)};
    for (size_t i = 0; i < c->ecu_count; i++) {
        const struct device_ecu *ecu = &c->ecus[i];
        if (!is_for(t, ecu))
            continue;
        if (c->view && ecu->is_primary && !is_ostree && c->in->device &&
            c->in->device->packages == PACKAGES_OSTREE)
            flaws_add(flaws, ERR_WRONG_PACKAGE_KIND, true, false,
                      "target '%s' is a file for '%s', and the primary takes OSTree only", name,
                      ecu->hardware_id);
        if (!c->view || !ecu->has_installed || strcmp(ecu->installed.name, name) != 0)
            wish.wanted = true;
        else if (is_same(c, t, &ecu->installed)) {
            wish.installed = true;
            if (!ecu->installed.knows_hardware)
                check_assume(c,
                             "the package '%s' of '%s' was for the same hardware ids when it was installed",
                             name, ecu->hardware_id);
        } else {
            wish.differs = true;
            flaws_add(flaws, ERR_INSTALLED_DIFFERS, true, false,
                      "'%s' has a package '%s' of other length, hash or hardware installed", ecu->hardware_id,
                      name);
        }
    }
    wish.installed = wish.installed && !wish.wanted;
    return wish;
}

/* ---- roots of the ECUs behind the primary ---- */

/* Whom the lockbox updates behind the primary. */
static bool is_updated(const struct check *c, const char *hardware_id)
{
    for (size_t i = 0; i < c->v->target_count; i++) {
        const struct verdict_target *t = &c->v->targets[i];
        for (size_t j = 0; t->wanted && j < t->hardware_id_count; j++)
            if (!strcmp(t->hardware_ids[j], hardware_id))
                return true;
    }
    return false;
}

static struct root *parse_root(const uint8_t *bytes, size_t len)
{
    struct root *root;
    struct err unused;
    return root_parse(bytes, len, &root, &unused) ? NULL : root;
}

/* Root `version` as the primary has it; NULL where it does not. */
static struct root *stored_root(const struct check *c, enum verdict_repo repo, int64_t version)
{
    const struct device_roles *own = c->in->device ? &c->in->device->roots[repo] : NULL;
    const uint8_t *bytes;
    size_t len;
    for (size_t i = 0; own && i < own->count; i++)
        if (own->list[i].version == version)
            return parse_root(own->list[i].bytes, own->list[i].len);
    struct root *root = device_view_trust(c->in, repo, &bytes, &len) ? parse_root(bytes, len) : NULL;
    if (root && root->role->version != version) {
        root_delete(root);
        return NULL;
    }
    return root;
}

/* Root `version` as it lies in the directory. */
static struct root *lying_root(const struct check *c, enum verdict_repo repo, int64_t version)
{
    AUTO_FREE char *name = mem_format("%lld.root", (long long)version);
    const struct verdict_file *file = check_file(c, repo, name);
    return file && file->len <= DEVICE_ROLE_MAX ? parse_root(file->bytes, file->len) : NULL;
}

static struct root *find_root(const struct check *c, enum verdict_repo repo, int64_t version)
{
    struct root *root = stored_root(c, repo, version);
    return root ? root : lying_root(c, repo, version);
}

/* May it take the place of `before` (NULL: be the first) in the eyes of the client? */
static bool is_taken(const struct root *next, const struct root *before)
{
    AUTO(flaws) struct flaws flaws = {0};
    if (!(before ? root_follows(next, before, &flaws) : root_signs_itself(next, &flaws)))
        return false;
    for (size_t i = 0; i < flaws.count; i++)
        if (flaws.list[i].device_refuses)
            return false;
    return true;
}

/* Goes from the root after `has` to the last; false at *ret_at where one is missing or does not follow. The
 * primary hands out its own copies, and where it has none those of the directory; the last one is read from
 * there in any case. */
static bool walk_roots(const struct check *c, enum verdict_repo repo, int64_t has, int64_t *ret_at)
{
    int64_t last = c->root_version[repo];
    struct root *before = has ? find_root(c, repo, has) : NULL;
    bool good = true;
    for (*ret_at = has + 1; good && *ret_at <= last; ++*ret_at) {
        struct root *next = *ret_at < last ? find_root(c, repo, *ret_at) : lying_root(c, repo, *ret_at);
        good = next && is_taken(next, before);
        root_delete(before);
        before = next;
        if (!good)
            break;
    }
    root_delete(before);
    return good;
}

static void check_roots_of(struct check *c, enum verdict_repo repo, const char *hardware_id, int64_t has)
{
    int64_t last = c->root_version[repo], at;
    AUTO_FREE char *last_name = mem_format("%lld.root", (long long)last);
    AUTO_FREE char *path = mem_format("%s/%s.json", verdict_folder(repo), last_name);
    if (last != 0 && has > last)
        check_assume(
            c,
            "'%s' has root version %lld of %s, and takes what is signed by the keys of version %lld, "
            "the last that is known here",
            hardware_id, (long long)has, verdict_folder(repo), (long long)last);
    if (last == 0 || has >= last)
        return;
    if (has == 0 && last == 1)
        check_problem(c, repo, path, ERR_SECONDARY_ROOT, true, false,
                      "version 1 is the last root, and '%s', which has none yet, needs version 2",
                      hardware_id);
    else if (!check_file(c, repo, last_name))
        check_problem(c, repo, path, ERR_SECONDARY_ROOT, true, false,
                      "'%s' reads the last root from here, and it is not there", hardware_id);
    else if (!walk_roots(c, repo, has, &at))
        check_problem(c, repo, path, ERR_SECONDARY_ROOT, true, false,
                      "'%s' has root version %lld and cannot go on to version %lld: it is missing or does "
                      "not follow",
                      hardware_id, (long long)has, (long long)at);
}

bool ecus_updates_others(const struct check *c)
{
    bool any = c->ecu_count == 0 && is_updated(c, HARDWARE_COMPOSE);
    for (size_t i = 0; i < c->ecu_count; i++)
        any |= !c->ecus[i].is_primary && is_updated(c, c->ecus[i].hardware_id);
    return any;
}

static void check_ecu(struct check *c, const struct device_ecu *ecu)
{
    for (enum verdict_repo repo = REPO_DIRECTOR; repo <= REPO_IMAGE; repo++)
        check_roots_of(c, repo, ecu->hardware_id, ecu->knows_roots ? ecu->root_versions[repo] : 0);
}

void ecus_check_roots(struct check *c)
{
    static char compose_id[] = HARDWARE_COMPOSE;
    static const struct device_ecu compose = {.hardware_id = compose_id};
    for (size_t i = 0; i < c->ecu_count; i++)
        if (!c->ecus[i].is_primary && is_updated(c, c->ecus[i].hardware_id))
            check_ecu(c, &c->ecus[i]);
    if (c->ecu_count == 0 && is_updated(c, compose.hardware_id))
        check_ecu(c, &compose);
}
