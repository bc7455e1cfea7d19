/* SPDX-License-Identifier: Apache-2.0
 *
 * One lockbox on its way to the places that it is delivered to, each of which may refuse or fail by itself.
 *
 *     spread_open → spread_bundles, spread_folders or spread_images → spread_close
 *
 * or, for who writes by himself, spread_find_… and then, unless it is only a plan, what is left of spread.at.
 *
 * What became of each is in the delivery's places.
 */
#ifndef AIRLOCK_LOCKBOX_SPREAD_H
#define AIRLOCK_LOCKBOX_SPREAD_H

#include "base/several.h"
#include "lockbox/deliver.h"
#include "lockbox/place.h"
#include "lockbox/roles.h"

struct spread {
    struct delivery *delivery; /* its places are these */
    const struct deliver_options *options;
    const struct verdict *verdict;
    const struct roles *roles;
    const char *from; /* the bundle that it comes from, for errors; NULL: the store */
    const char *name; /* of a bundle, where a place is a folder */
    const struct member *members;
    size_t count;
    uint64_t least, most;       /* bytes of the bundle */
    bool single;                /* it is one file */
    struct bundle_loans *loans; /* of a bundle; NULL: it stands for itself */
    bool found;                 /* from here on an error is one of the writing */
    struct several at;          /* the places that are left */
    struct place *places;       /* as many; dirfd -1 where none was found */
    struct medium *media;       /* and bundle_places: of spread_bundle_places() */
    struct bundle_place *bundle_places;
};

/* The rest of *ret is the caller's to fill in. */
void spread_open(struct spread *ret, struct delivery *d, const char *const *to, size_t to_count,
                 const struct deliver_options *o, const struct verdict *v, const struct roles *roles);
/* Finds each place and writes the members there: one reading of them for all, compressed once. With a dry run
 * nothing is written. -1 when it is nowhere. */
must_check int spread_bundles(struct spread *s, struct err *e);
must_check int spread_folders(struct spread *s, struct err *e);
must_check int spread_images(struct spread *s, struct err *e);

/* Finds each place: is there room, does a newer one stand there? Tells the options' listener before the first
 * byte. -1 when none is left. */
must_check int spread_find_bundles(struct spread *s, struct err *e);
must_check int spread_find_folders(struct spread *s, struct err *e);
/* The folder that `to` itself names. */
must_check int spread_find_named_folder(struct spread *s, struct err *e);
/* Nobody else writes bundles there now, and the stick says what it is. */
must_check int spread_begin_bundles(struct spread *s, struct err *e);
/* What bundle_write() and others take for the places; for as long as *s lives. */
const struct bundle_place *spread_bundle_places(struct spread *s);
/* Says in the delivery what became of each place. `failure`: what the rest of them failed with; NULL:
 * nothing. */
void spread_close(struct spread *s, const struct err *failure);

#endif
