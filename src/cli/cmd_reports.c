/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock reports: what came of the lockboxes, from the sticks that come back.
 */
#include <string.h>

#include "cli/reports.h"

static const struct option options[] = {
    {"device", OPTION_TEXT, "NAME", offsetof(struct reports_options, device),
     "list, export: only this device: its name, what it calls itself, or its serial"},
    {"fleet", OPTION_TEXT, "NAME", offsetof(struct reports_options, fleet),
     "list, export, status: only the devices of this fleet of the cloud, by its name or id"},
    {"lockbox", OPTION_TEXT, "NAME", offsetof(struct reports_options, lockbox),
     "list, export: only this lockbox; note: which one was installed; status: how far it has come"},
    {"only", OPTION_TEXT, "WORD", offsetof(struct reports_options, only),
     "list, export: only this outcome or this proof: 'failed', 'verified', 'stale'"},
    {"since", OPTION_TIME, "TIME", offsetof(struct reports_options, since),
     "list, export: only what was collected then or later"},
    {"until", OPTION_TIME, "TIME", offsetof(struct reports_options, until),
     "list, export: only what was collected up to then"},
    {"all", OPTION_FLAG, NULL, offsetof(struct reports_options, all),
     "list: also installs under way of which the report came later"},
    {"as", OPTION_TEXT, "jsonl|csv|manifest", offsetof(struct reports_options, as),
     "export: in which form (jsonl, which 'import' reads)"},
    {"html", OPTION_FLAG, NULL, offsetof(struct reports_options, html),
     "export: a page for the customer's file, with all that belongs to each report"},
    {"result", OPTION_TEXT, "installed|failed|other", offsetof(struct reports_options, result),
     "note: what the person saw (other)"},
    {"serial", OPTION_TEXT, "SERIAL", offsetof(struct reports_options, serial),
     "key add: the ECU's serial, where it is not the id of its key"},
    {"helper", OPTION_FLAG, NULL, offsetof(struct reports_options, helper),
     "key add: it is the key of the helper on the device, not of an ECU"},
    {0},
};

static const struct verb {
    const char *name, *second; /* "key" "add" */
    size_t min_words, max_words;
    const char *options; /* names with a blank behind each */
    reports_verb *run;
} verbs[] = {
    {"collect", NULL, 1, 1, "", reports_collect},
    {"list", NULL, 0, 0, "device fleet lockbox only since until all ", reports_list},
    {"show", NULL, 1, 1, "", reports_show},
    {"status", NULL, 0, 0, "fleet lockbox ", reports_status},
    {"export", NULL, 0, 1, "device fleet lockbox only since until as html ", reports_export},
    {"import", NULL, 1, 1, "", reports_import},
    {"note", NULL, 2, 2, "lockbox result ", reports_note},
    {"key", "add", 2, 2, "serial helper ", reports_key_add},
    {"key", "list", 0, 0, "", reports_key_list},
};

static bool is_given(const struct option *o, const void *values)
{
    const char *at = (const char *)values + o->offset;
    switch (o->kind) {
    case OPTION_FLAG:
        return *(const bool *)at;
    case OPTION_TIME:
        return ((const struct option_time *)at)->given;
    default:
        return *(const char *const *)at != NULL;
    }
}

static int check_options(const struct verb *verb, const void *values, struct err *e)
{
    for (const struct option *o = options; o->name; o++) {
        size_t len = strlen(o->name);
        const char *found = verb->options;
        while (*found && (strncmp(found, o->name, len) != 0 || found[len] != ' '))
            found += strcspn(found, " ") + 1;
        if (!*found && is_given(o, values))
            return err_set(e, ERR_USAGE, "reports %s: --%s is not for it", verb->name, o->name);
    }
    return 0;
}

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        const struct verb *v = &verbs[i];
        size_t own = v->second ? 2 : 1;
        if (strcmp(words[0], v->name) != 0 || (v->second && (count < 2 || strcmp(words[1], v->second) != 0)))
            continue;
        if (count - own < v->min_words || count - own > v->max_words)
            break;
        return check_options(v, values, e) ? -1 : v->run(app, values, words + own, count - own, exit_code, e);
    }
    return err_set(
        e, ERR_USAGE,
        "reports: 'collect STICK', 'list', 'show ID', 'status', 'export', 'import FILE', 'note DEVICE TEXT', "
        "'key add NAME KEY' and 'key list' is what it can do");
}

const struct command cmd_reports = {
    .name = "reports",
    .words = "collect | list | show | status | export | import | note | key [WORD]...",
    .summary = "what came of the lockboxes: reports of devices, from the sticks that come back",
    .details =
        "'collect STICK' keeps what the devices left on a stick in the ledger of this computer; writing to a "
        "stick "
        "does the same first. 'list' shows it, 'show ID' one report with all that belongs to it. 'export "
        "[ID]' and "
        "'import FILE' carry reports to another computer. 'note DEVICE TEXT' records what a person saw. "
        "'key add NAME KEY' and 'key list' are for the public keys of devices. The outcome and what it rests "
        "on are "
        "two things: only 'verified' is what the device signed. No report is neither success nor failure.",
    .min_words = 1,
    .max_words = 4,
    .options = options,
    .options_size = sizeof(struct reports_options),
    .run = run,
};
