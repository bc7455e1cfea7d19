/* SPDX-License-Identifier: Apache-2.0
 *
 * What airlock says of many lockboxes, for compare.py. The folder's cases.tsv names them, one per line with
 * the device's hardware ids; the answers are lines of name, verdict, and for what the device refuses ("id
 * role", parted by ", ").
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "unit/verdict_box.h"

/* A state whose stored roles are no roles is refused as a whole. */
static int check_device(const char *name, struct err *e)
{
    AUTO(device) struct device device = {0};
    AUTO(buf) struct buf text = {0};
    AUTO_FREE char *path = mem_format("%s/%s/device.json", getenv("AIRLOCK_VERDICT_CASES"), name);
    if (fs_read_file(path, FILE_MAX, &text, e))
        return e->id == ERR_NO_SUCH_PATH ? 0 : -1;
    return device_parse(text.data, text.len, &device, e);
}

static void judge(const char *name, const char *hardware)
{
    static const char *const outcomes[] = {"install", "refuse", "nothing"};
    AUTO(box) struct box box = {0};
    AUTO(verdict) struct verdict v = {0};
    struct err e;
    if (check_device(name, &e)) {
        printf("%s\tno-answer\t%s\n", name, e.message);
        return;
    }
    box_load(&box, name, true);
    box_set_hardware(&box, hardware);
    if (verdict_decide(&box.in, &v, &e)) {
        printf("%s\tno-answer\t%s\n", name, e.message);
        return;
    }
    printf("%s\t%s\t", name, outcomes[v.outcome]);
    const char *part = "";
    for (size_t i = 0; i < v.problem_count; i++)
        if (v.problems[i].device_refuses) {
            printf("%s%s %s", part, err_name(v.problems[i].id), v.problems[i].role);
            part = ", ";
        }
    putchar('\n');
}

int main(void)
{
    struct err e;
    AUTO(buf) struct buf text = {0};
    AUTO_FREE char *path = mem_format("%s/cases.tsv", getenv("AIRLOCK_VERDICT_CASES"));
    if (fs_read_file(path, FILE_MAX, &text, &e)) {
        fprintf(stderr, "%s\n", e.message);
        return 1;
    }
    char *rest = (char *)text.data;
    for (char *line; (line = strsep(&rest, "\n")) && *line;) {
        const char *name = strsep(&line, "\t");
        judge(name, line ? line : "");
    }
    return 0;
}
