/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/device_options.h"

#include <stdio.h>
#include <string.h>

#include "base/fs.h"

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

int device_options_read(const char *file, const char *trust_dir, const struct text_list *hwids,
                        struct device *device, struct judge *judge, struct err *e)
{
    AUTO(buf) struct buf text = {0};
    if (!file)
        return 0;
    if (fs_read_file(file, DEVICE_STATE_MAX, &text, e) || device_parse(text.data, text.len, device, e))
        return strstr(e->message, file) ? -1 : err_context(e, "'%s'", file);
    if (trust_dir && (device->roots[0].count || device->roots[1].count))
        return err_set(e, ERR_USAGE, "--trust, and '%s' says which roots the device has", file);
    if (hwids->count && device->knows_ecus)
        return err_set(e, ERR_USAGE, "--hwid, and '%s' says which ECUs the device has", file);
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
