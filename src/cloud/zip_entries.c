/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud/zip_entries.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "base/out.h"

static int read_all(struct archive *a, const struct zip_entry *wanted, size_t count, struct err *e);
static struct buf *place_of(const struct zip_entry *wanted, size_t count, const char *name);
static int read_entry(struct archive *a, const char *name, struct buf *ret, struct err *e);
static int archive_error(struct archive *a, struct err *e);

int zip_entries_read(const void *zip, size_t len, const struct zip_entry *wanted, size_t count, struct err *e)
{
    struct archive *a = archive_read_new();
    if (!a)
        return err_set(e, ERR_INTERNAL, "libarchive: out of memory");
    int failed;
    if (archive_read_support_format_zip(a) != ARCHIVE_OK ||
        archive_read_open_memory(a, zip, len) != ARCHIVE_OK)
        failed = archive_error(a, e);
    else
        failed = read_all(a, wanted, count, e);
    archive_read_free(a);
    return failed;
}

static int read_all(struct archive *a, const struct zip_entry *wanted, size_t count, struct err *e)
{
    struct archive_entry *entry;
    for (unsigned seen = 0;; seen++) {
        int status = archive_read_next_header(a, &entry);
        if (status == ARCHIVE_EOF)
            return 0;
        if (status != ARCHIVE_OK)
            return archive_error(a, e);
        if (seen >= ZIP_ENTRIES_MAX)
            return err_set(e, ERR_BAD_CREDENTIALS, "the archive has more than %u entries", ZIP_ENTRIES_MAX);
        const char *name = archive_entry_pathname(entry);
        struct buf *place = name ? place_of(wanted, count, name) : NULL;
        if (place && place->data)
            return err_set(e, ERR_BAD_CREDENTIALS, "the archive has '%s' twice", name);
        if (place && read_entry(a, name, place, e))
            return -1;
    }
}

static struct buf *place_of(const struct zip_entry *wanted, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(wanted[i].name, name) == 0)
            return wanted[i].ret;
    return NULL;
}

/* Room for all of it at once: a buffer that grows leaves copies of a secret behind. */
static int read_entry(struct archive *a, const char *name, struct buf *ret, struct err *e)
{
    buf_reserve(ret, ZIP_ENTRY_MAX + 1);
    buf_add(ret, "", 0); /* an empty entry is there, too */
    for (;;) {
        la_ssize_t n = archive_read_data(a, ret->data + ret->len, ZIP_ENTRY_MAX + 1 - ret->len);
        if (n < 0)
            return archive_error(a, e);
        ret->len += (size_t)n;
        ret->data[ret->len] = '\0';
        if (n == 0)
            return 0;
        if (ret->len > ZIP_ENTRY_MAX)
            return err_set(e, ERR_BAD_CREDENTIALS, "'%s' in it is larger than %u bytes", name, ZIP_ENTRY_MAX);
    }
}

static int archive_error(struct archive *a, struct err *e)
{
    const char *reason = archive_error_string(a);
    AUTO(buf) struct buf shown = {0};
    if (reason)
        out_escape(&shown, reason, strlen(reason));
    return err_set(e, ERR_BAD_CREDENTIALS, "not a readable ZIP archive: %s", buf_text(&shown));
}
