/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock sticks: the removable media of this computer.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/fs.h"
#include "base/mem.h"
#include "cli/app.h"
#include "cli/print.h"
#include "usb-tools/capacity.h"
#include "usb-tools/media.h"

#define LABEL_MAX 11 /* bytes: FAT holds no longer one, and the device makes its folder of it */
#define LABEL_DEFAULT "TORIZON"

struct sticks_options {
    const char *label, *test;
};

static const struct option options[] = {
    {"label", OPTION_TEXT, "NAME", offsetof(struct sticks_options, label),
     "the volume label of the commands that are shown (else the stick's own, else " LABEL_DEFAULT ")"},
    {"test-capacity", OPTION_TEXT, "STICK", offsetof(struct sticks_options, test),
     "fill the free space of a mounted stick, read it back and free it again"},
    {0},
};

/* Harmless in a shell, in every file system and as the name of a folder. */
static bool is_plain_label(const char *label)
{
    static const char harmless[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t len = strlen(label);
    return len > 0 && len <= LABEL_MAX && strspn(label, harmless) == len && label[0] != '-';
}

/* A label that the stick itself names may hold a shell's signs: then it is not proposed. */
static const char *choose_label(const struct stick *m, const char *wanted)
{
    if (wanted)
        return wanted;
    return m->label && is_plain_label(m->label) ? m->label : LABEL_DEFAULT;
}

static char *format_command(const struct stick *m, const char *label)
{
    if (m->system)
        return NULL;
    if (m->inside)
        return mem_format("%s%s%sudisksctl lock -b %s && sudo mkfs.vfat -F 32 -n %s %s",
                          m->mount_point ? "sudo umount " : "", m->mount_point ? m->inside : "",
                          m->mount_point ? " && " : "", m->device, label, m->device);
    if (!m->mount_point)
        return mem_format("sudo mkfs.vfat -F 32 -n %s %s", label, m->device);
    return mem_format("sudo umount %s && sudo mkfs.vfat -F 32 -n %s %s", m->device, label, m->device);
}

static char *label_command(const struct stick *m, const char *label)
{
    static const char *const programs[][2] = {{"vfat", "fatlabel"},
                                              {"exfat", "exfatlabel"},
                                              {"ext4", "e2label"},
                                              {"ext3", "e2label"},
                                              {"ext2", "e2label"}};
    for (size_t i = 0; !m->system && m->file_system && i < COUNT_OF(programs); i++)
        if (!strcmp(m->file_system, programs[i][0]))
            return mem_format("sudo %s %s %s", programs[i][1], m->inside ? m->inside : m->device, label);
    return NULL;
}

static void print_fact(const char *label, const char *text, const char *otherwise)
{
    print_label(label);
    print_text(text ? text : otherwise);
    putchar('\n');
}

static void print_room(const struct stick *m)
{
    print_label("free");
    print_size(m->free_clusters * m->cluster_bytes);
    printf(" (%" PRIu64 " clusters of ", m->free_clusters);
    print_size(m->cluster_bytes);
    puts(")");
}

static void print_commands(const struct stick *m, const char *wanted)
{
    AUTO_FREE char *format = format_command(m, choose_label(m, wanted));
    AUTO_FREE char *label = label_command(m, choose_label(m, wanted));
    if (label)
        print_fact("to label", label, NULL);
    if (format)
        print_fact("to format", format, NULL);
}

static void print_medium(const struct stick *m, const char *wanted, uint64_t tested)
{
    print_text(m->device);
    fputs("  ", stdout);
    print_size(m->bytes);
    fputs("  ", stdout);
    print_text(m->model ? m->model : "model not known");
    putchar('\n');
    print_fact("label", m->label, "none");
    print_fact("file system", m->file_system, "none known");
    if (m->inside)
        print_fact("encrypted", m->inside, NULL);
    print_fact("mounted", m->mount_point, "no");
    if (m->cluster_bytes)
        print_room(m);
    if (tested) {
        print_label("tested");
        print_size(tested);
        puts(" written and read back: it keeps what it says");
    }
    if (m->file_limit)
        print_fact("largest file", "4 GiB less one byte: write bundles in volumes", NULL);
    if (m->read_only)
        print_fact("writing", "not possible: read-only", NULL);
    if (m->system)
        print_fact("system disk", "this computer runs from it: airlock leaves it alone", NULL);
    print_commands(m, wanted);
}

static void json_add_medium(cJSON *list, const struct stick *m, const char *wanted, uint64_t tested)
{
    AUTO_FREE char *format = format_command(m, choose_label(m, wanted));
    AUTO_FREE char *label = label_command(m, choose_label(m, wanted));
    cJSON *item = json_add_item(list);
    json_add_text(item, "device", m->device);
    json_add_text(item, "disk", m->disk);
    json_add_text(item, "inside", m->inside);
    json_add_text(item, "model", m->model);
    json_add_integer(item, "bytes", (int64_t)m->bytes);
    json_add_text(item, "label", m->label);
    json_add_text(item, "file_system", m->file_system);
    json_add_text(item, "mount_point", m->mount_point);
    json_add_integer(item, "cluster_bytes", (int64_t)m->cluster_bytes);
    json_add_integer(item, "free_clusters", (int64_t)m->free_clusters);
    json_add_integer(item, "file_limit", (int64_t)m->file_limit);
    json_add_integer(item, "tested_bytes", (int64_t)tested);
    cJSON_AddBoolToObject(item, "read_only", m->read_only);
    cJSON_AddBoolToObject(item, "system", m->system);
    json_add_text(item, "label_command", label);
    json_add_text(item, "format_command", format);
}

static void print_answer(const struct app *app, const struct stick *sticks, size_t count, const char *wanted,
                         uint64_t tested)
{
    if (!app->global.json) {
        for (size_t i = 0; i < count; i++)
            print_medium(&sticks[i], wanted, tested);
        if (count == 0)
            puts("no removable medium is there");
        return;
    }
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    cJSON *list = cJSON_AddArrayToObject(answer, "sticks");
    for (size_t i = 0; i < count; i++)
        json_add_medium(list, &sticks[i], wanted, tested);
    app_print_json(answer);
}

static int test(const struct app *app, const struct stick *stick, uint64_t *ret_bytes, struct err *e)
{
    uint8_t seed[CAPACITY_SEED_SIZE];
    AUTO_FD int dirfd = -1;
    if (!stick->mount_point)
        return err_set(e, ERR_USAGE, "'%s' is not mounted", stick->device);
    if (fs_open_dir(stick->mount_point, &dirfd, e))
        return -1;
    if (getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        return err_errno(e, ERR_SYSTEM, "cannot get random bytes");
    const struct medium medium = medium_posix(&dirfd);
    if (capacity_test(&medium, stick->free_clusters * stick->cluster_bytes, seed, app->progress, ret_bytes,
                      e))
        return err_context(e, "'%s'", stick->mount_point);
    return 0;
}

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    const struct sticks_options *o = values;
    AUTO(media) struct media all = {0};
    const struct stick *one;
    uint64_t tested = 0;
    (void)words, (void)count, (void)exit_code;
    if (o->label && !is_plain_label(o->label))
        return err_set(e, ERR_USAGE, "--label takes 1 to %d letters, digits, '_' and '-', not '%s'",
                       LABEL_MAX, o->label);
    if (media_list(&all, e))
        return -1;
    if (!o->test) {
        print_answer(app, all.items, all.count, o->label, 0);
        return 0;
    }
    if (media_find(&all, o->test, &one, e) || test(app, one, &tested, e))
        return -1;
    print_answer(app, one, 1, o->label, tested);
    return 0;
}

const struct command cmd_sticks = {
    .name = "sticks",
    .words = "",
    .summary = "show the removable media and what each can hold",
    .details = "Formats and labels nothing: it shows the commands that would.",
    .min_words = 0,
    .max_words = 0,
    .options = options,
    .options_size = sizeof(struct sticks_options),
    .run = run,
};
