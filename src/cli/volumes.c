/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/volumes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/out.h"
#include "cli/prompt.h"
#include "usb-tools/media.h"

static void forget_folders(struct volumes *v)
{
    for (size_t i = 0; i < v->count; i++)
        free(v->folders[i]);
    v->count = v->next = 0;
}

/* A stick has its bundles in airlock/, a folder that a person made perhaps not. */
static void add_folder(struct volumes *v, const char *folder)
{
    mem_grow(&v->folders, v->count, &v->room, sizeof *v->folders);
    v->folders[v->count++] = mem_format("%s/airlock", folder);
    mem_grow(&v->folders, v->count, &v->room, sizeof *v->folders);
    v->folders[v->count++] = mem_strdup(folder);
}

static void add_given(struct volumes *v)
{
    for (size_t i = 0; i < v->given->count; i++)
        add_folder(v, v->given->items[i]);
}

static void add_mounted_sticks(struct volumes *v)
{
    AUTO(media) struct media media = {0};
    struct err none;
    if (media_list(&media, &none))
        return;
    for (size_t i = 0; i < media.count; i++)
        if (media.items[i].mount_point && !media.items[i].system)
            add_folder(v, media.items[i].mount_point);
}

static int nowhere(const char *file, struct err *e)
{
    err_set(e, ERR_VOLUME_MISSING, "volume '%s' is neither beside the bundle nor in another folder given",
            file);
    return err_hint(e, "name the folder that it is in: --volumes-in DIR");
}

static int ask(struct volumes *v, const char *file, const struct err *why, struct err *e)
{
    AUTO(buf) struct buf question = {0};
    AUTO_FREE char *answer = NULL;
    if (!isatty(STDIN_FILENO))
        return nowhere(file, e);
    buf_add_text(&question, "\n");
    if (why) {
        out_escape(&question, why->message, strlen(why->message));
        buf_add_text(&question, "\n");
    }
    buf_add_text(&question, "Insert the stick with volume '");
    out_escape(&question, file, strlen(file));
    buf_add_text(&question, "' and press Enter, or name the folder that it is in: ");
    if (prompt_line(buf_text(&question), &answer, e))
        return nowhere(file, e);
    forget_folders(v);
    if (*answer) {
        add_folder(v, answer);
        return 0;
    }
    add_given(v);
    add_mounted_sticks(v);
    return 0;
}

static int open_in(const char *folder, const char *file, int *ret_fd)
{
    AUTO_FD int dirfd = -1;
    struct err none;
    return fs_open_dir(folder, &dirfd, &none) || fs_open_at(dirfd, file, O_RDONLY, 0, ret_fd, &none) ? -1 : 0;
}

static int open_next(void *ctx, const char *file, const struct err *why, int *ret_fd, struct err *e)
{
    struct volumes *v = ctx;
    if (!why) {
        forget_folders(v);
        add_given(v);
    }
    for (;;) {
        while (v->next < v->count)
            if (open_in(v->folders[v->next++], file, ret_fd) == 0)
                return 0;
        if (ask(v, file, why, e))
            return -1;
    }
}

struct bundle_elsewhere volumes_elsewhere(struct volumes *v)
{
    return (struct bundle_elsewhere){.open = open_next, .ctx = v};
}

void volumes_free(struct volumes *v)
{
    forget_folders(v);
    free(v->folders);
    *v = (struct volumes){0};
}
