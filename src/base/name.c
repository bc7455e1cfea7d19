/* SPDX-License-Identifier: Apache-2.0 */
#include "base/name.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/out.h"
#include "base/utf8.h"

static bool is_reserved(const char *part, size_t len)
{
    static const char *const devices[] = {"CON", "PRN", "AUX", "NUL"};
    size_t stem = 0;
    while (stem < len && part[stem] != '.')
        stem++;
    for (size_t i = 0; i < COUNT_OF(devices); i++)
        if (stem == strlen(devices[i]) && !strncasecmp(part, devices[i], stem))
            return true;
    bool port = stem == 4 && (!strncasecmp(part, "COM", 3) || !strncasecmp(part, "LPT", 3));
    return port && part[3] >= '0' && part[3] <= '9';
}

/* What is wrong with one part, or NULL. */
static const char *part_fault(const char *part, size_t len)
{
    if (len == 0)
        return "has an empty part";
    if (len > NAME_PART_MAX)
        return "has a part of more than 255 bytes";
    if ((len == 1 && part[0] == '.') || (len == 2 && part[0] == '.' && part[1] == '.'))
        return "climbs with '.' or '..'";
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)part[i];
        if (c < 0x20 || c == 0x7f)
            return "has a control character";
        if (strchr("\\:*?\"<>|", c))
            return "has a character that FAT cannot hold (one of \\ : * ? \" < > |)";
    }
    if (part[len - 1] == '.' || part[len - 1] == ' ')
        return "has a part that ends in a dot or a blank";
    if (is_reserved(part, len))
        return "is a reserved device name on FAT";
    return NULL;
}

static const char *path_fault(const char *path, size_t len)
{
    if (len == 0)
        return "is empty";
    if (len > NAME_PATH_MAX)
        return "is longer than 1024 bytes";
    if (path[0] == '/')
        return "is absolute";
    if (!utf8_valid(path, len))
        return "is not UTF-8";
    for (const char *part = path, *end = path + len; part <= end;) {
        const char *slash = memchr(part, '/', (size_t)(end - part));
        const char *stop = slash ? slash : end;
        const char *fault = part_fault(part, (size_t)(stop - part));
        if (fault)
            return fault;
        part = stop + 1;
    }
    return NULL;
}

int name_check(const char *path, size_t len, struct err *e)
{
    const char *fault = path_fault(path, len);
    if (!fault)
        return 0;
    AUTO(buf) struct buf shown = {0};
    out_escape(&shown, path, len < 200 ? len : 200);
    return err_set(e, ERR_UNSAFE_NAME, "the name '%s' %s", buf_text(&shown), fault);
}

int name_check_text(const char *path, struct err *e)
{
    return name_check(path, strlen(path), e);
}

/* '/' before every other byte, so that a folder stands directly before what is inside it. */
static int compare_paths(const void *a, const void *b)
{
    const unsigned char *left = *(const unsigned char *const *)a, *right = *(const unsigned char *const *)b;
    while (*left && *left == *right)
        left++, right++;
    int l = *left == '/' ? 1 : *left, r = *right == '/' ? 1 : *right;
    return l - r;
}

static char *folded_copy(const char *path)
{
    char *copy = mem_strdup(path);
    for (char *c = copy; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return copy;
}

int name_check_twins(const char *const *paths, size_t n, struct err *e)
{
    char **folded = mem_zeroed(n, sizeof *folded);
    for (size_t i = 0; i < n; i++)
        folded[i] = folded_copy(paths[i]);
    qsort(folded, n, sizeof *folded, compare_paths);

    int rc = 0;
    for (size_t i = 1; i < n && rc == 0; i++) {
        size_t len = strlen(folded[i - 1]);
        if (!strncmp(folded[i - 1], folded[i], len) && (folded[i][len] == '\0' || folded[i][len] == '/'))
            rc = err_set(e, ERR_UNSAFE_NAME, "the names '%s' and '%s' cannot stand beside each other",
                         folded[i - 1], folded[i]);
    }
    for (size_t i = 0; i < n; i++)
        free(folded[i]);
    free(folded);
    return rc;
}
