/* SPDX-License-Identifier: Apache-2.0 */
#include "account/overview.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "cloud/metadata.h"
#include "cloud/platform.h"
#include "store/record.h"

static void add_target(struct overview_row *row, struct json_value target)
{
    struct json_value length;
    int64_t bytes;
    row->packages++;
    if (json_get(target, "length", &length) && json_integer(length, 0, INT64_MAX / 1024, &bytes))
        row->bytes += (uint64_t)bytes;
}

/* What can be read of a lockbox role; the rest stays 0. */
static void read_role(const struct buf *bytes, struct overview_row *row)
{
    AUTO(json) struct json doc = {0};
    struct json_value signed_part, value;
    struct err ignored;
    size_t len;
    if (json_parse(&doc, bytes->data, bytes->len, &json_role_limits, &ignored) ||
        !json_get_typed(json_root(&doc), "signed", JSON_OBJECT, &signed_part))
        return;
    if (json_get(signed_part, "version", &value) && !json_integer(value, 1, INT32_MAX, &row->version))
        row->version = 0;
    if (json_get_typed(signed_part, "expires", JSON_STRING, &value)) {
        const char *text = json_string(value, &len);
        if (!clock_parse_role(text, len, &row->expires))
            row->expires = 0;
    }
    if (json_get_typed(signed_part, "targets", JSON_OBJECT, &value))
        for (size_t i = 0; i < json_count(value); i++)
            add_target(row, json_at(value, i));
}

static void look_up_held(const struct store *s, const char *profile, struct overview_row *row)
{
    AUTO(record) struct record record = {0};
    struct err ignored; /* not fetched, or unreadable: then it is fetched again */
    if (record_load(s, profile, row->name, &record, &ignored) == 0)
        row->held_version = record.version;
}

static int compare_rows(const void *a, const void *b)
{
    return strcmp(((const struct overview_row *)a)->name, ((const struct overview_row *)b)->name);
}

/* By the door of the signed roles, else by the platform API. */
static int fetch_roles(struct cloud *cloud, struct cloud_metadata *ret, struct err *e)
{
    if (cloud_fetch_lockboxes(cloud, ret, e) == 0)
        return 0;
    if (e->id != ERR_BAD_CONFIG || !cloud_has_api(cloud))
        return -1;
    return cloud_fetch_lockbox_details(cloud, ret, e);
}

static const struct overview_row *find_row(const struct overview *o, const char *name)
{
    for (size_t i = 0; i < o->count; i++)
        if (!strcmp(o->rows[i].name, name))
            return &o->rows[i];
    return NULL;
}

struct held {
    const struct store *store;
    const char *profile;
    struct overview *overview;
    size_t room;
};

static int add_if_deleted(void *ctx, const char *name, struct err *e)
{
    struct held *h = ctx;
    struct overview *o = h->overview;
    (void)e;
    if (find_row(o, name))
        return 0;
    mem_grow(&o->rows, o->count, &h->room, sizeof *o->rows);
    o->rows[o->count] =
        (struct overview_row){.name = mem_strdup(name), .deleted = true, .expires = INT64_MAX};
    look_up_held(h->store, h->profile, &o->rows[o->count++]);
    return 0;
}

static int add_deleted(const struct store *s, const char *profile, struct overview *o, size_t room,
                       struct err *e)
{
    struct held h = {s, profile, o, room};
    return record_each(s, profile, add_if_deleted, &h, e);
}

int overview_fetch(struct cloud *cloud, const struct store *s, const char *profile, struct overview *ret,
                   struct err *e)
{
    static const char folder[] = "director/", ending[] = ".json";
    AUTO(cloud_metadata) struct cloud_metadata m = {0};
    struct overview o = {0};
    if (fetch_roles(cloud, &m, e))
        return -1;
    o.rows = mem_zeroed(m.count, sizeof *o.rows);
    size_t room = m.count;
    for (size_t i = 0; i < m.count; i++) {
        const char *path = m.files[i].path;
        size_t len = strlen(path), around = sizeof folder + sizeof ending - 2;
        if (!strcmp(path, "director/offline-snapshot.json") || len <= around)
            continue;
        struct overview_row *row = &o.rows[o.count++];
        row->name = mem_strndup(path + sizeof folder - 1, len - around);
        read_role(&m.files[i].bytes, row);
        look_up_held(s, profile, row);
    }
    if (add_deleted(s, profile, &o, room, e)) {
        overview_free(&o);
        return -1;
    }
    if (o.count)
        qsort(o.rows, o.count, sizeof *o.rows, compare_rows);
    *ret = o;
    return 0;
}

enum overview_state overview_compare(const struct overview *o, const char *lockbox, int64_t version,
                                     int64_t *ret_version)
{
    const struct overview_row *row = find_row(o, lockbox);
    *ret_version = row ? row->version : 0;
    if (!row || row->deleted)
        return OVERVIEW_DELETED;
    if (row->packages == 0)
        return OVERVIEW_REVOKED;
    return row->version > version ? OVERVIEW_NEWER : OVERVIEW_SAME;
}

const char *overview_state_word(enum overview_state state)
{
    static const char *const words[] = {"same", "newer", "revoked", "deleted"};
    return words[state];
}

void overview_free(struct overview *o)
{
    for (size_t i = 0; i < o->count; i++)
        free(o->rows[i].name);
    free(o->rows);
    *o = (struct overview){0};
}
