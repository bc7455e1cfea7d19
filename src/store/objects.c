/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "store/store.h"

void store_object_path(const uint8_t sha256[HASH_SIZE], char ret[STORE_PATH_SIZE])
{
    char hex[HASH_HEX_SIZE];
    hash_hex(sha256, hex);
    snprintf(ret, STORE_PATH_SIZE, STORE_OBJECTS "%.2s/%s", hex, hex + 2);
}

bool store_has(const struct store *s, const uint8_t sha256[HASH_SIZE], uint64_t size)
{
    char path[STORE_PATH_SIZE];
    struct stat st;
    store_object_path(sha256, path);
    return fstatat(s->cache_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
           (uint64_t)st.st_size == size;
}

int store_put(const struct store *s, const void *bytes, size_t n, uint8_t ret_sha256[HASH_SIZE],
              struct err *e)
{
    char path[STORE_PATH_SIZE];
    hash_of(bytes, n, ret_sha256);
    if (store_has(s, ret_sha256, n))
        return 0;
    store_object_path(ret_sha256, path);
    return fs_replace_cached_at(s->cache_fd, path, bytes, n, 0600, e);
}

int store_get(const struct store *s, const uint8_t sha256[HASH_SIZE], size_t limit, struct buf *ret,
              struct err *e)
{
    char path[STORE_PATH_SIZE];
    uint8_t digest[HASH_SIZE];
    AUTO(buf) struct buf content = {0};
    store_object_path(sha256, path);
    if (fs_read_at(s->cache_fd, path, limit, &content, e))
        return -1;
    hash_of(content.data, content.len, digest);
    if (memcmp(digest, sha256, sizeof digest) != 0) {
        if (store_drop(s, sha256, e))
            return -1;
        err_set(e, ERR_WRONG_HASH, "the store's '%s' was damaged and is removed", path);
        return err_hint(e, "fetch the lockbox again");
    }
    buf_free(ret);
    *ret = content;
    content = (struct buf){0};
    return 0;
}

int store_drop(const struct store *s, const uint8_t sha256[HASH_SIZE], struct err *e)
{
    char path[STORE_PATH_SIZE];
    store_object_path(sha256, path);
    return fs_remove_at(s->cache_fd, path, e);
}
