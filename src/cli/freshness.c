/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/freshness.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "account/session.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/out.h"
#include "cli/expiry.h"
#include "cli/print.h"

#define TRY_MS 5000 /* whoever only reads a stick does not wait for a network that is not there */

void freshness_ask(struct app *app, const struct pins *pins, struct freshness *f)
{
    if (!pins->first[PIN_DIRECTOR].len)
        return;
    AUTO(buf) struct buf shown = {0};
    struct cloud *cloud = NULL;
    struct err e = {0};
    int rc = session_try_stored(&app->store, app->profile, app->global.cacert, TRY_MS, &cloud, &e);
    if (rc && e.id == ERR_NO_PROFILE)
        return;
    if (rc == 0)
        rc = overview_fetch(cloud, &app->store, app->profile, &f->cloud, &e);
    cloud_close(cloud);
    f->compared = rc == 0;
    if (rc == 0)
        return;
    out_escape(&shown, e.message, strlen(e.message));
    app_note(app, "not compared with the cloud: %s", buf_text(&shown));
}

/* Only what the pinned roots lead to is this account's; another's may have the same name. */
static const struct verdict *find_own(const struct freshness *f, const struct survey_item *item)
{
    const struct verdict *v = &item->verdict;
    return f->compared && item->opened && v->lockbox && v->newest_root[REPO_DIRECTOR] >= 0 ? v : NULL;
}

void freshness_print(const struct freshness *f, const struct survey_item *item)
{
    const struct verdict *v = find_own(f, item);
    if (v) {
        int64_t version;
        enum overview_state state = overview_compare(&f->cloud, v->lockbox, v->lockbox_version, &version);
        print_label("cloud");
        printf("%s", overview_state_word(state));
        if (state == OVERVIEW_NEWER)
            printf(": version %" PRId64 ", here is version %" PRId64, version, v->lockbox_version);
        putchar('\n');
    }
    const struct expiry x = {item->verdict.valid_until, item->verdict.valid_until_role,
                             item->verdict.lockbox};
    if (item->opened)
        expiry_print(&x, f->now);
    if (freshness_ends_too_soon(f, item)) {
        char needed[CLOCK_TEXT_SIZE];
        clock_format(f->needed_until.last, needed);
        print_label("too soon");
        printf("needed until %s\n", needed);
    }
}

void freshness_add_json(const struct freshness *f, const struct survey_item *item, cJSON *to)
{
    const struct verdict *v = find_own(f, item);
    const struct expiry x = {item->opened ? item->verdict.valid_until : INT64_MAX,
                             item->opened ? item->verdict.valid_until_role : NULL, item->verdict.lockbox};
    int64_t version = 0;
    json_add_text(to, "lockbox", item->verdict.lockbox);
    json_add_integer(to, "version", item->verdict.lockbox_version);
    json_add_text(
        to, "cloud",
        v ? overview_state_word(overview_compare(&f->cloud, v->lockbox, v->lockbox_version, &version))
          : NULL);
    json_add_integer(to, "cloud_version", version);
    cJSON_AddBoolToObject(to, "ends_too_soon", freshness_ends_too_soon(f, item));
    expiry_add_json(&x, to);
}

bool freshness_ends_too_soon(const struct freshness *f, const struct survey_item *item)
{
    return f->needed_until.given && item->opened && item->verdict.valid_until <= f->needed_until.last;
}

void freshness_free(struct freshness *f)
{
    overview_free(&f->cloud);
}
