/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/install.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/hex.h"
#include "base/mem.h"
#include "usb-tools/device/client_config.h"
#include "usb-tools/device/fittings.h"
#include "usb-tools/device/laid.h"
#include "usb-tools/device/outbox.h"
#include "usb-tools/device/own_disk.h"
#include "usb-tools/device/program.h"
#include "usb-tools/device/say.h"
#include "usb-tools/device/signer_keys.h"
#include "usb-tools/device/stage.h"
#include "usb-tools/device/tool.h"

#define CLIENT_SERVICE "aktualizr-torizon"
#define WAIT_S 900 /* an update of the OS takes some minutes until it restarts the device */

/* ---- before anything is laid down ---- */

/* A person names the file, and has it on the device: no stick brings the keys that judge it. */
static int read_signers(int root_fd, const char *path, struct buf *ret, struct err *e)
{
    AUTO(signer_keys) struct signer_keys keys = {0};
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* what it is shows before it is read */
    struct stat st;
    if (fd < 0 || fstat(fd, &st))
        return err_errno(e, ERR_NO_SUCH_PATH, "cannot open '%s'", path);
    if (!S_ISREG(st.st_mode) || st.st_size > SIGNER_KEYS_MAX)
        return err_set(e, ERR_BAD_CONFIG, "'%s' is no file of keys", path);
    size_t len = (size_t)st.st_size;
    AUTO_FREE char *bytes = mem_zeroed(len + 1, 1);
    if (own_disk_check(root_fd, fd, path, e) || fs_read_all(fd, bytes, len, 0, e))
        return -1;
    buf_add(ret, bytes, len);
    if (signer_keys_parse(ret, path, &keys, e))
        return -1;
    return keys.count ? 0 : err_set(e, ERR_BAD_CONFIG, "'%s' names no key", path);
}

/* It becomes a part of the unit's command line. */
static int check_led(const char *led, struct err *e)
{
    if (!led)
        return 0;
    if (!*led ||
        strspn(led, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:") != strlen(led) ||
        led[0] == '.')
        return err_set(e, ERR_USAGE, "'%s' is no name of an LED below /sys/class/leds", led);
    return 0;
}

static int check_all_free(int root_fd, bool with_signers, struct err *e)
{
    static const char *const paths[] = {FITTING_CLIENT, FITTING_UNIT, FITTING_RULE};
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        if (laid_check_free(root_fd, paths[i], e))
            return -1;
    return with_signers ? laid_check_free(root_fd, SIGNER_KEYS_PATH, e) : 0;
}

/* ---- laying down ---- */

static void say_changed(const char *what, const char *path, bool changed)
{
    say_line("%-11s %s%s", what, path, changed ? "" : " (as it was)");
}

static int put(int root_fd, const char *what, const char *path, const char *text, struct err *e)
{
    bool changed;
    if (laid_put(root_fd, path, text, &changed, e))
        return -1;
    AUTO_FREE char *absolute = mem_format("/%s", path);
    say_changed(what, absolute, changed);
    return 0;
}

/* The rule last: it is what sets the rest in motion. */
static int lay_down(int root_fd, const struct arguments *a, const struct buf *signers, struct err *e)
{
    const char *program;
    bool changed;
    if (program_place(root_fd, &program, &changed, e))
        return -1;
    say_changed("program", program, changed);
    AUTO_FREE char *unit = fitting_unit(program, a->wait_s < 0 ? WAIT_S : a->wait_s, a->led);
    if ((a->signers && put(root_fd, "signers", SIGNER_KEYS_PATH, buf_text(signers), e)) ||
        put(root_fd, "client", FITTING_CLIENT, fitting_client(), e) ||
        put(root_fd, "unit", FITTING_UNIT, unit, e) || put(root_fd, "rule", FITTING_RULE, fitting_rule(), e))
        return -1;
    return 0;
}

static int make_key(const struct stage *stage, struct err *e)
{
    AUTO(sign_key) struct sign_key key = {0};
    char hex[2 * SIGN_PUBLIC_SIZE + 1], fingerprint[SIGN_FINGERPRINT_TEXT];
    bool made;
    if (sign_key_load_or_make(stage->fd, OUTBOX_KEY, &key, &made, e))
        return -1;
    hex_encode(key.public_key, SIGN_PUBLIC_SIZE, hex);
    sign_fingerprint(key.public_key, fingerprint);
    say_line("%-11s %s%s", "key", hex, made ? "" : " (as it was)");
    say_line("%-11s %s", "fingerprint", fingerprint);
    say_line("%-11s at home: airlock reports key add NAME %s --helper", "next", hex);
    return 0;
}

/* ---- afterwards ---- */

static int reload(const char *root, struct err *e)
{
    const char *const units[] = {"usr/bin/systemctl", "daemon-reload", NULL};
    const char *const rules[] = {"usr/bin/udevadm", "control", "--reload", NULL};
    if (tool_systemd_runs(root))
        return tool_run(root, units, NULL, e) || tool_run(root, rules, NULL, e) ? -1 : 0;
    say_line("%-11s where systemd runs: systemctl daemon-reload; udevadm control --reload", "next");
    return 0;
}

/* The last word of all of the client's files is not always ours. */
static void say_client(int root_fd)
{
    AUTO(client_config) struct client_config c = {0};
    struct err why;
    if (client_config_load(root_fd, &c, &why))
        say_error(&why);
    else if (!c.offline_updates || !c.source || strcmp(c.source, STAGE_SOURCE) != 0)
        say_line("%-11s a later file in /etc/sota/conf.d takes back what /" FITTING_CLIENT
                 " says: remove it from there",
                 "next");
    say_line("%-11s the client reads that when it starts: systemctl restart " CLIENT_SERVICE, "next");
}

static int say_signers(int root_fd, struct err *e)
{
    AUTO(signer_keys) struct signer_keys keys = {0};
    if (signer_keys_load(root_fd, &keys, e))
        return -1;
    if (keys.count)
        say_line("%-11s bundles are taken that one of %zu keys in /" SIGNER_KEYS_PATH " signed", "trust",
                 keys.count);
    else
        say_line("%-11s no signer keys: anybody's bundle is taken, and Uptane alone decides (--signers FILE)",
                 "trust");
    return 0;
}

int install(const struct arguments *a, struct err *e)
{
    AUTO_FD int root_fd = -1, program = -1;
    AUTO(stage) struct stage stage = STAGE_CLOSED;
    AUTO(buf) struct buf signers = {0};
    if (fs_open_dir(a->root, &root_fd, e) || own_disk_open_program(root_fd, &program, e) ||
        check_led(a->led, e) || (a->signers && read_signers(root_fd, a->signers, &signers, e)) ||
        check_all_free(root_fd, a->signers != NULL, e) || stage_open(root_fd, &stage, e) ||
        lay_down(root_fd, a, &signers, e) || say_signers(root_fd, e) || make_key(&stage, e) ||
        reload(a->root, e))
        return -1;
    say_client(root_fd);
    return 0;
}

/* ---- uninstall ---- */

static int take_away(int root_fd, const char *path, struct err *e)
{
    static const char *const words[] = {NULL, "left, not laid down by install:", "removed"};
    enum laid there;
    if (laid_remove(root_fd, path, &there, e))
        return -1;
    if (words[there])
        say_line("%s /%s", words[there], path);
    return 0;
}

/* A folder that somebody uses stays. */
static void remove_empty(int root_fd, const char *path)
{
    unlinkat(root_fd, path, AT_REMOVEDIR);
}

int uninstall(const struct arguments *a, struct err *e)
{
    static const char *const paths[] = {FITTING_RULE, FITTING_UNIT, FITTING_CLIENT, SIGNER_KEYS_PATH};
    AUTO_FD int root_fd = -1;
    AUTO(stage) struct stage stage = STAGE_CLOSED;
    if (fs_open_dir(a->root, &root_fd, e) || stage_open(root_fd, &stage, e))
        return -1;
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        if (take_away(root_fd, paths[i], e))
            return -1;
    if (program_remove(root_fd, e) || reload(a->root, e))
        return -1;
    remove_empty(root_fd, "etc/airlock");
    if (!a->purge) {
        say_line("kept /" STAGE_FOLDER
                 ": the device's key, its reports and what was unpacked (--purge removes them)");
        return 0;
    }
    if (fs_remove_at(root_fd, STAGE_FOLDER, e))
        return -1;
    say_line("removed /" STAGE_FOLDER);
    return 0;
}
