/* SPDX-License-Identifier: Apache-2.0
 *
 * A lockbox onto a stick (a mounted medium or any folder) or into a file: from the store, or from a bundle
 * that somebody else fetched. Nothing is delivered that is not valid or that a device would refuse at the
 * time given, and nothing takes the place of a newer version of the same lockbox (incumbent.h).
 *
 *   as bundle   TO is a folder: TO/airlock/<lockbox>-v<version>-<account>.lockbox and its payload volumes;
 *               TO ends in ".lockbox": that file and its volumes
 *   as plain    TO/update/, from which a stock device installs
 *   as squashfs TO/torizon-lockbox.squashfs, which torizon/squashfs-lockboxes mounts
 *
 * And what else is done with bundles that are there: signed, made anew, removed.
 */
#ifndef AIRLOCK_LOCKBOX_DELIVER_H
#define AIRLOCK_LOCKBOX_DELIVER_H

#include "base/progress.h"
#include "crypto/file_signer.h"
#include "lockbox/base.h"
#include "lockbox/judge.h"
#include "usb-tools/forecast.h"

enum deliver_as { DELIVER_BUNDLE, DELIVER_PLAIN, DELIVER_SQUASHFS };

/* What became of a lockbox, or would become, at one of the places that it goes to. */
struct delivered {
    const char *to;           /* as the person named it; the caller's */
    char *path;               /* what was written; NULL: no place was found */
    uint64_t stored;          /* bytes on the medium, file system overhead not counted */
    struct forecast forecast; /* made before the first byte */
    int64_t there;            /* the version that stands in its place now; 0: none that can be believed */
    int64_t newer_beside;     /* a higher version whose bundle lies in the same folder; 0: none */
    bool failed;
    struct err failure; /* then: why */
};

struct delivery;

/* Hears before the first byte is written what will be, with the places that were refused. */
struct deliver_listener {
    void (*foretold)(void *ctx, const struct delivery *d); /* NULL: nobody listens */
    void *ctx;
};

/* Gives the key that signs a bundle. It is asked for when what is to be signed has proven good, since it may
 * have to be made. */
struct deliver_signer {
    int (*get)(void *ctx, const struct sign_key **ret, struct err *e);
    void *ctx;
};

struct deliver_options {
    enum deliver_as as;
    bool single; /* bundle: one file instead of head and volumes */
    bool split;  /* bundle, copied: head and volumes instead of one file */
    bool share;  /* bundle, from the store to one place: what others beside it hold is not written again */
    uint64_t memory;       /* bundle: bytes for compressing; 0: the format's default */
    uint64_t volume_bytes; /* bundle: a volume ends before; 0: the format's default */
    int64_t needed_until;  /* the lockbox must not end before; INT64_MIN: no such date */
    bool dry_run;          /* only say what would be written; nothing is */
    struct judge judge;
    const struct base *base; /* from the store: what the device has already is left out; NULL: nothing is */
    struct deliver_signer signer;           /* of bundles that are not copied */
    const struct file_signer *squashfs_key; /* squashfs: for its detached signature; NULL: none */
    const struct bundle_elsewhere
        *elsewhere; /* from a bundle: where else its volumes may be; NULL: nowhere */
    struct deliver_listener listener;
    struct progress *progress;
};

struct delivery {
    char *lockbox;
    int64_t version;
    uint64_t raw; /* bytes that the device gets */
    size_t members;
    size_t left_out_files; /* and which the device has, if it has what `needs` names */
    uint64_t left_out_bytes;
    struct needs needs;
    int64_t valid_until;
    char *valid_until_role;
    char **shares_with; /* bundles: files of others that hold some of the contents */
    size_t shares_with_count;
    uint64_t shared;  /* bytes that they hold */
    bool still_lends; /* a repacked bundle that others borrow from, and that stays for them */
    struct delivered *places;
    size_t place_count;
};

/* To each of the places, from one reading of the store or of the bundle, whose contents are compressed once.
 * What is wrong with one place stands there and stops none of the others. -1 where it cannot be delivered at
 * all. */
must_check int deliver_lockbox(const struct store *s, const char *profile, const char *name,
                               const char *const *to, size_t to_count, const struct deliver_options *o,
                               struct delivery *ret, struct err *e);
must_check int deliver_bundle(const char *bundle, const char *const *to, size_t to_count,
                              const struct deliver_options *o, struct delivery *ret, struct err *e);
/* A bundle unpacked to the lockbox directory `dir` itself (its parent must be there); `as` is not looked at.
 */
must_check int deliver_apply(const char *bundle, const char *dir, const struct deliver_options *o,
                             struct delivery *ret, struct err *e);
/* Adds the signer's signature to a bundle where it lies. `ret` has no places. */
must_check int deliver_signature(const char *bundle, const char *comment, const struct deliver_options *o,
                                 struct delivery *ret, struct err *e);
/* A bundle made anew from another one's contents, whole, cut as the options say, and signed by `signer`
 * alone. to: NULL: beside the other. A bundle that shares contents is removed when a whole one stands beside
 * it. */
must_check int deliver_repacked(const char *bundle, const char *to, const struct deliver_options *o,
                                struct delivery *ret, struct err *e);
/* Removes a bundle, whatever is left of it. ERR_NO_SUCH_PATH, ERR_BUNDLE_NEEDED, ERR_USAGE for another file.
 */
must_check int deliver_removal(const char *bundle, struct err *e);
void delivery_free(struct delivery *d);

#endif
