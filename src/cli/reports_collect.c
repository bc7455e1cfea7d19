/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock reports collect: from a stick into the ledger.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/out.h"
#include "cli/print.h"
#include "cli/reports.h"
#include "report/collect.h"
#include "usb-tools/media.h"

/* The label of the stick where it has one, else the path of the folder. */
static char *name_stick(const char *path)
{
    AUTO(media) struct media all = {0};
    const struct stick *found;
    struct err ignored;
    if (media_list(&all, &ignored) == 0 && media_find(&all, path, &found, &ignored) == 0 && found->label &&
        *found->label)
        return mem_strdup(found->label);
    char *whole = realpath(path, NULL);
    return whole ? whole : mem_strdup(path);
}

static void print_collection(const struct collection *c)
{
    printf("%zu new reports, %zu known already\n", c->added, c->known);
    for (size_t i = 0; i < c->told; i++) {
        fputs("  not read     ", stdout);
        print_text(c->problems[i].path);
        fputs(": ", stdout);
        print_text(c->problems[i].message);
        putchar('\n');
    }
    if (c->problem_count > c->told)
        printf("  not read     and %zu more\n", c->problem_count - c->told);
}

static void json_collection(const struct collection *c, const char *stick)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    cJSON_AddStringToObject(answer, "stick", stick);
    json_add_integer(answer, "files", (int64_t)c->files);
    json_add_integer(answer, "added", (int64_t)c->added);
    json_add_integer(answer, "known", (int64_t)c->known);
    json_add_integer(answer, "problem_count", (int64_t)c->problem_count);
    cJSON *list = cJSON_AddArrayToObject(answer, "problems");
    for (size_t i = 0; i < c->told; i++) {
        AUTO(buf) struct buf message = {0};
        cJSON *problem = json_add_item(list);
        out_escape(&message, c->problems[i].message, strlen(c->problems[i].message));
        cJSON_AddStringToObject(problem, "path", c->problems[i].path);
        cJSON_AddStringToObject(problem, "id", err_name(c->problems[i].id));
        cJSON_AddStringToObject(problem, "message", buf_text(&message));
    }
    app_print_json(answer);
}

/* A mounted stick may be named by its device, as everywhere. */
static int open_stick(const char *word, int *ret_fd, struct err *e)
{
    AUTO(media) struct media all = {0};
    const struct stick *found;
    struct err ignored;
    if (media_list(&all, &ignored) == 0 && media_find(&all, word, &found, &ignored) == 0 &&
        found->mount_point)
        return fs_open_dir(found->mount_point, ret_fd, e);
    return fs_open_dir(word, ret_fd, e);
}

int reports_collect(struct app *app, const struct reports_options *o, const char **words, size_t count,
                    int *exit_code, struct err *e)
{
    AUTO_LEDGER struct ledger *l = NULL;
    AUTO(collection) struct collection c = {0};
    AUTO_FD int fd = -1;
    (void)o, (void)count;
    if (open_stick(words[0], &fd, e) || reports_open_ledger(app, &l, e))
        return -1;
    AUTO_FREE char *stick = name_stick(words[0]);
    if (collect_stick(l, fd, stick, app->now, &c, e))
        return -1;
    if (app->global.json)
        json_collection(&c, stick);
    else
        print_collection(&c);
    if (c.problem_count)
        *exit_code = EXIT_SOME_FAILED;
    return 0;
}

/* Does anything lie there? So that writing to an empty stick makes no ledger. */
static bool is_anything_there(int fd)
{
    AUTO(collection) struct collection c = {0};
    struct err ignored;
    return collect_stick(NULL, fd, "", 0, &c, &ignored) == 0 && c.files > 0;
}

static int collect_from(struct app *app, const char *folder, int fd, struct collection *c, struct err *e)
{
    AUTO_LEDGER struct ledger *l = NULL;
    AUTO_FREE char *stick = name_stick(folder);
    if (app->store.state_fd < 0) {
        app_close(app); /* what was only looked at */
        if (app_open_store(app, e))
            return -1;
    }
    if (ledger_open(app->store.state_fd, true, &l, e))
        return -1;
    return collect_stick(l, fd, stick, app->now, c, e);
}

void reports_collect_before_writing(struct app *app, const char *to)
{
    AUTO(collection) struct collection c = {0};
    AUTO_FD int fd = -1;
    struct err e;
    if (fs_open_dir(to, &fd, &e) || !is_anything_there(fd))
        return; /* a file, or a folder that is to be made: the writing says what is wrong with it */
    if (collect_from(app, to, fd, &c, &e)) {
        err_context(&e, "the reports that lie there were not collected");
        app_print_failure(&e);
        return;
    }
    if (c.added)
        app_note(app, "airlock: %zu new reports of devices collected from there; airlock reports list",
                 c.added);
    if (c.problem_count)
        app_note(app, "airlock: not all reports there could be read; airlock reports collect says which");
}
