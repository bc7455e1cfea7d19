/* SPDX-License-Identifier: Apache-2.0
 *
 * A tarball with an image: however it is cut into pieces, the same is found in it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/archive_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(const uint8_t *bytes, size_t len, size_t piece, struct archive_found *ret)
{
    struct archive_check *c = archive_check_new();
    for (size_t at = 0; at < len; at += piece)
        archive_check_write(c, bytes + at, len - at < piece ? len - at : piece);
    archive_check_end(c, ret);
}

static void must_be_same(const char *a, const char *b)
{
    if (!a != !b || (a && strcmp(a, b) != 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(archive_found) struct archive_found whole = {0}, pieces = {0};
    check(bytes, len, len ? len : 1, &whole);
    check(bytes, len, 37, &pieces);
    must_be_same(whole.wrong, pieces.wrong);
    must_be_same(whole.odd, pieces.odd);
    must_be_same(whole.tag, pieces.tag);
    if (!whole.wrong && (!whole.tag || memcmp(whole.config, pieces.config, HASH_SIZE) != 0))
        abort();
    return 0;
}
