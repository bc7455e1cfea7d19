/* SPDX-License-Identifier: Apache-2.0 */
#include "base/name.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/out.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Windows looks at what stands before the first dot, without the blanks at its end. */
static bool is_reserved(const char *part, size_t len)
{
    static const char *const devices[] = {"CON", "PRN", "AUX", "NUL"};
    size_t stem = 0;
    while (stem < len && part[stem] != '.')
        stem++;
    while (stem > 0 && part[stem - 1] == ' ')
        stem--;
    for (size_t i = 0; i < COUNT_OF(devices); i++)
        if (stem == strlen(devices[i]) && !strncasecmp(part, devices[i], stem))
            return true;
    bool port = stem == 4 && (!strncasecmp(part, "COM", 3) || !strncasecmp(part, "LPT", 3));
    return port && is_digit(part[3]);
}

/* "FIRMWA~1.BIN": FAT makes such a second name for every long one, and opens the long one under it. */
static bool is_short_alias(const char *part, size_t len)
{
    const char *dot = memchr(part, '.', len);
    size_t stem = dot ? (size_t)(dot - part) : len, digits = 0;
    size_t extension = dot ? len - stem - 1 : 0;
    if (stem > 8 || extension > 3)
        return false;
    while (digits < stem && is_digit(part[stem - 1 - digits]))
        digits++;
    return digits > 0 && digits < stem && part[stem - 1 - digits] == '~';
}

/* Letters, digits, blank and ._+-=@,()~ are left. */
static const char *character_fault(unsigned char c)
{
    if (c < 0x20 || c == 0x7f)
        return "has a control character";
    if (c >= 0x80)
        return "has a character outside ASCII";
    if (strchr("\\:*?\"<>|", c))
        return "has a character that FAT cannot hold (one of \\ : * ? \" < > |)";
    if (strchr("!#$%&';[]^`{}", c))
        return "has a character that a shell obeys (one of ! # $ % & ' ; [ ] ^ ` { })";
    return NULL;
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
        const char *fault = character_fault((unsigned char)part[i]);
        if (fault)
            return fault;
    }
    if (part[0] == '-' || part[0] == '~' || part[0] == ' ')
        return "has a part that begins with '-', '~' or a blank";
    if (part[len - 1] == '.' || part[len - 1] == ' ')
        return "has a part that ends in a dot or a blank";
    if (is_reserved(part, len))
        return "is a reserved device name on FAT";
    if (is_short_alias(part, len))
        return "looks like the short alias that FAT gives to another name";
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

/* "ostree" and "<hash of a compose file>.images" beneath images/ are the device's repository and the folder
 * of a compose file's containers. */
static bool is_taken_folder(const char *part, size_t len)
{
    static const char ostree[] = "ostree", images[] = ".images";
    const size_t hash = 64;
    if (len == strlen(ostree) && !strncasecmp(part, ostree, len))
        return true;
    if (len != hash + strlen(images) || strncasecmp(part + hash, images, strlen(images)) != 0)
        return false;
    for (size_t i = 0; i < hash; i++)
        if (!isxdigit((unsigned char)part[i]))
            return false;
    return true;
}

static const char *target_fault(const char *name)
{
    size_t len = strlen(name);
    const char *fault = path_fault(name, len);
    if (fault)
        return fault;
    if (len > NAME_PATH_MAX - strlen("images/"))
        return "is longer than 1017 bytes";
    if (is_taken_folder(name, strcspn(name, "/")))
        return "is a place that the device keeps for OSTree or for containers";
    return NULL;
}

static const char *role_fault(const char *name)
{
    size_t len = strlen(name);
    const char *fault = path_fault(name, len);
    if (fault)
        return fault;
    if (strchr(name, '/'))
        return "holds '/'";
    if (len > NAME_PART_MAX - strlen(".json"))
        return "is longer than 250 bytes";
    size_t digits = strspn(name, "0123456789");
    if (digits && !strcasecmp(name + digits, ".root"))
        return "is that of a root";
    return NULL;
}

static int refuse(const char *name, size_t len, const char *fault, struct err *e)
{
    if (!fault)
        return 0;
    AUTO(buf) struct buf shown = {0};
    out_escape(&shown, name, len < 200 ? len : 200);
    err_set(e, ERR_UNSAFE_NAME, "the name '%s' %s", buf_text(&shown), fault);
    return err_hint(e, "choose another name in the cloud, of letters, digits, blanks and ._+-=@,()~");
}

int name_check(const char *path, size_t len, struct err *e)
{
    return refuse(path, len, path_fault(path, len), e);
}

int name_check_text(const char *path, struct err *e)
{
    return name_check(path, strlen(path), e);
}

int name_check_target(const char *name, struct err *e)
{
    return refuse(name, strlen(name), target_fault(name), e);
}

int name_check_role(const char *name, struct err *e)
{
    return refuse(name, strlen(name), role_fault(name), e);
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
        if (strncmp(folded[i - 1], folded[i], len) != 0 || (folded[i][len] != '\0' && folded[i][len] != '/'))
            continue;
        err_set(e, ERR_UNSAFE_NAME, "the names '%s' and '%s' cannot stand beside each other", folded[i - 1],
                folded[i]);
        rc = err_hint(e, "give one of the two another name in the cloud");
    }
    for (size_t i = 0; i < n; i++)
        free(folded[i]);
    free(folded);
    return rc;
}
