/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/mounts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"

#define MOUNTINFO_MAX                                                                                        \
    ((size_t)4 << 20) /* the kernel's limit of 100 000 mounts would not fit; nobody has them */

static void parse_line(char *line, struct mounts *m, size_t *room);
static void unescape(char *text);
static bool has_word(const char *list, const char *word);

int mounts_load(struct mounts *ret, struct err *e)
{
    AUTO(buf) struct buf text = {0};
    if (fs_read_file("/proc/self/mountinfo", MOUNTINFO_MAX, &text, e))
        return -1;
    mounts_parse(buf_text(&text), ret);
    return 0;
}

void mounts_parse(const char *text, struct mounts *ret)
{
    AUTO_FREE char *copy = mem_strdup(text);
    size_t room = 0;
    char *rest = copy;
    *ret = (struct mounts){0};
    for (char *line; (line = strsep(&rest, "\n"));)
        parse_line(line, ret, &room);
}

/* proc(5): id, parent, major:minor, root, mount point, options, … */
static void parse_line(char *line, struct mounts *m, size_t *room)
{
    char *fields[6];
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (!(fields[i] = strsep(&line, " ")))
            return;
    unescape(fields[4]);
    mem_grow(&m->items, m->count, room, sizeof *m->items);
    m->items[m->count++] = (struct mount){
        .device = mem_strdup(fields[2]),
        .point = mem_strdup(fields[4]),
        .read_only = has_word(fields[5], "ro"),
    };
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* Blanks and backslashes of a path stand there as \040 and the like. */
static void unescape(char *text)
{
    char *to = text;
    for (; *text; text++) {
        if (text[0] == '\\' && is_octal(text[1]) && is_octal(text[2]) && is_octal(text[3])) {
            *to++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
            text += 3;
        } else {
            *to++ = *text;
        }
    }
    *to = '\0';
}

static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (; list; list = strchr(list, ','), list = list ? list + 1 : NULL)
        if (!strncmp(list, word, len) && (list[len] == ',' || list[len] == '\0'))
            return true;
    return false;
}

const struct mount *mounts_find(const struct mounts *m, const char *device)
{
    for (size_t i = 0; i < m->count; i++)
        if (!strcmp(m->items[i].device, device))
            return &m->items[i];
    return NULL;
}

static bool is_one_of(const char *text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(text, list[i]))
            return true;
    return false;
}

bool mounts_hold_system(const struct mounts *m, const char *device)
{
    static const char *const folders[] = {"/",    "/boot",    "/boot/efi", "/boot/firmware", "/efi",
                                          "/etc", "/home",    "/opt",      "/sysroot",       "/usr",
                                          "/var", "/var/lib", "/var/log"};
    /* Where Debian, Ubuntu, Fedora and Arch have the stick that a live system started from. */
    static const char *const live[] = {"/run/live/medium",
                                       "/run/live/findiso",
                                       "/lib/live/mount/medium",
                                       "/run/initramfs/live",
                                       "/run/initramfs/isoscan",
                                       "/run/archiso/bootmnt",
                                       "/cdrom",
                                       "/isodevice"};
    for (size_t i = 0; i < m->count; i++)
        if (!strcmp(m->items[i].device, device) &&
            (is_one_of(m->items[i].point, folders, COUNT_OF(folders)) ||
             is_one_of(m->items[i].point, live, COUNT_OF(live))))
            return true;
    return false;
}

void mounts_free(struct mounts *m)
{
    for (size_t i = 0; i < m->count; i++) {
        free(m->items[i].device);
        free(m->items[i].point);
    }
    free(m->items);
    *m = (struct mounts){0};
}
