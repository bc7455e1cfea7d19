/* SPDX-License-Identifier: Apache-2.0
 *
 * Which reports a person asks for, and what stands in a line about one.
 */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "cli/reports.h"

int reports_open_ledger(struct app *app, struct ledger **ret, struct err *e)
{
    return app_open_store(app, e) || ledger_open(app->store.state_fd, true, ret, e) ? -1 : 0;
}

int reports_load(struct app *app, struct ledger **ret_ledger, struct readings *ret, struct err *e)
{
    if (app_look_store(app, e))
        return -1;
    if (ledger_open(app->store.state_fd, false, ret_ledger, e))
        return e->id == ERR_NO_SUCH_PATH ? 0 : -1;
    return readings_load(*ret_ledger, ret, e);
}

/* ---- which ---- */

/* "in-progress" is the word for what is shown as "in progress or interrupted". */
static bool is_word_of(const struct reading *r, const char *word)
{
    static const char *const outcomes[] = {"installed", "failed",  "reboot", "in-progress",
                                           "refused",   "nothing", "unknown"};
    static const char *const trusts[] = {"verified", "unknown-key", "unverified",
                                         "forged",   "unsigned",    "technician-reported"};
    return !strcmp(word, outcomes[r->outcome]) || !strcmp(word, trusts[r->trust]) ||
           (r->stale && !strcmp(word, "stale"));
}

int reports_check_only(const struct reports_options *o, struct err *e)
{
    const char *word = o->only;
    for (int outcome = READING_INSTALLED; word && outcome <= READING_UNKNOWN; outcome++)
        for (int trust = READING_VERIFIED; trust <= READING_PERSON; trust++) {
            const struct reading r = {
                .outcome = (enum reading_outcome)outcome, .trust = (enum reading_trust)trust, .stale = true};
            if (is_word_of(&r, word))
                return 0;
        }
    return !word
               ? 0
               : err_set(e, ERR_USAGE,
                         "--only '%s' is none of installed, failed, reboot, in-progress, refused, nothing, "
                         "unknown; verified, unknown-key, unverified, forged, unsigned, technician-reported; "
                         "stale",
                         word);
}

static bool is_of_device(const struct reading *r, const char *device)
{
    return !strcmp(r->serial, device) || (r->name && !strcmp(r->name, device)) ||
           !strcmp(r->calls_itself, device);
}

bool reports_is_wanted(const struct reading *r, const struct reports_options *o)
{
    return (!o->device || is_of_device(r, o->device)) &&
           (!o->lockbox || (r->lockbox && !strcmp(r->lockbox, o->lockbox))) &&
           (!o->only || is_word_of(r, o->only)) && (!o->since.given || r->seen_at >= o->since.time) &&
           (!o->until.given || r->seen_at <= o->until.last);
}

char *reports_device_text(const struct reading *r)
{
    if (r->name)
        return mem_strdup(r->name);
    return mem_format("\"%s\"", r->calls_itself);
}

char *reports_lockbox_text(const struct reading *r)
{
    if (!r->lockbox)
        return mem_strdup("-");
    return r->version < 0 ? mem_strdup(r->lockbox) : mem_format("%s %" PRId64, r->lockbox, r->version);
}

char *reports_outcome_text(const struct reading *r)
{
    bool with_code = (r->outcome == READING_FAILED || r->outcome == READING_REFUSED) && *r->code;
    return mem_format("%s%s%s", reading_outcome_text(r->outcome), with_code ? ": " : "",
                      with_code ? r->code : "");
}

char *reports_proof_text(const struct reading *r)
{
    return mem_format("%s%s", reading_trust_text(r->trust), r->stale ? ", stale" : "");
}
