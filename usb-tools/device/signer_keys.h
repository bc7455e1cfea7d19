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

/* ERR_BAD_CONFIG names the line that is none. */
must_check int signer_keys_load(int root_fd, struct signer_keys *ret, struct err *e);
void signer_keys_free(struct signer_keys *k);
/* ERR_BUNDLE_SIGNER unless one of them signed the bundle, or there are none. */
must_check int signer_keys_check(const struct signer_keys *k, const struct bundle *b, struct err *e);

#endif
