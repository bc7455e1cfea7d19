/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the store share: a store in a temporary folder, opened and removed for each test.
 */
#ifndef AIRLOCK_TESTS_STORE_FIXTURE_H
#define AIRLOCK_TESTS_STORE_FIXTURE_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"
#include "store/store.h"

struct store_fixture {
    char folder[40];
    int fd; /* of the folder: cache/, state/ and config/ are in it */
    struct store store;
};

static inline int store_set_up(void **state)
{
    struct err e;
    struct store_fixture *f = mem_zeroed(1, sizeof *f);
    strcpy(f->folder, "/tmp/airlock-store-XXXXXX");
    if (!mkdtemp(f->folder) || fs_open_dir(f->folder, &f->fd, &e))
        return -1;
    AUTO_FREE char *cache = mem_format("%s/cache", f->folder);
    AUTO_FREE char *state_folder = mem_format("%s/state", f->folder);
    AUTO_FREE char *config = mem_format("%s/config", f->folder);
    const struct store_paths paths = {.cache = cache, .state = state_folder, .config = config};
    *state = f;
    return store_open(&paths, &f->store, &e);
}

static inline int store_tear_down(void **state)
{
    struct store_fixture *f = *state;
    AUTO_FREE char *command = mem_format("rm -r %s", f->folder);
    store_close(&f->store);
    close(f->fd);
    free(f);
    return system(command);
}

static inline bool there_is(const struct store_fixture *f, const char *path)
{
    struct stat st;
    return fstatat(f->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline void put_file(const struct store_fixture *f, const char *path, const char *text)
{
    struct err e;
    assert_return_code(fs_replace_at(f->fd, path, text, strlen(text), 0600, &e), 0);
}

/* The file's content is exactly this text. */
static inline void assert_file(const struct store_fixture *f, const char *path, const char *text)
{
    AUTO(buf) struct buf content = {0};
    struct err e;
    assert_return_code(fs_read_at(f->fd, path, 1u << 20, &content, &e), 0);
    assert_string_equal(buf_text(&content), text);
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, store_set_up, store_tear_down)

#endif
