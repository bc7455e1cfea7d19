/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/refusals.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "usb-tools/device/outbox.h"

/* ---- in the sandbox ---- */

static bool is_of_device(const struct device *d, struct json_value hardware_ids)
{
    for (size_t i = 0; i < json_count(hardware_ids); i++)
        for (size_t n = 0; n < d->ecu_count; n++)
            if (json_string_equals(json_at(hardware_ids, i), d->ecus[n].hardware_id))
                return true;
    return false;
}

static bool is_for_device(const struct device *d, struct json_value manifest)
{
    struct json_value targets, ids;
    if (!json_get_typed(manifest, "targets", JSON_ARRAY, &targets))
        return false;
    for (size_t i = 0; i < json_count(targets); i++)
        if (json_get_typed(json_at(targets, i), "hardware_ids", JSON_ARRAY, &ids) && is_of_device(d, ids))
            return true;
    return false;
}

/* Which lockbox it is by its own word. False: it does not say, or it is for others. */
static bool read_name(const struct bundle *b, const struct device *d, struct refusal *ret)
{
    static const struct json_limits limits = {.bytes = 4u << 20, .depth = 16, .nodes = 262144};
    AUTO(json) struct json doc = {0};
    struct json_value lockbox, version;
    struct err ignored;
    size_t len;
    const char *bytes = bundle_manifest(b, &len);
    if (json_parse(&doc, bytes, len, &limits, &ignored) || !is_for_device(d, json_root(&doc)) ||
        !json_get(json_root(&doc), "lockbox", &lockbox) || !json_get(json_root(&doc), "version", &version) ||
        !json_integer(version, 1, INT32_MAX, &ret->version))
        return false;
    const char *name = json_string(lockbox, &len);
    if (!name || len > NAME_PART_MAX)
        return false;
    memcpy(ret->lockbox, name, len);
    ret->lockbox[len] = '\0';
    return name_check_role(ret->lockbox, &ignored) == 0;
}

/* What a stranger calls his bundle is nobody's word, and one such bundle stands for all of them. */
static bool forget_name(const struct refusals *r, struct refusal *stranger)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->list[i].id == ERR_BUNDLE_SIGNER)
            return false;
    stranger->lockbox[0] = '\0';
    stranger->version = 0;
    return true;
}

void refusals_note(struct refusals *r, const struct bundle *b, const struct device *device,
                   const struct err *why)
{
    struct refusal *next = &r->list[r->count];
    if (!b || why->id == ERR_NOTHING_TO_INSTALL || r->count == REFUSALS_MAX || !read_name(b, device, next))
        return;
    if (why->id == ERR_BUNDLE_SIGNER && !forget_name(r, next))
        return;
    next->id = why->id;
    snprintf(next->message, sizeof next->message, "%s", why->message);
    r->count++;
}

/* ---- outside ---- */

static bool is_whole(const struct refusal *r)
{
    struct err ignored;
    bool stranger = r->id == ERR_BUNDLE_SIGNER && !*r->lockbox && r->version == 0;
    bool named = memchr(r->lockbox, '\0', sizeof r->lockbox) && name_check_role(r->lockbox, &ignored) == 0 &&
                 r->version > 0 && r->version <= INT32_MAX;
    return (stranger || named) && r->id != ERR_NONE && (unsigned)r->id < ERR_COUNT &&
           memchr(r->message, '\0', sizeof r->message) && utf8_valid(r->message, strlen(r->message));
}

static int keep(const struct refusal *r, struct outbox *box, bool signers_checked, int64_t now, struct err *e)
{
    AUTO(report_file)
    struct report_file file = {
        .made_at = now,
        .lockbox = *r->lockbox ? mem_strdup(r->lockbox) : NULL,
        .lockbox_version = r->version,
        .outcome = OUTCOME_REFUSED,
        .source = SOURCE_HELPER,
        .signers_checked = signers_checked,
        .error = mem_strdup(err_name(r->id)),
        .message = mem_strdup(r->message),
    };
    return outbox_add_report(box, &file, e);
}

int refusals_keep(const struct refusals *r, int root_fd, int dirfd, const struct facts *facts,
                  bool signers_checked, int64_t now, struct err *e)
{
    AUTO(sign_key) struct sign_key key = {0};
    AUTO(outbox) struct outbox box = {0};
    bool made;
    if (r->count == 0)
        return 0;
    if (sign_key_load_or_make(dirfd, OUTBOX_KEY, &key, &made, e) ||
        outbox_open(root_fd, dirfd, &facts->memory, &box, e))
        return -1;
    for (size_t i = 0; i < r->count && i < REFUSALS_MAX; i++)
        if (is_whole(&r->list[i]) && keep(&r->list[i], &box, signers_checked, now, e))
            return -1;
    return 0;
}
