/* SPDX-License-Identifier: Apache-2.0
 *
 * A power cut at the n-th thing that SQLite does to a file: for tests that fork, and end the child there.
 */
#ifndef AIRLOCK_TESTS_CRASH_VFS_H
#define AIRLOCK_TESTS_CRASH_VFS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <unistd.h>

/* SQLite's own file operations, of which the n-th writes half of what it should and ends the process. */
static unsigned operations_left;
static struct methods {
    sqlite3_io_methods crashing; /* first, so that a file's pMethods leads to both */
    const sqlite3_io_methods *real;
} methods[4]; /* one for each kind of file */
static int (*real_open)(sqlite3_vfs *, sqlite3_filename, sqlite3_file *, int, int *);
static int (*real_delete)(sqlite3_vfs *, const char *, int);

static inline bool is_last(void)
{
    return --operations_left == 0;
}

static inline const sqlite3_io_methods *real(const sqlite3_file *file)
{
    return ((const struct methods *)file->pMethods)->real;
}

static inline int crash_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
    if (is_last()) {
        real(file)->xWrite(file, bytes, n / 2, at);
        _exit(9);
    }
    return real(file)->xWrite(file, bytes, n, at);
}

static inline int crash_sync(sqlite3_file *file, int flags)
{
    if (is_last())
        _exit(9);
    return real(file)->xSync(file, flags);
}

static inline int crash_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    if (is_last())
        _exit(9);
    return real(file)->xTruncate(file, size);
}

static inline int crash_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    if (is_last())
        _exit(9);
    return real_delete(vfs, name, sync);
}

static inline int crash_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                             int *ret_flags)
{
    if (is_last())
        _exit(9);
    int code = real_open(vfs, name, file, flags, ret_flags);
    if (code != SQLITE_OK || !file->pMethods)
        return code;
    struct methods *m = methods;
    while (m->real && m->real != file->pMethods)
        m++;
    m->real = file->pMethods;
    m->crashing = *m->real;
    m->crashing.xWrite = crash_write;
    m->crashing.xSync = crash_sync;
    m->crashing.xTruncate = crash_truncate;
    file->pMethods = &m->crashing;
    return code;
}

static inline void crash_at(unsigned n)
{
    static sqlite3_vfs vfs;
    vfs = *sqlite3_vfs_find(NULL);
    vfs.zName = "crash";
    real_open = vfs.xOpen;
    real_delete = vfs.xDelete;
    vfs.xOpen = crash_open;
    vfs.xDelete = crash_delete;
    operations_left = n;
    sqlite3_vfs_register(&vfs, 1);
}

#endif
