/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock-device: the helper on a device. It runs from the device's own disk and finds on a stick what the
 * device's client is to install. No network, no policy and no key from a stick.
 */
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/fs.h"
#include "usb-tools/device/apply.h"
#include "usb-tools/device/install.h"
#include "usb-tools/device/report.h"
#include "usb-tools/device/say.h"
#include "usb-tools/device/visit.h"

static const char usage[] =
    "usage: airlock-device apply [OPTION]... STICK\n"
    "       airlock-device report [OPTION]... STICK\n"
    "       airlock-device key [OPTION]...\n"
    "       airlock-device install [OPTION]...\n"
    "       airlock-device uninstall [OPTION]...\n"
    "       airlock-device visit [OPTION]... NODE\n"
    "\n"
    "apply      unpack what a stick carries for this device to where its client installs from\n"
    "report     write to a stick what became of it, and the state for which the next is judged\n"
    "key        show the device's own key, which signs reports; make it where there is none\n"
    "install    let this program see to each stick that is put in\n"
    "uninstall  take that back\n"
    "visit      what the unit of 'install' does: mount NODE, apply, wait, report, unmount\n"
    "\n"
    "options\n"
    "  --root DIR        the device's file system (default: /)\n"
    "  --lockbox NAME    apply: take this one, where the stick has several for the device\n"
    "  --wait SECONDS    report, visit: wait so long at most for the client's result (default: 0);\n"
    "                    install: what the unit says (default: 900)\n"
    "  --signers FILE    install: whose bundles are taken (default: who stands there already, else anybody)\n"
    "  --led NAME        install, visit: the LED below /sys/class/leds that tells when to pull the stick\n"
    "  --purge           uninstall: remove the device's key and its reports, too\n"
    "  --at TIME         take this time for now (default: the device's clock)\n"
    "  --help            this text\n"
    "  --version         the version\n"
    "\n"
    "The manual is airlock-device(8).\n";

static const struct verb {
    const char *name;
    enum { NO_STICK, MOUNTED, NODE } stick;
    int (*run)(const struct arguments *a, struct err *e);
} verbs[] = {{"apply", MOUNTED, apply},          {"report", MOUNTED, report},
             {"key", NO_STICK, report_key},      {"install", NO_STICK, install},
             {"uninstall", NO_STICK, uninstall}, {"visit", NODE, visit}};

static const char *const what_follows[] = {"no word", "the folder where the stick is mounted",
                                           "the stick's block device"};

#define WAIT_MAX 86400 /* seconds: whoever waits longer should look again tomorrow */

static int read_wait(const char *text, int64_t *ret, struct err *e)
{
    char *end;
    long seconds = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || seconds > WAIT_MAX)
        return err_set(e, ERR_USAGE, "'%s' is no number of seconds up to %d", text, WAIT_MAX);
    *ret = seconds;
    return 0;
}

/* *ret_done: --help or --version was answered. */
static int read_options(int argc, char **argv, struct arguments *a, bool *ret_done, struct err *e)
{
    static const struct option options[] = {
        {"root", required_argument, NULL, 'r'}, {"lockbox", required_argument, NULL, 'l'},
        {"wait", required_argument, NULL, 'w'}, {"signers", required_argument, NULL, 's'},
        {"led", required_argument, NULL, 'd'},  {"purge", no_argument, NULL, 'p'},
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
        case 'w':
            if (read_wait(optarg, &a->wait_s, e))
                return -1;
            break;
        case 's':
            a->signers = optarg;
            break;
        case 'd':
            a->led = optarg;
            break;
        case 'p':
            a->purge = true;
            break;
        case 'a':
            if (clock_parse(optarg, &a->now))
                break;
            return err_set(e, ERR_BAD_TIME, "'%s' is no time", optarg);
        case 'h':
        case 'v':
            *ret_done = true;
            fputs(c == 'h' ? usage : "airlock-device " AIRLOCK_VERSION "\n", stdout);
            return 0;
        default:
            return err_set(e, ERR_USAGE, "'%s' is no option, or lacks its value", argv[optind - 1]);
        }
    }
    return 0;
}

static int run_verb(const struct verb *verb, struct arguments *a, struct err *e)
{
    AUTO_FD int stick_fd = -1;
    if (verb->stick == MOUNTED && fs_open_dir(a->stick, &stick_fd, e))
        return -1;
    a->stick_fd = stick_fd;
    return verb->run(a, e);
}

static int run(int argc, char **argv, struct err *e)
{
    struct arguments a = {.root = "/", .stick_fd = -1, .now = (int64_t)time(NULL), .wait_s = -1};
    bool done = false;
    if (read_options(argc, argv, &a, &done, e) || done)
        return done ? 0 : -1;
    int words = argc - optind;
    for (size_t i = 0; words > 0 && i < COUNT_OF(verbs); i++) {
        if (strcmp(argv[optind], verbs[i].name) != 0)
            continue;
        if (words != 1 + (verbs[i].stick != NO_STICK))
            return err_set(e, ERR_USAGE, "after '%s' comes %s", verbs[i].name, what_follows[verbs[i].stick]);
        a.stick = argv[optind + 1];
        return run_verb(&verbs[i], &a, e);
    }
    if (words == 0)
        return err_set(e, ERR_USAGE, "no verb is given");
    return err_set(e, ERR_USAGE, "there is no verb '%s'", argv[optind]);
}

/* Freed memory of this size goes back to the system: a device has little. */
#define GIVEN_BACK_FROM (64 << 10)

int main(int argc, char **argv)
{
    struct err e = {0};
    umask(022); /* the sandbox and the client look at what is unpacked */
    mallopt(M_MMAP_THRESHOLD, GIVEN_BACK_FROM);
    int rc = run(argc, argv, &e);
    if (rc && e.id == ERR_USAGE && !*e.hint)
        err_hint(&e, "airlock-device --help");
    if (rc)
        say_error(&e);
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "airlock-device: cannot write the answer\n");
        return rc ? (int)err_exit_code(e.id) : EXIT_INTERNAL;
    }
    return rc ? (int)err_exit_code(e.id) : EXIT_DONE;
}
