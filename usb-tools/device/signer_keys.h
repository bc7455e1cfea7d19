/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose bundles this device takes: /etc/airlock/signers, one "<64 hex digits> <name>" a line, as 'airlock
 * key' keeps them on a laptop. It lies on the device's own disk and is read from nowhere else. Without the
 * file, or without a key in it, anybody's bundle is taken and Uptane alone decides; a file that cannot be
 * read stops everything.
 */
#ifndef AIRLOCK_DEVICE_SIGNER_KEYS_H
#define AIRLOCK_DEVICE_SIGNER_KEYS_H

#include "bundle-format/bundle.h"

#define SIGNER_KEYS_PATH "etc/airlock/signers" /* beneath the root */

struct signer_keys {
    uint8_t (*list)[SIGN_PUBLIC_SIZE];
    size_t count;
};

#define SIGNER_KEYS_MAX (160u << 10) /* bytes: as many keys as a laptop keeps, 1024, and comments */

/* The lines of such a file, called `name`. ERR_BAD_CONFIG names the line that is none. */
must_check int signer_keys_parse(const struct buf *text, const char *name, struct signer_keys *ret,
                                 struct err *e);
must_check int signer_keys_load(int root_fd, struct signer_keys *ret, struct err *e);
void signer_keys_free(struct signer_keys *k);
/* ERR_BUNDLE_SIGNER unless one of them signed the bundle, or there are none. */
must_check int signer_keys_check(const struct signer_keys *k, const struct bundle *b, struct err *e);

#endif
