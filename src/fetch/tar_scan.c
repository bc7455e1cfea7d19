/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/tar_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

#define BLOCK 512u
#define SIZE_LIMIT (1ull << 42) /* of an entry; far from where sums overflow */

/* Places in a header (POSIX.1-2017, pax, "ustar Interchange Format"). */
enum {
    NAME = 0,
    NAME_SIZE = 100,
    SIZE = 124,
    SIZE_SIZE = 12,
    CHECKSUM = 148,
    CHECKSUM_SIZE = 8,
    TYPE = 156,
    LINK = 157,
    LINK_SIZE = 100,
    MAGIC = 257,
    PREFIX = 345,
    PREFIX_SIZE = 155,
};

enum state { IN_HEADER, IN_DATA, IN_PADDING, AFTER_END };

struct tar_scan {
    struct tar_taker taker;
    enum state state;
    uint8_t block[BLOCK];
    size_t have;      /* of the block */
    char type;        /* of the present entry */
    uint64_t left;    /* of its data */
    uint64_t padding; /* behind them */
    struct buf extension;
    char *path, *target; /* from extensions, for the next entry */
    bool has_size;
    uint64_t size;
};

struct tar_scan *tar_scan_new(const struct tar_taker *taker)
{
    struct tar_scan *t = mem_zeroed(1, sizeof *t);
    t->taker = *taker;
    return t;
}

static void forget_extensions(struct tar_scan *t)
{
    free(t->path);
    free(t->target);
    t->path = t->target = NULL;
    t->has_size = false;
}

void tar_scan_delete(struct tar_scan *t)
{
    if (!t)
        return;
    forget_extensions(t);
    buf_free(&t->extension);
    free(t);
}

static int bad(struct err *e, const char *what)
{
    return err_set(e, ERR_BAD_IMAGE, "the tarball %s", what);
}

/* ---- numbers and texts of a header ---- */

/* Octal digits between blanks, or GNU's form for large sizes: the top bit, then a big-endian number. */
static bool read_number(const uint8_t *at, size_t len, uint64_t *ret)
{
    uint64_t n = 0;
    size_t i = 0;
    bool binary = at[0] == 0x80;
    for (i = binary ? 1 : 0; binary && i < len; i++) {
        if (n >> 56)
            return false;
        n = n << 8 | at[i];
    }
    while (!binary && i < len && at[i] == ' ')
        i++;
    for (; !binary && i < len && at[i] >= '0' && at[i] <= '7'; i++)
        n = n << 3 | (at[i] & 7u);
    if (!binary && i < len && at[i] != ' ' && at[i] != '\0')
        return false;
    *ret = n;
    return n <= SIZE_LIMIT;
}

/* The sum of all bytes, those of the sum itself taken for blanks. */
static bool sum_is_right(const uint8_t block[BLOCK])
{
    uint64_t wanted, sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += i >= CHECKSUM && i < CHECKSUM + CHECKSUM_SIZE ? ' ' : block[i];
    return read_number(block + CHECKSUM, CHECKSUM_SIZE, &wanted) && wanted == sum;
}

static char *field(const uint8_t *at, size_t size)
{
    return mem_strndup(at, strnlen((const char *)at, size));
}

static char *header_path(const struct tar_scan *t)
{
    AUTO_FREE char *name = field(t->block + NAME, NAME_SIZE);
    AUTO_FREE char *prefix = field(t->block + PREFIX, PREFIX_SIZE);
    bool posix = !memcmp(t->block + MAGIC, "ustar\0", 6); /* GNU's own headers have other things there */
    return posix && *prefix ? mem_format("%s/%s", prefix, name) : steal_ptr(name);
}

/* ---- extensions ---- */

static bool is_extension(char type)
{
    return type == 'x' || type == 'g' || type == 'L' || type == 'K';
}

static bool take_record(struct tar_scan *t, const char *key, size_t key_len, const char *value, size_t len)
{
#define IS(text) (key_len == strlen(text) && !memcmp(key, text, key_len))
    char **to = IS("path") ? &t->path : IS("linkpath") ? &t->target : NULL;
    if (memchr(value, '\0', len))
        return false;
    if (to) {
        free(*to);
        *to = mem_strndup(value, len);
    } else if (IS("size")) {
        t->size = 0;
        for (size_t i = 0; i < len; i++) {
            if (value[i] < '0' || value[i] > '9' || t->size > SIZE_LIMIT)
                return false;
            t->size = t->size * 10 + (uint64_t)(value[i] - '0');
        }
        t->has_size = true;
    }
    return t->size <= SIZE_LIMIT;
#undef IS
}

/* "<length> <key>=<value>\n", one after the other. */
static bool take_pax(struct tar_scan *t)
{
    const char *at = buf_text(&t->extension), *end = at + t->extension.len;
    while (at < end && *at) {
        char *blank;
        unsigned long len = strtoul(at, &blank, 10);
        const char *key = blank + 1;
        if (*at < '1' || *at > '9' || *blank != ' ' || len > (size_t)(end - at) || at + len <= key ||
            at[len - 1] != '\n')
            return false;
        const char *equals = memchr(key, '=', (size_t)(at + len - key));
        if (!equals ||
            !take_record(t, key, (size_t)(equals - key), equals + 1, (size_t)(at + len - 2 - equals)))
            return false;
        at += len;
    }
    return true;
}

static int end_extension(struct tar_scan *t, struct err *e)
{
    if (t->type == 'x' && !take_pax(t))
        return bad(e, "has a pax header that makes no sense");
    if (t->type == 'L' || t->type == 'K') {
        char **to = t->type == 'L' ? &t->path : &t->target;
        free(*to);
        *to = mem_strdup(buf_text(&t->extension));
    }
    return 0; /* 'g' is about all entries: times, owners, comments */
}

/* ---- entries ---- */

static enum tar_kind kind_of(char type)
{
    switch (type) {
    case '0':
    case '\0':
    case '7':
        return TAR_FILE;
    case '5':
        return TAR_FOLDER;
    case '2':
        return TAR_SYMLINK;
    default:
        return TAR_ODD;
    }
}

static int begin_entry(struct tar_scan *t, struct err *e)
{
    AUTO_FREE char *path = t->path ? steal_ptr(t->path) : header_path(t);
    AUTO_FREE char *target = t->target ? steal_ptr(t->target) : field(t->block + LINK, LINK_SIZE);
    struct tar_entry entry = {.kind = kind_of(t->type), .path = path, .target = target};
    if (t->has_size)
        t->left = t->size;
    if (entry.kind == TAR_FILE)
        entry.size = t->left;
    if (entry.kind == TAR_FOLDER || entry.kind == TAR_SYMLINK)
        t->left = 0; /* whatever their headers say, nothing follows them */
    forget_extensions(t);
    return t->taker.begin(t->taker.ctx, &entry, e);
}

static int end_data(struct tar_scan *t, struct err *e)
{
    t->state = t->padding ? IN_PADDING : IN_HEADER;
    return is_extension(t->type) ? end_extension(t, e) : t->taker.end(t->taker.ctx, e);
}

static bool is_zero(const uint8_t block[BLOCK])
{
    for (size_t i = 0; i < BLOCK; i++)
        if (block[i])
            return false;
    return true;
}

static int take_header(struct tar_scan *t, struct err *e)
{
    t->have = 0;
    if (is_zero(t->block)) {
        t->state = AFTER_END;
        return 0;
    }
    if (!sum_is_right(t->block) || !read_number(t->block + SIZE, SIZE_SIZE, &t->left))
        return bad(e, "has a damaged header");
    t->type = (char)t->block[TYPE];
    buf_clear(&t->extension);
    if (is_extension(t->type)) {
        if (t->left > TAR_SCAN_EXTENSION_MAX)
            return bad(e, "has a header larger than any");
    } else if (begin_entry(t, e)) {
        return -1;
    }
    t->padding = -t->left % BLOCK;
    t->state = IN_DATA;
    return t->left ? 0 : end_data(t, e);
}

static int take_data(struct tar_scan *t, const void *bytes, size_t n, struct err *e)
{
    if (is_extension(t->type))
        buf_add(&t->extension, bytes, n);
    else if (kind_of(t->type) == TAR_FILE && t->taker.write(t->taker.ctx, bytes, n, e))
        return -1;
    t->left -= n;
    return t->left ? 0 : end_data(t, e);
}

static size_t part(uint64_t wanted, size_t there)
{
    return wanted < there ? (size_t)wanted : there;
}

int tar_scan_write(struct tar_scan *t, const void *bytes, size_t len, struct err *e)
{
    for (const uint8_t *at = bytes, *end = at + len; at < end && t->state != AFTER_END;) {
        size_t there = (size_t)(end - at), n;
        switch (t->state) {
        case IN_HEADER:
            n = part(BLOCK - t->have, there);
            memcpy(t->block + t->have, at, n);
            t->have += n;
            if (t->have == BLOCK && take_header(t, e))
                return -1;
            break;
        case IN_DATA:
            n = part(t->left, there);
            if (take_data(t, at, n, e))
                return -1;
            break;
        default:
            n = part(t->padding, there);
            t->padding -= n;
            if (t->padding == 0)
                t->state = IN_HEADER;
            break;
        }
        at += n;
    }
    return 0;
}

int tar_scan_end(const struct tar_scan *t, struct err *e)
{
    bool between = t->state == IN_HEADER && t->have == 0;
    return between || t->state == AFTER_END ? 0 : bad(e, "ends within a file");
}
