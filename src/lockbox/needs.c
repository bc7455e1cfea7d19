/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/needs.h"

#include <cjson/cJSON.h>

#include "base/hex.h"
#include "lockbox/judge.h"

char *needs_format(const struct needs *r)
{
    char hex[HASH_HEX_SIZE];
    cJSON *root = cJSON_CreateObject();
    cJSON_AddNumberToObject(root, "schema", 1);
    cJSON *commits = cJSON_AddArrayToObject(root, "ostree_commits");
    for (size_t i = 0; i < r->count; i++) {
        hash_hex(r->commits[i], hex);
        cJSON_AddItemToArray(commits, cJSON_CreateString(hex));
    }
    cJSON *left_out = cJSON_AddObjectToObject(root, "left_out");
    cJSON_AddNumberToObject(left_out, "objects", (double)r->objects);
    hash_hex(r->sha256, hex);
    cJSON_AddStringToObject(left_out, "sha256", hex);
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    return text;
}

/* ---- the device ---- */

/* Whoever has the image installed, or does not take it, needs nothing. */
static bool is_asked_for(const struct verdict *v)
{
    for (size_t i = 0; i < v->target_count; i++)
        if (v->targets[i].is_ostree && v->targets[i].wanted)
            return true;
    return false;
}

static const struct device_ecu *find_primary(const struct device *device)
{
    for (size_t i = 0; device && i < device->ecu_count; i++)
        if (device->ecus[i].is_primary)
            return &device->ecus[i];
    return NULL;
}

/* "OSTree commit <hex>", or several with "or" between them. */
static char *name_commits(const struct needs *r)
{
    struct buf text = {0};
    buf_add_text(&text, "OSTree commit ");
    for (size_t i = 0; i < r->count; i++) {
        char hex[HASH_HEX_SIZE];
        hash_hex(r->commits[i], hex);
        buf_add_text(&text, i ? " or " : "");
        buf_add_text(&text, hex);
    }
    return buf_steal_text(&text);
}

void needs_judge(const struct needs *r, const struct device *device, struct verdict *v)
{
    const struct device_ecu *primary = find_primary(device);
    if (r->count == 0 || !is_asked_for(v))
        return;
    AUTO_FREE char *commits = name_commits(r);
    if (!primary || !primary->knows_installed)
        judge_assume(v, "the device holds %s: what that has was left out here", commits);
    else if (!primary->has_installed || !needs_holds(r, primary->installed.sha256))
        judge_add_refused(v, ERR_BASE_MISSING, "the device needs %s, which is not what it has installed",
                          commits);
}
