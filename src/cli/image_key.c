/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/image_key.h"

#include "base/fs.h"

#define KEY_FILE_BYTES (64u << 10) /* RSA keys of 16 384 bits have 3 KiB */

int image_key_load(struct image_key *ret, const char *file, struct survey_options *how, struct err *e)
{
    AUTO(buf) struct buf pem = {0};
    if (!file)
        return 0;
    if (fs_read_file(file, KEY_FILE_BYTES, &pem, e) ||
        file_verifier_parse(pem.data, pem.len, &ret->verifier, e))
        return err_context(e, "--squashfs-key '%s'", file);
    how->image_key = ret->verifier;
    return 0;
}

void image_key_free(struct image_key *k)
{
    file_verifier_delete(k->verifier);
    k->verifier = NULL;
}
