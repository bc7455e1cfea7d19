/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock-device: the helper on a device. It runs from the device's own disk and finds on a stick what the
 * device's client is to install. No network, no policy and no key from a stick.
 */
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/out.h"
#include "usb-tools/device/offer.h"
#include "usb-tools/device/stage.h"

static const char usage[] =
    "usage: airlock-device apply [OPTION]... STICK\n"
    "\n"
    "Unpacks what a stick carries for this device to where its client installs from.\n"
    "\n"
    "options\n"
    "  --root DIR        the device's file system (default: /)\n"
    "  --lockbox NAME    take this lockbox, where the stick has several for the device\n"
    "  --at TIME         judge as of this time (default: the device's clock)\n"
    "  --help            this text\n"
    "  --version         the version\n"
    "\n"
    "The manual is airlock-device(8).\n";

struct arguments {
    const char *root, *lockbox, *stick;
    int64_t now;
    bool done; /* --help or --version was answered */
};

/* What is printed may come from a stick. */
static void print_line(FILE *to, const char *text)
{
    AUTO(buf) struct buf shown = {0};
    out_escape(&shown, text, strlen(text));
    fprintf(to, "%s\n", buf_text(&shown));
}

static void print_error(const struct err *e)
{
    AUTO(buf) struct buf line = {0};
    const char *hint = err_hint_text(e);
    buf_addf(&line, "airlock-device: %s [%s]", e->message, err_name(e->id));
    print_line(stderr, buf_text(&line));
    if (hint)
        fprintf(stderr, "  ");
    if (hint)
        print_line(stderr, hint);
}

static void print_passed(void *ctx, const char *file, const struct err *why)
{
    AUTO(buf) struct buf line = {0};
    (void)ctx;
    buf_addf(&line, "%s: %s [%s]", file, why->message, err_name(why->id));
    print_line(stderr, buf_text(&line));
}

/* ---- apply ---- */

/* What is unpacked where nobody looks would be waited for in vain. */
static int check_source(const struct client_config *c, struct err *e)
{
    if (c->offline_updates && c->source && !strcmp(c->source, STAGE_SOURCE))
        return 0;
    err_set(e, ERR_NOT_LOOKED_FOR, "the client does not install from '" STAGE_SOURCE "'");
    return err_hint(e, "set enable_offline_updates = true and offline_updates_source = \"" STAGE_SOURCE
                       "\" under [uptane] in /etc/sota/conf.d, and restart the client");
}

static int find_offer(const char *stick, const struct offer_terms *t, struct offer *ret, struct err *e)
{
    const struct offer_listener listener = {.pass = print_passed};
    AUTO_FD int stick_fd = -1, dirfd = -1;
    if (fs_open_dir(stick, &stick_fd, e))
        return -1;
    if (fs_open_dir_at(stick_fd, "airlock", false, &dirfd, e)) {
        if (e->id == ERR_NO_SUCH_PATH)
            err_set(e, ERR_NOTHING_TO_INSTALL, "'%s' has no folder 'airlock'", stick);
        return -1;
    }
    return offer_find(dirfd, t, &listener, ret, e);
}

static int apply(const struct arguments *a, struct err *e)
{
    AUTO_FD int root_fd = -1;
    AUTO(facts) struct facts facts = {0};
    AUTO(signer_keys) struct signer_keys signers = {0};
    AUTO(stage) struct stage stage = {.fd = -1, .lock_fd = -1};
    AUTO(offer) struct offer offer = {0};
    bool fresh;
    if (fs_open_dir(a->root, &root_fd, e) || facts_load(root_fd, &facts, e) ||
        check_source(&facts.config, e) || signer_keys_load(root_fd, &signers, e) ||
        stage_open(root_fd, &stage, e))
        return -1;
    if (signers.count == 0)
        fprintf(stderr, "airlock-device: no signer keys in /" SIGNER_KEYS_PATH
                        ": anybody's bundle is taken, and Uptane alone decides\n");
    const struct offer_terms terms = {root_fd, stage.fd, &facts, &signers, a->now, a->lockbox};
    if (find_offer(a->stick, &terms, &offer, e))
        return -1;
    if (stage_bundle(&stage, offer.bundle, &fresh, e))
        return err_context(e, "'%s'", offer.file);
    printf("%s version %" PRId64 " %s " STAGE_SOURCE "\n", offer.lockbox, offer.version,
           fresh ? "unpacked to" : "is already in");
    return 0;
}

/* ---- the command line ---- */

static int read_options(int argc, char **argv, struct arguments *a, struct err *e)
{
    static const struct option options[] = {
        {"root", required_argument, NULL, 'r'}, {"lockbox", required_argument, NULL, 'l'},
        {"at", required_argument, NULL, 'a'},   {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},    {0},
    };
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'r':
            a->root = optarg;
            break;
        case 'l':
            a->lockbox = optarg;
            break;
        case 'a':
            if (clock_parse(optarg, &a->now))
                break;
            return err_set(e, ERR_BAD_TIME, "'%s' is no time", optarg);
        case 'h':
        case 'v':
            a->done = true;
            fputs(c == 'h' ? usage : "airlock-device " AIRLOCK_VERSION "\n", stdout);
            return 0;
        default:
            return err_set(e, ERR_USAGE, "'%s' is no option, or lacks its value", argv[optind - 1]);
        }
    }
    return 0;
}

static int read_arguments(int argc, char **argv, struct arguments *a, struct err *e)
{
    if (read_options(argc, argv, a, e) || a->done)
        return a->done ? 0 : -1;
    if (argc - optind != 2 || strcmp(argv[optind], "apply") != 0)
        return err_set(e, ERR_USAGE, "the words must be 'apply' and the folder where the stick is mounted");
    a->stick = argv[optind + 1];
    return 0;
}

/* Freed memory of this size goes back to the system: a device has little. */
#define GIVEN_BACK_FROM (64 << 10)

int main(int argc, char **argv)
{
    struct arguments a = {.root = "/", .now = (int64_t)time(NULL)};
    struct err e = {0};
    mallopt(M_MMAP_THRESHOLD, GIVEN_BACK_FROM);
    int rc = read_arguments(argc, argv, &a, &e);
    if (rc && e.id == ERR_USAGE)
        err_hint(&e, "airlock-device --help");
    if (rc == 0 && !a.done)
        rc = apply(&a, &e);
    if (rc)
        print_error(&e);
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "airlock-device: cannot write the answer\n");
        return rc ? (int)err_exit_code(e.id) : EXIT_INTERNAL;
    }
    return rc ? (int)err_exit_code(e.id) : EXIT_DONE;
}
