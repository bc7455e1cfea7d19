/* SPDX-License-Identifier: Apache-2.0
 *
 * What F0 unpacks to: LOCKBOX.json and the listing. The input is tried as the manifest, and as the whole
 * slice of the tar stream.
 */
#include <stdlib.h>
#include <string.h>

#include "bundle-format/first.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void make_index(struct index *x)
{
    static const char *const paths[] = {"metadata/director/1.root.json", "images/a.bin"};
    uint8_t digest[HASH_SIZE];
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        hash_of(paths[i], strlen(paths[i]), digest);
        index_add_member(x, paths[i], strlen(paths[i]), 0, digest);
    }
}

static void try_manifest(const uint8_t *bytes, size_t len, const struct index *x)
{
    static const uint8_t id[BUNDLE_ID_SIZE] = {0xab};
    AUTO(buf) struct buf slice = {0};
    const uint8_t *manifest;
    size_t manifest_len;
    struct err e;
    bool shared;
    if (manifest_check(bytes, len, &shared, &e) == 0) {
        free(manifest_loan(bytes, len, id));
        if (!memchr(bytes, '{', len))
            __builtin_trap();
    }
    first_add(&slice, bytes, len, x);
    if (first_manifest(slice.data, slice.len, &manifest, &manifest_len, &e) || manifest_len != len ||
        (len && memcmp(manifest, bytes, len)) ||
        first_check(slice.data, slice.len, manifest, manifest_len, x, &e))
        __builtin_trap();
}

/* The one slice that is taken for this manifest and index is the one that would be written. */
static void try_slice(const uint8_t *bytes, size_t len, const struct index *x)
{
    AUTO(buf) struct buf again = {0};
    const uint8_t *manifest;
    size_t manifest_len;
    struct err e;
    if (first_manifest(bytes, len, &manifest, &manifest_len, &e))
        return;
    if (manifest < bytes || manifest_len > (size_t)(bytes + len - manifest))
        __builtin_trap();
    first_add(&again, manifest, manifest_len, x);
    bool same = again.len == len && !memcmp(again.data, bytes, len);
    if ((first_check(bytes, len, manifest, manifest_len, x, &e) == 0) != same)
        __builtin_trap();
    try_manifest(manifest, manifest_len, x);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(index) struct index x = {0};
    make_index(&x);
    try_manifest(bytes, len, &x);
    try_slice(bytes, len, &x);
    return 0;
}
