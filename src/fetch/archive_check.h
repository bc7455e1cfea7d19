/* SPDX-License-Identifier: Apache-2.0
 *
 * A tarball with a container image as the device's client judges it before it gives it to Docker
 * (dockertarballloader.cc of toradex/aktualizr): manifest.json names one config, whose file is named by its
 * own SHA-256, and as many layers as the config has diff ids, each of that SHA-256, so uncompressed; no file
 * is there twice. The tarball goes by in pieces; only its JSON files are kept until the end.
 *
 *     struct archive_check *c = archive_check_new();
 *     archive_check_write(c, bytes, n) …
 *     archive_check_end(c, &found)          // frees c
 *
 * Whether it is the right image the caller compares: archive_found.
 */
#ifndef AIRLOCK_FETCH_ARCHIVE_CHECK_H
#define AIRLOCK_FETCH_ARCHIVE_CHECK_H

#include <stdbool.h>

#include "base/err.h"
#include "crypto/hash.h"

#define ARCHIVE_JSON_MAX (256u << 10) /* bytes of one JSON file: the device takes no more */
#define ARCHIVE_JSONS_MAX (4u << 20)  /* of all of them */
#define ARCHIVE_ENTRIES_MAX 4096u     /* Docker stops at 127 layers of at most four files */
#define ARCHIVE_TEXT_MAX 1024u        /* bytes of a path or a tag */

struct archive_found {
    char *wrong; /* why the device refuses it; NULL: it does not */
    char *odd;   /* what the device lets pass, and no image needs; NULL: nothing */
    uint8_t config[HASH_SIZE];
    char *tag; /* its one tag */
};

struct archive_check;

struct archive_check *archive_check_new(void);
void archive_check_write(struct archive_check *c, const void *bytes, size_t n);
void archive_check_end(struct archive_check *c, struct archive_found *ret);
void archive_found_free(struct archive_found *f);

#endif
