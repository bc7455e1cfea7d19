/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/apply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/name.h"
#include "usb-tools/device/client_call.h"
#include "usb-tools/device/offer.h"
#include "usb-tools/device/outcome.h"
#include "usb-tools/device/refusals.h"
#include "usb-tools/device/sandbox.h"
#include "usb-tools/device/say.h"
#include "usb-tools/device/stage.h"

/* What is unpacked where nobody looks would be waited for in vain. *ret_polled: the client looks there by
 * itself; else it can be told to. */
static int check_source(const char *root, const struct client_config *c, bool *ret_polled, struct err *e)
{
    *ret_polled = c->offline_updates && c->source && !strcmp(c->source, STAGE_SOURCE);
    if (*ret_polled || client_takes_calls(root))
        return 0;
    err_set(e, ERR_NOT_LOOKED_FOR, "the client does not install from '" STAGE_SOURCE "'");
    return err_hint(e, "set enable_offline_updates = true and offline_updates_source = \"" STAGE_SOURCE
                       "\" under [uptane] in /etc/sota/conf.d, and restart the client");
}

/* ---- in the sandbox: all that reads the stick ---- */

struct search {
    const struct arguments *a;
    const struct offer_terms *terms;
    struct stage *stage;
};

struct taken {
    char lockbox[NAME_PART_MAX + 1];
    int64_t version;
    bool fresh;
    struct refusals refusals;
};

struct passing {
    const struct device *device;
    struct refusals *refusals;
};

static void pass(void *ctx, const char *file, const struct bundle *b, const struct err *why)
{
    const struct passing *p = ctx;
    say_passed(file, why);
    refusals_note(p->refusals, b, p->device, why);
}

static int find_offer(const struct search *s, struct refusals *refusals, struct offer *ret, struct err *e)
{
    struct passing passing = {&s->terms->facts->device, refusals};
    const struct offer_listener listener = {.pass = pass, .ctx = &passing};
    AUTO_FD int dirfd = -1;
    if (fs_open_dir_at(s->a->stick_fd, "airlock", false, &dirfd, e)) {
        if (e->id == ERR_NO_SUCH_PATH)
            err_set(e, ERR_NOTHING_TO_INSTALL, "'%s' has no folder 'airlock'", s->a->stick);
        return -1;
    }
    return offer_find(dirfd, s->terms, &listener, ret, e);
}

/* Nobody reads here, and may not read what only its owner may. */
static int explain_denial(struct err *e)
{
    if (e->sys != EACCES)
        return -1;
    e->id = ERR_MEDIUM_IO;
    return err_hint(
        e,
        "whoever reads the stick here is nobody: mount it with umask=022, or 'chmod -R a+rX' what is on it");
}

static int take(void *ctx, void *ret_answer, struct err *e)
{
    const struct search *s = ctx;
    struct taken *taken = ret_answer;
    AUTO(offer) struct offer offer = {0};
    if (find_offer(s, &taken->refusals, &offer, e))
        return explain_denial(e);
    if (stage_fill(s->stage, offer.bundle, &taken->fresh, e)) {
        err_context(e, "'%s'", offer.file);
        refusals_note(&taken->refusals, offer.bundle, &s->terms->facts->device, e);
        return -1;
    }
    snprintf(taken->lockbox, sizeof taken->lockbox, "%s", offer.lockbox);
    taken->version = offer.version;
    return 0;
}

/* ---- outside ---- */

/* The answer was made by what read the stick. */
static int check_taken(struct taken *t, struct err *e)
{
    t->lockbox[sizeof t->lockbox - 1] = '\0';
    return name_check_role(t->lockbox, e);
}

/* That a report cannot be made changes nothing about what is taken. */
static void keep_refusals(const struct search *s, const struct taken *t)
{
    struct err why;
    const struct offer_terms *terms = s->terms;
    if (refusals_keep(&t->refusals, terms->root_fd, s->stage->fd, terms->facts, terms->signers->count > 0,
                      terms->now, &why))
        say_without("a report of what was refused", &why);
}

static bool has_seen_it(const struct stage *stage, const struct facts *f)
{
    AUTO(outcome) struct outcome o = {0};
    struct err ignored; /* of a damaged log: the client has written it */
    return outcome_read(stage->fd, &f->memory, &o, &ignored) || o.source != SOURCE_HELPER;
}

/* A client that polls starts when the directory appears. One that was not there then, or does not poll, has
 * to be told. One that polls and does not listen is at work, perhaps with this. */
static int tell_client(const char *root, const struct search *s, bool polled, bool fresh, struct err *e)
{
    if (polled && (fresh || has_seen_it(s->stage, s->terms->facts) || !client_takes_calls(root)))
        return 0;
    if (client_call(root, STAGE_SOURCE, e) == 0)
        say_line("the client was told to install it");
    else if (polled)
        say_error(e);
    else
        return -1;
    return 0;
}

int apply(const struct arguments *a, struct err *e)
{
    AUTO_FD int root_fd = -1;
    AUTO(facts) struct facts facts = {0};
    AUTO(signer_keys) struct signer_keys signers = {0};
    AUTO(stage) struct stage stage = STAGE_CLOSED;
    struct taken taken = {0};
    bool polled;
    if (fs_open_dir(a->root, &root_fd, e) || facts_load(root_fd, &facts, e) ||
        check_source(a->root, &facts.config, &polled, e) || signer_keys_load(root_fd, &signers, e) ||
        stage_open(root_fd, &stage, e) || stage_begin(&stage, e))
        return -1;
    say_without("what the client remembers", &facts.hindrance);
    if (signers.count == 0)
        fprintf(stderr, "airlock-device: no signer keys in /" SIGNER_KEYS_PATH
                        ": anybody's bundle is taken, and Uptane alone decides\n");
    const struct offer_terms terms = {root_fd, stage.fd, &facts, &signers, a->now, a->lockbox};
    struct search search = {a, &terms, &stage};
    int rc = sandbox_run(take, &search, &taken, sizeof taken, e);
    keep_refusals(&search, &taken);
    if (rc || check_taken(&taken, e) || (taken.fresh && stage_finish(&stage, e)))
        return -1;
    say_line("%s version %" PRId64 " %s " STAGE_SOURCE, taken.lockbox, taken.version,
             taken.fresh ? "unpacked to" : "is already in");
    return tell_client(a->root, &search, polled, taken.fresh, e);
}
