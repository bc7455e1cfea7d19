/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/report.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "base/hex.h"
#include "base/mem.h"
#include "usb-tools/device/facts.h"
#include "usb-tools/device/outbox.h"
#include "usb-tools/device/outcome.h"
#include "usb-tools/device/say.h"
#include "usb-tools/device/signer_keys.h"
#include "usb-tools/device/stage.h"

int report_key(const struct arguments *a, struct err *e)
{
    AUTO_FD int root_fd = -1;
    AUTO(stage) struct stage stage = STAGE_CLOSED;
    AUTO(sign_key) struct sign_key key = {0};
    char hex[2 * SIGN_PUBLIC_SIZE + 1], fingerprint[SIGN_FINGERPRINT_TEXT];
    bool made;
    if (fs_open_dir(a->root, &root_fd, e) || stage_open(root_fd, &stage, e) ||
        sign_key_load_or_make(stage.fd, OUTBOX_KEY, &key, &made, e))
        return -1;
    hex_encode(key.public_key, SIGN_PUBLIC_SIZE, hex);
    sign_fingerprint(key.public_key, fingerprint);
    say_line("%s", hex);
    say_line("fingerprint %s", fingerprint);
    return 0;
}

#define JOURNAL_EVERY_S 10 /* it takes a program to read it */

/* What is asked in vain is named by the last look alone. */
static int look(const struct arguments *a, int root_fd, int dirfd, int64_t waited, struct facts *f,
                struct outcome *o, struct err *e)
{
    struct err why = {0};
    bool last = waited >= a->wait_s;
    if (facts_load(root_fd, f, e) || outcome_read(dirfd, &f->memory, o, e))
        return -1;
    if ((last || waited % JOURNAL_EVERY_S == 0) && outcome_ask_journal(dirfd, a->root, o, &why) && last)
        say_without("the device's journal", &why);
    return 0;
}

/* Looks until the client has said something final, or the time is over: each second, after a minute every
 * five. The facts are those after that. */
static int await_outcome(const struct arguments *a, int root_fd, int dirfd, struct facts *ret_facts,
                         struct outcome *ret, struct err *e)
{
    for (int64_t waited = 0;;) {
        const struct timespec pause = {.tv_sec = waited < 60 ? 1 : 5};
        if (look(a, root_fd, dirfd, waited, ret_facts, ret, e))
            return -1;
        if (ret->what != OUTCOME_UNKNOWN || waited >= a->wait_s)
            return 0;
        facts_free(ret_facts);
        outcome_free(ret);
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        waited += pause.tv_sec;
    }
}

/* Of a stick from which nothing was taken the refusals tell, where there are some. */
static int add_report(struct outbox *box, struct outcome *o, int64_t now, bool signers, struct err *e)
{
    if (o->what == OUTCOME_NOTHING && box->last && box->newest.outcome == OUTCOME_REFUSED)
        return 0;
    AUTO(report_file)
    struct report_file file = {
        .made_at = now,
        .lockbox = steal_ptr(o->lockbox),
        .lockbox_version = o->version,
        .outcome = o->what,
        .source = o->source,
        .signers_checked = signers,
        .message = steal_ptr(o->message),
        .has_manifest = o->has_manifest,
        .manifest = o->manifest,
    };
    o->manifest = (struct buf){0};
    return outbox_add_report(box, &file, e);
}

static void say_report(const struct outbox *box)
{
    static const char *const words[] = {"installed", "failed", "refused", "nothing to report", "not known"};
    const struct report_file *r = &box->newest;
    if (r->lockbox)
        say_line("report %" PRId64 " of %s: %s version %" PRId64 ": %s%s%s", box->last, r->device, r->lockbox,
                 r->lockbox_version, words[r->outcome], *r->message ? ": " : "", r->message);
    else
        say_line("report %" PRId64 " of %s: %s", box->last, r->device, words[r->outcome]);
}

int report(const struct arguments *a, struct err *e)
{
    AUTO_FD int root_fd = -1;
    AUTO(facts) struct facts facts = {0};
    AUTO(signer_keys) struct signer_keys signers = {0};
    AUTO(stage) struct stage stage = STAGE_CLOSED;
    AUTO(outcome) struct outcome outcome = {0};
    AUTO(outbox) struct outbox box = {0};
    if (fs_open_dir(a->root, &root_fd, e) || signer_keys_load(root_fd, &signers, e) ||
        stage_open(root_fd, &stage, e) || outbox_open(root_fd, stage.fd, &facts.memory, &box, e) ||
        await_outcome(a, root_fd, stage.fd, &facts, &outcome, e) ||
        add_report(&box, &outcome, a->now, signers.count > 0, e))
        return -1;
    if (a->stick_fd < 0)
        return 0;
    if (outbox_set_request(&box, a->now, &facts.device.text, e))
        return -1;
    say_without("what the client remembers", &facts.hindrance);
    if (outbox_copy(&box, a->stick_fd, e))
        return err_context(e, "'%s'", a->stick);
    say_report(&box);
    return 0;
}
