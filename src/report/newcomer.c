/* SPDX-License-Identifier: Apache-2.0 */
#include "report/newcomer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/name.h"
#include "cloud/device_credentials.h"
#include "cloud/devices.h"
#include "report/reading.h"

#define ROOM (64 << 10) /* bytes of a ZIP: real ones have some 5 000 */

static struct newcomer *find(const struct newcomers *all, const char *serial)
{
    for (size_t i = 0; i < all->count; i++)
        if (!strcmp(all->list[i].serial, serial))
            return &all->list[i];
    return NULL;
}

static int add(struct ledger *l, const char *profile, const struct reading *r, struct newcomers *all,
               struct err *e)
{
    AUTO_FREE char *uuid = NULL;
    AUTO_FREE char *name = NULL;
    struct newcomer *known = find(all, r->serial);
    if (known) {
        known->reports++;
        return 0;
    }
    if (ledger_find_device(l, profile, r->serial, &uuid, &name, e))
        return -1;
    if (uuid)
        return 0;
    mem_grow(&all->list, all->count, &all->room, sizeof *all->list);
    all->list[all->count++] = (struct newcomer){.serial = mem_strdup(r->serial),
                                                .name = r->name ? mem_strdup(r->name) : NULL,
                                                .reports = 1,
                                                .file = mem_format("%s.zip", r->serial)};
    return 0;
}

int newcomers_find(struct ledger *l, const char *profile, struct newcomers *ret, struct err *e)
{
    AUTO(readings) struct readings readings = {0};
    AUTO(newcomers) struct newcomers all = {0};
    if (readings_load(l, &readings, e))
        return -1;
    for (size_t i = 0; i < readings.count; i++) {
        const struct reading *r = &readings.list[i];
        if (r->kind == ENTRY_MANIFEST && r->trust == READING_VERIFIED && add(l, profile, r, &all, e))
            return -1;
    }
    *ret = all;
    all = (struct newcomers){0};
    return 0;
}

void newcomers_free(struct newcomers *all)
{
    for (size_t i = 0; i < all->count; i++) {
        free(all->list[i].serial);
        free(all->list[i].name);
        free(all->list[i].file);
        free(all->list[i].uuid);
    }
    free(all->list);
    *all = (struct newcomers){0};
}

/* ---- making it ---- */

/* A serial that is no key id is what somebody chose. */
static int check_file(const struct newcomer *n, struct err *e)
{
    if (strchr(n->file, '/'))
        return err_set(e, ERR_UNSAFE_NAME, "no file can be named by this serial");
    return name_check_text(n->file, e);
}

/* Before anything is asked of the cloud: a file with room in a folder that can be written to. */
static int open_file(const struct newcomer *n, int dirfd, struct fs_temp *ret, struct err *e)
{
    struct stat st;
    if (check_file(n, e))
        return -1;
    if (fstatat(dirfd, n->file, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return err_set(e, ERR_ALREADY_EXISTS, "'%s' is there already", n->file);
    if (fs_temp_open(ret, dirfd, n->file, 0600, e))
        return -1;
    errno = posix_fallocate(ret->fd, 0, ROOM);
    return errno ? err_errno(e, ERR_SYSTEM, "no room for '%s'", n->file) : 0;
}

static int keep(struct fs_temp *file, const struct buf *zip, struct err *e)
{
    if (fs_write_all(file->fd, zip->data, zip->len, e))
        return -1;
    if (ftruncate(file->fd, (off_t)zip->len))
        return err_errno(e, ERR_SYSTEM, "cannot cut '%s'", file->name);
    return fs_temp_commit(file, e);
}

static int create(struct cloud *c, const struct newcomer *n, struct buf *ret_zip, struct err *e)
{
    if (cloud_create_device(c, n->serial, n->name, ret_zip, e) == 0)
        return 0;
    if (e->http_status == 409) {
        e->id = ERR_ALREADY_EXISTS;
        return err_hint(e,
                        "if its credentials were lost, delete the device in the cloud, then run this again");
    }
    return err_hint(e, "look whether the cloud has it now, with the serial of the ECU as its id");
}

/* The cloud has a device now that nobody can use. */
static int hint_unusable(struct err *e)
{
    return err_hint(
        e, "the device is made, but its credentials are not usable: delete it in the cloud (its id is "
           "the serial of the ECU), then run this again");
}

/* From here on reports of that serial are that device's. */
static int remember(struct cloud *c, struct ledger *l, const struct newcomer_options *o, const char *uuid,
                    int dirfd, struct newcomer *n, struct err *e)
{
    AUTO(cloud_device) struct cloud_device made = {0};
    if (cloud_get_device(c, uuid, &made, e))
        return -1;
    if (!made.id || strcmp(made.id, n->serial) != 0) {
        unlinkat(dirfd, n->file, 0);
        err_set(e, ERR_BAD_ANSWER, "the cloud gave the credentials of another device, %s", made.uuid);
        return hint_unusable(e);
    }
    if (ledger_remember_device(l, o->profile, n->serial, made.uuid, made.name, o->now, e))
        return -1;
    n->uuid = mem_strdup(made.uuid);
    return 0;
}

/* What is no such ZIP gets no name; what is one is kept before anything else can fail. */
static int take(struct cloud *c, struct ledger *l, const struct newcomer_options *o, const struct buf *zip,
                int dirfd, struct fs_temp *file, struct newcomer *n, struct err *e)
{
    AUTO(device_credentials) struct device_credentials credentials = {0};
    if (device_credentials_read(zip->data, zip->len, &credentials, e))
        return hint_unusable(e);
    return keep(file, zip, e) || remember(c, l, o, credentials.uuid, dirfd, n, e) ? -1 : 0;
}

int newcomer_make(struct cloud *c, struct ledger *l, const struct newcomer_options *o, struct newcomer *n,
                  struct err *e)
{
    AUTO_FD int dirfd = -1;
    AUTO(fs_temp) struct fs_temp file = {.fd = -1};
    struct buf zip = {0};
    if (fs_open_dir(o->folder, &dirfd, e) || open_file(n, dirfd, &file, e))
        return err_context(e, "ECU '%s'", n->serial);
    int rc = create(c, n, &zip, e);
    if (rc == 0)
        rc = take(c, l, o, &zip, dirfd, &file, n, e);
    buf_wipe(&zip);
    return rc ? err_context(e, "ECU '%s'", n->serial) : 0;
}
