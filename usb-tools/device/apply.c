/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/apply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "usb-tools/device/offer.h"
#include "usb-tools/device/say.h"
#include "usb-tools/device/stage.h"

static void pass(void *ctx, const char *file, const struct err *why)
{
    (void)ctx;
    say_passed(file, why);
}

/* What is unpacked where nobody looks would be waited for in vain. */
static int check_source(const struct client_config *c, struct err *e)
{
    if (c->offline_updates && c->source && !strcmp(c->source, STAGE_SOURCE))
        return 0;
    err_set(e, ERR_NOT_LOOKED_FOR, "the client does not install from '" STAGE_SOURCE "'");
    return err_hint(e, "set enable_offline_updates = true and offline_updates_source = \"" STAGE_SOURCE
                       "\" under [uptane] in /etc/sota/conf.d, and restart the client");
}

static int find_offer(const char *stick, const struct offer_terms *t, struct offer *ret, struct err *e)
{
    const struct offer_listener listener = {.pass = pass};
    AUTO_FD int stick_fd = -1, dirfd = -1;
    if (fs_open_dir(stick, &stick_fd, e))
        return -1;
    if (fs_open_dir_at(stick_fd, "airlock", false, &dirfd, e)) {
        if (e->id == ERR_NO_SUCH_PATH)
            err_set(e, ERR_NOTHING_TO_INSTALL, "'%s' has no folder 'airlock'", stick);
        return -1;
    }
    return offer_find(dirfd, t, &listener, ret, e);
}

int apply(const struct arguments *a, struct err *e)
{
    AUTO_FD int root_fd = -1;
    AUTO(facts) struct facts facts = {0};
    AUTO(signer_keys) struct signer_keys signers = {0};
    AUTO(stage) struct stage stage = {.fd = -1, .lock_fd = -1};
    AUTO(offer) struct offer offer = {0};
    bool fresh;
    if (fs_open_dir(a->root, &root_fd, e) || facts_load(root_fd, &facts, e) ||
        check_source(&facts.config, e) || signer_keys_load(root_fd, &signers, e) ||
        stage_open(root_fd, &stage, e))
        return -1;
    if (signers.count == 0)
        fprintf(stderr, "airlock-device: no signer keys in /" SIGNER_KEYS_PATH
                        ": anybody's bundle is taken, and Uptane alone decides\n");
    const struct offer_terms terms = {root_fd, stage.fd, &facts, &signers, a->now, a->lockbox};
    if (find_offer(a->stick, &terms, &offer, e))
        return -1;
    if (stage_bundle(&stage, offer.bundle, &fresh, e))
        return err_context(e, "'%s'", offer.file);
    say_line("%s version %" PRId64 " %s " STAGE_SOURCE, offer.lockbox, offer.version,
             fresh ? "unpacked to" : "is already in");
    return 0;
}
