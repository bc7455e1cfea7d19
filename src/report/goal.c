/* SPDX-License-Identifier: Apache-2.0 */
#include "report/goal.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "store/record.h"
#include "uptane/role.h"
#include "uptane/target.h"

/* Of all hardware ids together: the 64 KiB that a device takes hold some hundred. */
#define IMAGES_MAX 10000u

static int add_target(struct goal *g, const struct target *t, struct err *e)
{
    for (size_t i = 0; t->has_hardware && i < json_count(t->hardware); i++) {
        struct goal_image image = {.hardware_id = json_string_copy(json_at(t->hardware, i)),
                                   .has_sha256 = t->has_sha256};
        memcpy(image.sha256, t->sha256, HASH_SIZE);
        if (!image.hardware_id || g->count == IMAGES_MAX) {
            free(image.hardware_id);
            return err_set(e, ERR_BAD_ROLE, "the hardware ids of a target are no list of texts");
        }
        mem_grow(&g->list, g->count, &g->room, sizeof *g->list);
        g->list[g->count++] = image;
    }
    return 0;
}

static int read_targets(const struct role *role, struct goal *ret, struct err *e)
{
    struct json_value targets;
    if (!json_get_typed(role->body, "targets", JSON_OBJECT, &targets))
        return err_set(e, ERR_BAD_ROLE, "it has no targets");
    ret->version = role->version;
    for (size_t i = 0; i < json_count(targets); i++) {
        struct target target;
        if (target_parse(json_at(targets, i), &target, e) || add_target(ret, &target, e))
            return -1;
    }
    return 0;
}

int goal_read(const struct buf *role_bytes, struct goal *ret, struct err *e)
{
    AUTO(goal) struct goal goal = {0};
    struct role *role;
    if (role_parse(role_bytes->data, role_bytes->len, ROLE_LOCKBOX, &role, e))
        return -1;
    int rc = read_targets(role, &goal, e);
    role_delete(role);
    if (rc)
        return -1;
    *ret = goal;
    goal = (struct goal){0};
    return 0;
}

int goal_load(const struct store *s, const char *profile, const char *lockbox, struct goal *ret,
              struct err *e)
{
    AUTO(record) struct record record = {0};
    AUTO_FREE char *path = mem_format("director/%s.json", lockbox);
    AUTO(buf) struct buf bytes = {0};
    if (s->cache_fd < 0)
        return err_set(e, ERR_NOT_FETCHED, "lockbox '%s' was not fetched on this computer", lockbox);
    if (record_load(s, profile, lockbox, &record, e))
        return -1;
    for (size_t i = 0; i < record.role_count; i++)
        if (!strcmp(record.roles[i].path, path))
            return store_get(s, record.roles[i].sha256, json_role_limits.bytes, &bytes, e) ||
                           goal_read(&bytes, ret, e)
                       ? -1
                       : 0;
    return err_set(e, ERR_NOT_FETCHED, "lockbox '%s' is not whole in the store", lockbox);
}

void goal_free(struct goal *g)
{
    for (size_t i = 0; i < g->count; i++)
        free(g->list[i].hardware_id);
    free(g->list);
    *g = (struct goal){0};
}

static const struct goal_image *find_image(const struct goal *g, const char *hardware_id)
{
    for (size_t i = 0; i < g->count; i++)
        if (!strcmp(g->list[i].hardware_id, hardware_id))
            return &g->list[i];
    return NULL;
}

enum goal_state goal_compare(const struct goal *g, const struct cloud_components *c)
{
    size_t meant = 0, reached = 0;
    for (size_t i = 0; i < c->count; i++) {
        const struct cloud_component *ecu = &c->list[i];
        const struct goal_image *image = find_image(g, ecu->hardware_id);
        meant += image != NULL;
        reached +=
            image && image->has_sha256 && ecu->has_sha256 && !memcmp(image->sha256, ecu->sha256, HASH_SIZE);
    }
    if (c->count == 0)
        return GOAL_UNKNOWN;
    if (meant == 0)
        return GOAL_NOT_MEANT;
    return reached == meant ? GOAL_REACHED : reached ? GOAL_PARTLY : GOAL_OTHER;
}

void goal_hardware(const struct goal *g, struct cloud_names *ret)
{
    for (size_t i = 0; i < g->count; i++)
        if (find_image(g, g->list[i].hardware_id) == &g->list[i]) {
            mem_grow(&ret->names, ret->count, &ret->room, sizeof *ret->names);
            ret->names[ret->count++] = g->list[i].hardware_id;
        }
}
