/* SPDX-License-Identifier: Apache-2.0 */
#include "report/sync_units.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"

const char *const sync_unit_names[SYNC_UNITS] = {"airlock-sync.service", "airlock-sync.path",
                                                 "airlock-sync.timer"};

/* What a unit's process needs: its files, the network, and nothing that a program without plug-ins lacks.
 * What is left out here (ProtectSystem= and the like) needs namespaces, which a user's systemd has not
 * everywhere. */
static const char sandbox[] = "NoNewPrivileges=yes\n"
                              "SystemCallFilter=@system-service\n"
                              "SystemCallArchitectures=native\n"
                              "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK\n"
                              "RestrictNamespaces=yes\n"
                              "RestrictRealtime=yes\n"
                              "RestrictSUIDSGID=yes\n"
                              "LockPersonality=yes\n"
                              "MemoryDenyWriteExecute=yes\n"
                              "UMask=0077\n";

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return true;
    return false;
}

static int check(const struct sync_units *u, struct err *e)
{
    const char *const texts[] = {u->program, u->state, u->profile, u->config_home, u->ca_file};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i] && has_control(texts[i]))
            return err_set(e, ERR_BAD_CONFIG, "a unit of systemd cannot hold a path with control characters");
    return strchr(u->program, '$')
               ? err_set(e, ERR_BAD_CONFIG, "a unit of systemd cannot name a program with '$' in its path")
               : 0;
}

/* Some characters after a backslash, some twice: how a unit's lines spell them. */
static void add_escaped(struct buf *to, const char *text, const char *backslashed, const char *doubled)
{
    for (; *text; text++) {
        if (strchr(backslashed, *text))
            buf_add(to, "\\", 1);
        if (strchr(doubled, *text))
            buf_add(to, text, 1);
        buf_add(to, text, 1);
    }
}

static void add_word(struct buf *to, const char *word)
{
    buf_add_text(to, "\"");
    add_escaped(to, word, "\"\\", "%$");
    buf_add_text(to, "\"");
}

static void add_option(struct buf *to, const char *option, const char *value)
{
    buf_addf(to, " %s ", option);
    add_word(to, value);
}

static void make_service(struct buf *to, const struct sync_units *u)
{
    buf_add_text(to, "[Unit]\n"
                     "Description=airlock: reports that came home, into the cloud's notes\n"
                     "Documentation=man:airlock-sync(1)\n"
                     "\n"
                     "[Service]\n"
                     "Type=exec\n");
    if (u->config_home) {
        buf_add_text(to, "Environment=\"XDG_CONFIG_HOME=");
        add_escaped(to, u->config_home, "\"\\", "%");
        buf_add_text(to, "\"\n");
    }
    buf_add_text(to, "ExecStart=");
    add_word(to, u->program);
    add_option(to, "--profile", u->profile);
    add_option(to, "--state", u->state);
    if (u->ca_file)
        add_option(to, "--cacert", u->ca_file);
    buf_add_text(to, " sync --wait\n");
    buf_add_text(to, sandbox);
}

/* The whole rest of the line is the path. */
static void make_path(struct buf *to, const struct sync_units *u)
{
    buf_add_text(to, "[Unit]\n"
                     "Description=airlock: wait for reports to come home\n"
                     "Documentation=man:airlock-sync(1)\n"
                     "\n"
                     "[Path]\n"
                     "PathChanged=");
    add_escaped(to, u->state, "", "%");
    buf_add_text(to, "/reports/ledger.db\n"
                     "\n"
                     "[Install]\n"
                     "WantedBy=paths.target\n");
}

static void make_timer(struct buf *to, const struct sync_units *u)
{
    (void)u;
    buf_add_text(to, "[Unit]\n"
                     "Description=airlock: look once an hour whether reports wait for the cloud\n"
                     "Documentation=man:airlock-sync(1)\n"
                     "\n"
                     "[Timer]\n"
                     "OnStartupSec=2min\n"
                     "OnUnitInactiveSec=1h\n"
                     "RandomizedDelaySec=5min\n"
                     "\n"
                     "[Install]\n"
                     "WantedBy=timers.target\n");
}

int sync_units_write(int dirfd, const struct sync_units *u, struct err *e)
{
    static void (*const makers[SYNC_UNITS])(struct buf *, const struct sync_units *) = {
        make_service, make_path, make_timer};
    if (check(u, e))
        return -1;
    for (size_t i = 0; i < SYNC_UNITS; i++) {
        AUTO(buf) struct buf text = {0};
        makers[i](&text, u);
        if (fs_replace_at(dirfd, sync_unit_names[i], text.data, text.len, 0644, e))
            return err_context(e, "'%s'", sync_unit_names[i]);
    }
    return 0;
}

int sync_units_remove(int dirfd, bool *ret_any, struct err *e)
{
    *ret_any = false;
    for (size_t i = 0; i < SYNC_UNITS; i++) {
        if (unlinkat(dirfd, sync_unit_names[i], 0) == 0)
            *ret_any = true;
        else if (errno != ENOENT)
            return err_errno(e, ERR_SYSTEM, "cannot remove '%s'", sync_unit_names[i]);
    }
    return 0;
}
