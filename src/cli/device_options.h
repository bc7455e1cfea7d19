/* SPDX-License-Identifier: Apache-2.0
 *
 * The options by which several commands say for which device, trust and date they decide, and how they become
 * a `struct judge`.
 */
#ifndef AIRLOCK_CLI_DEVICE_OPTIONS_H
#define AIRLOCK_CLI_DEVICE_OPTIONS_H

#include "cli/app.h"
#include "lockbox/device_file.h"
#include "lockbox/judge.h"
#include "store/pins.h"

#define TRUST_HELP "roots that the device trusts: DIR/director/root.json and DIR/repo/root.json"
#define DEVICE_HELP "what is known of the device (docs/device-state.md), or its request from a stick"
#define HWID_HELP                                                                                            \
    "a hardware id of the device, the primary's first (again for each); without it, those of the lockbox"
#define NEEDED_UNTIL_HELP "refuse what ends before that time"

/* Fills *ret for the roots of --trust DIR, else those pinned for the profile, else none. `pins` keeps the
 * bytes. */
must_check int device_options_judge(struct app *app, const char *trust_dir, const struct text_list *hwids,
                                    struct pins *pins, struct judge *ret, struct err *e);
/* --device FILE [--trust-request] */
struct device_choice {
    const char *file;
    bool trusted;
};
#define DEVICE_ROWS(offset)                                                                                  \
    {"device", OPTION_TEXT, "FILE", (offset) + offsetof(struct device_choice, file), DEVICE_HELP},           \
    {                                                                                                        \
        "trust-request", OPTION_FLAG, NULL, (offset) + offsetof(struct device_choice, trusted),              \
            "take a device's request though nobody enrolled the key that signed it"                          \
    }

/* Adds what the file says of the device. ERR_USAGE where it says what --trust or --hwid say, too; of a
 * request ERR_REQUEST_UNKNOWN, ERR_REQUEST_OLD, and its age is told. */
must_check int device_options_read(struct app *app, const struct device_choice *choice, const char *trust_dir,
                                   const struct text_list *hwids, struct device_file *ret,
                                   struct judge *judge, struct err *e);
/* The file alone, with these errors; for --base. */
must_check int device_options_take(struct app *app, const char *file, bool trusted, struct device_file *ret,
                                   struct err *e);
/* Says so where the lockbox itself is all that vouches for its roots. `verify` has it in its answer. */
void device_options_note_trust(const struct judge *judge);

#endif
