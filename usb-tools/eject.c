/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/eject.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/fs.h"
#include "base/mem.h"

#define SERVICE "org.freedesktop.UDisks2"
#define BLOCKS "/org/freedesktop/UDisks2/block_devices"
#define TIMEOUT_US (UINT64_C(10) * 60 * 1000000) /* to unmount is to flush, and a stick may take minutes */

static int flush(const struct stick *m, struct err *e);
static int unmount(sd_bus *bus, const struct stick *m, struct err *e);
static int power_off(sd_bus *bus, const struct stick *m, bool *ret, struct err *e);
static int bus_error(const sd_bus_error *said, int code, const struct stick *m, const char *step,
                     struct err *e);

int eject_stick(const struct media *all, const struct stick *stick, bool *ret_powered_off, struct err *e)
{
    sd_bus *bus = NULL;
    int rc = 0;
    for (size_t i = 0; i < all->count && rc == 0; i++)
        if (!strcmp(all->items[i].disk, stick->disk))
            rc = flush(&all->items[i], e);
    if (rc)
        return -1;
    int opened = sd_bus_open_system(&bus);
    if (opened < 0)
        return bus_error(NULL, opened, stick, "reach the system bus", e);
    for (size_t i = 0; i < all->count && rc == 0; i++)
        if (!strcmp(all->items[i].disk, stick->disk))
            rc = unmount(bus, &all->items[i], e);
    if (rc == 0)
        rc = power_off(bus, stick, ret_powered_off, e);
    sd_bus_flush_close_unref(bus);
    return rc;
}

static int flush(const struct stick *m, struct err *e)
{
    if (!m->mount_point)
        return 0;
    AUTO_FD int fd = open(m->mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, ERR_MEDIUM_IO, "cannot flush '%s'", m->mount_point);
    return fs_sync_all(fd, e) ? err_context(e, "'%s'", m->mount_point) : 0;
}

/* The object of a block device: udisks escapes its name as sd_bus_path_encode() does. */
static char *object_of(const char *device)
{
    const char *slash = strrchr(device, '/');
    char *path = NULL;
    if (sd_bus_path_encode(BLOCKS, slash ? slash + 1 : device, &path) < 0)
        abort(); /* only without memory */
    return path;
}

/* A method of udisks that takes options and returns nothing that matters here. */
static int call(sd_bus *bus, const char *path, const char *interface, const char *method, sd_bus_error *said)
{
    sd_bus_message *message = NULL;
    int rc = sd_bus_message_new_method_call(bus, &message, SERVICE, path, interface, method);
    if (rc >= 0)
        rc = sd_bus_message_append(message, "a{sv}", 0);
    if (rc >= 0)
        rc = sd_bus_call(bus, message, TIMEOUT_US, said, NULL);
    sd_bus_message_unref(message);
    return rc;
}

/* And what was decrypted is closed. */
static int unmount(sd_bus *bus, const struct stick *m, struct err *e)
{
    sd_bus_error said = SD_BUS_ERROR_NULL;
    AUTO_FREE char *device = object_of(m->device);
    AUTO_FREE char *file_system = object_of(m->inside ? m->inside : m->device);
    int rc = m->mount_point ? call(bus, file_system, SERVICE ".Filesystem", "Unmount", &said) : 0;
    if (rc < 0)
        bus_error(&said, rc, m, "unmount it", e);
    else if (m->inside && (rc = call(bus, device, SERVICE ".Encrypted", "Lock", &said)) < 0)
        bus_error(&said, rc, m, "lock it", e);
    sd_bus_error_free(&said);
    return rc < 0 ? -1 : 0;
}

/* The object of the drive that the disk is in. */
static int ask_drive(sd_bus *bus, const char *disk, char **ret, sd_bus_error *said)
{
    sd_bus_message *answer = NULL;
    AUTO_FREE char *path = object_of(disk);
    const char *drive;
    int rc = sd_bus_get_property(bus, SERVICE, path, SERVICE ".Block", "Drive", said, &answer, "o");
    if (rc >= 0)
        rc = sd_bus_message_read(answer, "o", &drive);
    if (rc >= 0)
        *ret = mem_strdup(drive);
    sd_bus_message_unref(answer);
    return rc;
}

static int power_off(sd_bus *bus, const struct stick *m, bool *ret, struct err *e)
{
    sd_bus_error said = SD_BUS_ERROR_NULL;
    AUTO_FREE char *drive = NULL;
    int can = 0;
    int rc = ask_drive(bus, m->disk, &drive, &said);
    if (rc >= 0)
        rc = sd_bus_get_property_trivial(bus, SERVICE, drive, SERVICE ".Drive", "CanPowerOff", &said, 'b',
                                         &can);
    if (rc >= 0 && can)
        rc = call(bus, drive, SERVICE ".Drive", "PowerOff", &said);
    if (rc < 0)
        bus_error(&said, rc, m, "power it off", e);
    else
        *ret = can != 0;
    sd_bus_error_free(&said);
    return rc < 0 ? -1 : 0;
}

static bool is_absent(const sd_bus_error *said)
{
    return !said || sd_bus_error_has_names(said, SD_BUS_ERROR_SERVICE_UNKNOWN, SD_BUS_ERROR_NAME_HAS_NO_OWNER,
                                           "org.freedesktop.DBus.Error.Spawn.ServiceNotFound");
}

static int bus_error(const sd_bus_error *said, int code, const struct stick *m, const char *step,
                     struct err *e)
{
    const char *text = said && said->message ? said->message : strerror(-code);
    if (is_absent(said)) {
        err_set(e, ERR_NO_UDISKS, "'%s': cannot %s: %s", m->device, step, text);
        if (m->mount_point)
            err_hint(e, "what was written is flushed; install udisks2, or as root: umount %s",
                     m->inside ? m->inside : m->device);
        return -1;
    }
    if (sd_bus_error_has_name(said, SERVICE ".Error.DeviceBusy"))
        return err_set(e, ERR_STICK_BUSY, "'%s': cannot %s: %s", m->device, step, text);
    return err_set(e, ERR_EJECT_REFUSED, "'%s': cannot %s: %s", m->device, step, text);
}
