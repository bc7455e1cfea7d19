/* SPDX-License-Identifier: Apache-2.0
 *
 * The log of a stock client. The first byte says what lies beside the database (0: nothing, 1: a journal, 2:
 * a WAL), the next three how long the database is, least first; the rest is the two files.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "usb-tools/update_logs.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static char folder[] = "/tmp/airlock-fuzz-XXXXXX";

static void remove_stick(void)
{
    rmdir(folder);
}

/* Made once for every input, and empty between two. */
static int open_stick(void)
{
    static int fd = -1;
    struct err e;
    if (fd < 0 && (!mkdtemp(folder) || fs_open_dir(folder, &fd, &e) || atexit(remove_stick)))
        abort();
    return fd;
}

static void put(int dirfd, const char *name, const uint8_t *bytes, size_t len)
{
    struct err e;
    if (fs_replace_cached_at(dirfd, name, bytes, len, 0600, &e))
        abort();
}

static int check_install(void *ctx, const struct update_install *i, struct err *e)
{
    (void)ctx, (void)e;
    if (!i->device || strlen(i->device) > UPDATE_TEXT_MAX || i->manifest_len > UPDATE_MANIFEST_MAX ||
        (i->manifest ? strlen(i->manifest) : 0) != i->manifest_len || (i->correlation && !i->lockbox))
        abort();
    return 0;
}

static int check_line(void *ctx, const struct update_line *line, struct err *e)
{
    (void)ctx, (void)e;
    if (strlen(line->service) > UPDATE_TEXT_MAX || strlen(line->message) > UPDATE_TEXT_MAX)
        abort();
    return 0;
}

static void check_bad(void *ctx, const struct err *e)
{
    (void)ctx;
    if (e->id != ERR_BAD_UPDATE_LOG && e->id != ERR_TOO_LARGE)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char *const beside[] = {NULL, UPDATE_LOGS_NAME "-journal", UPDATE_LOGS_NAME "-wal"};
    const struct update_logs_reader reader = {check_install, check_line, check_bad, NULL};
    int dirfd = open_stick();
    struct err e;
    if (len < 4)
        return 0;
    const char *name = beside[bytes[0] % COUNT_OF(beside)];
    size_t size = bytes[1] | (size_t)bytes[2] << 8 | (size_t)bytes[3] << 16, rest = len - 4;
    if (size > rest || !name)
        size = rest;
    put(dirfd, UPDATE_LOGS_NAME, bytes + 4, size);
    if (name)
        put(dirfd, name, bytes + 4 + size, rest - size);
    if (update_logs_read(dirfd, UPDATE_LOGS_NAME, &reader, &e) && e.id != ERR_BAD_UPDATE_LOG)
        abort();
    for (size_t i = 1; i < COUNT_OF(beside); i++)
        unlinkat(dirfd, beside[i], 0);
    unlinkat(dirfd, UPDATE_LOGS_NAME, 0);
    return 0;
}
