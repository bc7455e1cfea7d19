/* SPDX-License-Identifier: Apache-2.0
 *
 * A content_source that reads another one in a thread of its own, a little ahead: unpacking a layer is slower
 * than hashing and writing it, and neither should wait for the other. Memory: READ_AHEAD_PIECES pieces.
 */
#ifndef AIRLOCK_FETCH_READ_AHEAD_H
#define AIRLOCK_FETCH_READ_AHEAD_H

#include "bundle-format/member.h"

#define READ_AHEAD_PIECE (256u << 10)
#define READ_AHEAD_PIECES 4u

struct read_ahead {
    const struct content_source *source;
    void *ctx; /* for source->open */
};

extern const struct content_source content_read_ahead; /* ctx: struct read_ahead */

#endif
