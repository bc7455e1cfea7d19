/* SPDX-License-Identifier: Apache-2.0
 *
 * What a device runs once a lockbox is installed: which image on the ECUs of which hardware. Held against
 * what the cloud says a device runs, it tells whether a device is there that never sent a report home.
 *
 * The lockbox role is the cloud's word or the store's; here it is for showing, and its signatures are not
 * looked at.
 */
#ifndef AIRLOCK_REPORT_GOAL_H
#define AIRLOCK_REPORT_GOAL_H

#include "cloud/devices.h"
#include "store/store.h"

struct goal_image {
    char *hardware_id;
    bool has_sha256;
    uint8_t sha256[HASH_SIZE];
};

struct goal {
    int64_t version; /* of the lockbox */
    struct goal_image *list;
    size_t count, room;
};

must_check int goal_read(const struct buf *role, struct goal *ret, struct err *e);
/* Of the lockbox that this computer fetched. ERR_NOT_FETCHED. */
must_check int goal_load(const struct store *s, const char *profile, const char *lockbox, struct goal *ret,
                         struct err *e);
void goal_free(struct goal *g);

enum goal_state {
    GOAL_REACHED, /* every ECU of such hardware runs its image */
    GOAL_PARTLY,
    GOAL_OTHER,     /* none of them does */
    GOAL_NOT_MEANT, /* it has ECUs, and none of such hardware */
    GOAL_UNKNOWN,   /* the device has registered no ECU */
};
enum goal_state goal_compare(const struct goal *g, const struct cloud_components *c);
/* The hardware that it is for, each once; the texts are the goal's, the array the caller's. */
void goal_hardware(const struct goal *g, struct cloud_names *ret);

#endif
