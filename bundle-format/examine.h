/* SPDX-License-Identifier: Apache-2.0
 *
 * What is left of a bundle, part by part. bundle_check() ends at the first fault; this goes through all
 * frames and says of each, and of each member, what became of it. A good bundle is read once, at full speed;
 * the map of a faulty one costs a second reading.
 */
#ifndef AIRLOCK_BUNDLE_EXAMINE_H
#define AIRLOCK_BUNDLE_EXAMINE_H

#include "bundle-format/bundle.h"

/* From best to worst. Missing: the bytes are not there. Foreign: another bundle's file is in their place. */
enum part_state { PART_OK, PART_FOREIGN, PART_MISSING, PART_DAMAGED };
const char *part_state_word(enum part_state state);

struct part_frame {
    uint64_t offset; /* within its volume */
    uint32_t stored;
    unsigned volume; /* 0: the metadata in the head's file */
    enum part_state state;
};

struct part_member {
    char *path;
    uint64_t size;
    enum part_state state; /* the worst of the frames that hold it */
};

struct examination {
    enum part_state state;
    struct err reason;         /* where the state is not PART_OK */
    struct part_frame *frames; /* none where the head itself is not good: it alone says what there is */
    struct part_member *members;
    size_t frame_count, member_count;
};

/* Whatever is wrong stands in *ret. */
void bundle_examine(int dirfd, const char *name, struct progress *progress, struct examination *ret);
void examination_free(struct examination *x);

#endif
