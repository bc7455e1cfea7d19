/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/device_options.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/out.h"
#include "report/ledger.h"

int device_options_judge(struct app *app, const char *trust_dir, const struct text_list *hwids,
                         struct pins *pins, struct judge *ret, struct err *e)
{
    if (trust_dir ? pins_load_folder(trust_dir, pins, e) : pins_load(&app->store, app->profile, pins, e))
        return -1;
    *ret = (struct judge){.trust = judge_trust(pins), .now = app->now};
    for (size_t i = 0; hwids && i < hwids->count; i++)
        if (!*hwids->items[i])
            return err_set(e, ERR_USAGE, "--hwid needs an id");
    if (hwids) {
        ret->hardware_ids = hwids->items;
        ret->hardware_id_count = hwids->count;
    }
    return 0;
}

/* ---- the request of a device ---- */

static void note_age(const struct app *app, const struct report_file *r)
{
    char made[CLOCK_TEXT_SIZE], age[64];
    int64_t days = (app->now - r->made_at) / (24 * 3600);
    AUTO(buf) struct buf device = {0};
    out_escape(&device, r->device, strlen(r->device));
    clock_format(r->made_at, made);
    snprintf(age, sizeof age, "%lld days ago", (long long)days);
    app_note(app, "request %lld of '%s', made at %s by its clock: %s", (long long)r->sequence,
             buf_text(&device), made, r->made_at > app->now ? "ahead of this computer's" : age);
}

/* Its key was enrolled, and nothing later of it was used. */
static int check_request(struct app *app, const struct report_file *r, bool trusted, struct err *e)
{
    AUTO_LEDGER struct ledger *ledger = NULL;
    char hex[2 * SIGN_PUBLIC_SIZE + 1];
    int64_t last = 0;
    bool enrolled = false;
    hex_encode(r->public_key, sizeof r->public_key, hex);
    if (ledger_open(app->store.state_fd, false, &ledger, e)) {
        if (e->id != ERR_NO_SUCH_PATH)
            return -1;
    } else if (ledger_has_helper(ledger, hex, &enrolled, e) || ledger_last_request(ledger, hex, &last, e)) {
        return -1;
    }
    if (!enrolled && !trusted)
        return err_set(e, ERR_REQUEST_UNKNOWN, "it is signed by the key %s, which nobody enrolled here", hex);
    if (r->sequence < last)
        return err_set(e, ERR_REQUEST_OLD, "it is request %lld, and %lld was used before",
                       (long long)r->sequence, (long long)last);
    return enrolled ? ledger_use_request(ledger, hex, r->sequence, e) : 0;
}

int device_options_take(struct app *app, const char *file, bool trusted, struct device_file *ret,
                        struct err *e)
{
    if (device_file_read(file, ret, e))
        return strstr(e->message, file) ? -1 : err_context(e, "'%s'", file);
    if (!ret->is_request)
        return 0;
    if (check_request(app, &ret->request, trusted, e))
        return err_context(e, "'%s'", file);
    note_age(app, &ret->request);
    return 0;
}

int device_options_read(struct app *app, const struct device_choice *choice, const char *trust_dir,
                        const struct text_list *hwids, struct device_file *ret, struct judge *judge,
                        struct err *e)
{
    if (!choice->file)
        return 0;
    if (device_options_take(app, choice->file, choice->trusted, ret, e))
        return -1;
    const struct device *device = &ret->device;
    if (trust_dir && (device->roots[0].count || device->roots[1].count))
        return err_set(e, ERR_USAGE, "--trust, and '%s' says which roots the device has", choice->file);
    if (hwids->count && device->knows_ecus)
        return err_set(e, ERR_USAGE, "--hwid, and '%s' says which ECUs the device has", choice->file);
    judge->device = device;
    return 0;
}

void device_options_note_trust(const struct judge *judge)
{
    if (!judge->trust.director_root || !judge->trust.image_root)
        fputs("airlock: no roots are pinned here and none were given (--trust): whose this lockbox is, is "
              "not proven\n"
              "hint: log in, or give the roots that the device has with --trust DIR\n",
              stderr); /* also with -q: it is a warning */
}
