/* SPDX-License-Identifier: Apache-2.0
 *
 * The public key of --squashfs-key, by which `verify` and `check` hold the signature of an image.
 */
#ifndef AIRLOCK_CLI_IMAGE_KEY_H
#define AIRLOCK_CLI_IMAGE_KEY_H

#include "lockbox/survey.h"

#define SQUASHFS_KEY_HELP "public RSA key (PEM) that a squashfs image must be signed by"

struct image_key {
    struct file_verifier *verifier;
};

/* file: NULL for none. The key is the survey's for as long as *ret lives. */
must_check int image_key_load(struct image_key *ret, const char *file, struct survey_options *how,
                              struct err *e);
void image_key_free(struct image_key *k);

#endif
