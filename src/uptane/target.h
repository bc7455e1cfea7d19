/* SPDX-License-Identifier: Apache-2.0
 *
 * One entry of "targets", in a lockbox as in the image repository: length, hashes, and what "custom" says
 * about the hardware and the kind of package. It refers to the document it was read from.
 */
#ifndef AIRLOCK_UPTANE_TARGET_H
#define AIRLOCK_UPTANE_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "crypto/hash.h"

enum target_format { FORMAT_UNSAID, FORMAT_OSTREE, FORMAT_FILE };

struct target {
    uint64_t length;
    bool has_sha256, has_sha512;
    uint8_t sha256[HASH_SIZE], sha512[HASH_512_SIZE];
    struct json_value custom;   /* only with has_custom */
    struct json_value hardware; /* array of texts, only with has_hardware */
    bool has_custom, has_hardware;
    bool names_ecus; /* custom.ecuIdentifiers, which offline updates do not use */
    enum target_format format;
};

/* ERR_BAD_ROLE when a field is missing or of the wrong type; the message does not name the target. */
must_check int target_parse(struct json_value v, struct target *ret, struct err *e);

/* A copy; NULL for a text that is empty or not there. */
char *target_custom_text(const struct target *target, const char *field);

/* What two entries of the same name disagree about: "length", "sha256", "sha512"; NULL when both mean the
 * same bytes (every hash that both give, and at least one). */
const char *target_difference(const struct target *a, const struct target *b);
/* Hardware ids that count; none: each counts. */
struct hardware {
    const char *const *ids;
    size_t count;
};

bool hardware_counts(const struct hardware *hardware, const char *id, size_t len);
/* Is one of the target's hardware ids among those that count? */
bool target_is_wanted(const struct target *target, const struct hardware *hardware);
/* Does `image` name every hardware id of `lockbox` that counts? */
bool target_covers(const struct target *image, const struct target *lockbox, const struct hardware *hardware);

#endif
