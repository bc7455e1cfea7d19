/* SPDX-License-Identifier: Apache-2.0
 *
 * A real OSTree repository, made by `ostree` from a small tree: folders, files small and large, links of many
 * lengths, extended attributes where the file system takes them.
 */
#ifndef AIRLOCK_TESTS_OSTREE_FIXTURE_H
#define AIRLOCK_TESTS_OSTREE_FIXTURE_H

#include "rehearsal.h"

#include "base/fs.h"
#include "base/hex.h"
#include "fetch/ostree_object.h"

/* Links whose lengths make a header's framing offset one byte wide, two, and narrower in one form than in the
 * other. */
#define OSTREE_FIXTURE_SCRIPT                                                                                \
    "set -e; mkdir -p %1$s/tree/usr/lib/deep/er; cd %1$s/tree; : >empty; echo hello >usr/lib/hello;"         \
    "seq 200000 >usr/lib/large; head -c 300000 /dev/urandom >usr/lib/deep/er/random;"                        \
    "for i in $(seq 215 260); do ln -s $(head -c $i /dev/zero | tr '\\0' x) link$i; done;"                   \
    "python3 -c 'import os; os.setxattr(\"usr/lib/hello\", \"user.note\", b\"n\" * 300)' 2>/dev/null || :;"  \
    "ostree --repo=../repo init --mode=archive >/dev/null;"                                                  \
    "ostree --repo=../repo commit -b main --owner-uid=0 --owner-gid=0 ."

/* Makes FOLDER/repo. Returns the commit's name in hexadecimal, to be freed. */
static inline char *ostree_fixture_make(const char *folder)
{
    AUTO_FREE char *command = mem_format(OSTREE_FIXTURE_SCRIPT, folder);
    char *hex = rehearsal_run(command);
    hex[strcspn(hex, "\n")] = '\0';
    return hex;
}

static inline struct ostree_name ostree_fixture_name(const char *hex)
{
    struct ostree_name name = {.kind = OSTREE_COMMIT};
    assert_true(hex_decode(hex, strlen(hex), name.checksum, HASH_SIZE));
    return name;
}

#endif
