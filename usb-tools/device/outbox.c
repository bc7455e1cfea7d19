/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/outbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"

#define REPORTS "reports"
#define REQUEST "request.json"

static int read_file(int dirfd, const char *path, struct buf *ret_bytes, struct report_file *ret,
                     struct err *e)
{
    if (fs_read_at(dirfd, path, REPORT_FILE_MAX, ret_bytes, e) ||
        report_file_parse(ret_bytes->data, ret_bytes->len, ret, e))
        return err_context(e, "'%s'", path);
    return 0;
}

/* ---- opening ---- */

static int take_number(void *ctx, const char *name, struct err *e)
{
    int64_t *last = ctx, number;
    int end = 0;
    (void)e;
    if (sscanf(name, "%18" SCNd64 ".json%n", &number, &end) == 1 && end && !name[end] && number > *last)
        *last = number;
    return 0;
}

static int find_newest(struct outbox *o, struct err *e)
{
    AUTO_FD int fd = -1;
    AUTO(buf) struct buf bytes = {0};
    if (fs_open_dir_at(o->dirfd, REPORTS, true, &fd, e) || fs_each(fd, take_number, &o->last, e))
        return -1;
    AUTO_FREE char *name = mem_format("%" PRId64 ".json", o->last);
    return o->last ? read_file(fd, name, &bytes, &o->newest, e) : 0;
}

/* By which people know the device. */
static int read_name(int root_fd, char **ret, struct err *e)
{
    AUTO(buf) struct buf text = {0};
    if (fs_read_at(root_fd, "etc/hostname", REPORT_DEVICE_MAX + 2, &text, e))
        return err_context(e, "the device's name, '/etc/hostname'");
    *ret = mem_strndup(buf_text(&text), strcspn(buf_text(&text), "\r\n"));
    return 0;
}

int outbox_open(int root_fd, int dirfd, const struct client_memory *memory, struct outbox *ret, struct err *e)
{
    AUTO(outbox) struct outbox o = {.dirfd = dirfd, .memory = memory};
    if (read_name(root_fd, &o.device, e))
        return -1;
    if (sign_key_load(dirfd, OUTBOX_KEY, &o.key, e)) {
        if (e->id == ERR_NO_SUCH_PATH)
            err_hint(e, "make the device's key: airlock-device key");
        return -1;
    }
    if (find_newest(&o, e))
        return -1;
    *ret = o;
    o = (struct outbox){0};
    return 0;
}

void outbox_free(struct outbox *o)
{
    free(o->device);
    sign_key_free(&o->key);
    report_file_free(&o->newest);
    *o = (struct outbox){0};
}

/* ---- adding ---- */

static bool same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

/* `a` is the newer one: where the client's database could not be read, that is no news of its ECUs. */
static bool same_ecus(const struct report_file *a, const struct report_file *b)
{
    if (a->ecu_count == 0)
        return true;
    if (a->ecu_count != b->ecu_count)
        return false;
    for (size_t i = 0; i < a->ecu_count; i++)
        if (strcmp(a->ecus[i].serial, b->ecus[i].serial) ||
            strcmp(a->ecus[i].hardware_id, b->ecus[i].hardware_id) ||
            !same_text(a->ecus[i].key_value, b->ecus[i].key_value))
            return false;
    return true;
}

static bool says_the_same(const struct report_file *a, const struct report_file *b)
{
    bool same_lockbox = same_text(a->lockbox, b->lockbox) && a->lockbox_version == b->lockbox_version;
    return same_lockbox && same_ecus(a, b) && !strcmp(a->device, b->device) && a->outcome == b->outcome &&
           a->source == b->source && same_text(a->error, b->error) &&
           a->signers_checked == b->signers_checked && a->has_manifest == b->has_manifest &&
           a->manifest.len == b->manifest.len &&
           (a->manifest.len == 0 || !memcmp(a->manifest.data, b->manifest.data, a->manifest.len));
}

static int read_report(const struct outbox *o, int64_t number, struct buf *ret_bytes, struct report_file *ret,
                       struct err *e)
{
    AUTO_FREE char *path = mem_format(REPORTS "/%" PRId64 ".json", number);
    return read_file(o->dirfd, path, ret_bytes, ret, e);
}

static int64_t first_to_look_at(const struct outbox *o)
{
    return o->last > OUTBOX_COPIES ? o->last - OUTBOX_COPIES + 1 : 1;
}

/* Refusals stand between the client's words and are no news of what it did. */
static int is_known(const struct outbox *o, const struct report_file *report, bool *ret, struct err *e)
{
    *ret = false;
    for (int64_t n = o->last; n >= first_to_look_at(o); n--) {
        AUTO(buf) struct buf bytes = {0};
        AUTO(report_file) struct report_file before = {0};
        if (read_report(o, n, &bytes, &before, e))
            return -1;
        *ret = says_the_same(report, &before);
        if (*ret || (report->outcome != OUTCOME_REFUSED && before.outcome != OUTCOME_REFUSED))
            return 0;
    }
    return 0;
}

static char *copy(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

/* Their public keys: with these the manifests are verified that the client signs. */
static void add_ecus(const struct client_memory *m, struct report_file *file)
{
    file->ecus = mem_zeroed(m->ecu_count, sizeof *file->ecus);
    for (; file->ecu_count < m->ecu_count; file->ecu_count++) {
        const struct remembered_ecu *ecu = &m->ecus[file->ecu_count];
        file->ecus[file->ecu_count] = (struct report_ecu){.serial = mem_strdup(ecu->serial),
                                                          .hardware_id = mem_strdup(ecu->hardware_id),
                                                          .key_type = copy(ecu->key_type),
                                                          .key_value = copy(ecu->key_value)};
    }
}

static void fill_in(const struct outbox *o, struct report_file *file)
{
    file->device = mem_strdup(o->device);
    file->helper = mem_strdup(AIRLOCK_VERSION);
    file->has_previous = o->last > 0;
    memcpy(file->previous, o->newest.sha256, HASH_SIZE);
}

/* Signed, and durably under its name. */
static int keep(const struct outbox *o, const struct report_file *file, const char *path,
                struct report_file *ret, struct err *e)
{
    AUTO(buf) struct buf bytes = {0};
    if (report_file_make(file, &o->key, &bytes, e) ||
        fs_replace_at(o->dirfd, path, bytes.data, bytes.len, 0600, e))
        return -1;
    return ret ? report_file_parse(bytes.data, bytes.len, ret, e) : 0;
}

int outbox_add_report(struct outbox *o, struct report_file *report, struct err *e)
{
    struct report_file added;
    bool known;
    report->type = REPORT_REPORT;
    report->sequence = o->last + 1;
    fill_in(o, report);
    add_ecus(o->memory, report);
    if (is_known(o, report, &known, e))
        return -1;
    if (known)
        return 0;
    AUTO_FREE char *path = mem_format(REPORTS "/%" PRId64 ".json", report->sequence);
    if (keep(o, report, path, &added, e))
        return -1;
    report_file_free(&o->newest);
    o->newest = added;
    o->last = report->sequence;
    return 0;
}

int outbox_set_request(struct outbox *o, int64_t now, const struct buf *state, struct err *e)
{
    AUTO(buf) struct buf bytes = {0};
    AUTO(report_file) struct report_file before = {0}, request = {.type = REPORT_REQUEST, .made_at = now};
    if (read_file(o->dirfd, REQUEST, &bytes, &before, e) && e->id != ERR_NO_SUCH_PATH)
        return -1;
    request.sequence = before.sequence + 1;
    fill_in(o, &request);
    buf_add(&request.state, state->data, state->len);
    return keep(o, &request, REQUEST, NULL, e);
}

/* ---- copying ---- */

/* Of the same name as a report that goes there: what was pulled or rotted on the way is written anew, what
 * another device signed is not. */
static int check_there(const struct report_file *file, const struct buf *there, const char *path,
                       struct err *e)
{
    AUTO(report_file) struct report_file other = {0};
    struct err ignored;
    if (report_file_parse(there->data, there->len, &other, &ignored) ||
        !memcmp(other.public_key, file->public_key, sizeof other.public_key))
        return 0;
    err_set(e, ERR_ALREADY_EXISTS, "'%s' on the stick is another device's", path);
    return err_hint(e, "two devices are called '%s': give one another name", file->device);
}

static int copy_report(const struct outbox *o, int64_t number, int stick_fd, struct err *e)
{
    AUTO(buf) struct buf bytes = {0}, there = {0};
    AUTO(report_file) struct report_file file = {0};
    if (read_report(o, number, &bytes, &file, e))
        return -1;
    AUTO_FREE char *to = report_file_path(&file);
    if (fs_read_at(stick_fd, to, REPORT_FILE_MAX, &there, e)) {
        if (e->id != ERR_NO_SUCH_PATH)
            return -1;
    } else if (there.len == bytes.len && !memcmp(there.data, bytes.data, bytes.len)) {
        return 0;
    } else if (check_there(&file, &there, to, e)) {
        return -1;
    }
    return fs_replace_at(stick_fd, to, bytes.data, bytes.len, 0644, e);
}

/* Which go, the newest first; how many. */
static int choose_copies(const struct outbox *o, int64_t numbers[], size_t *ret, struct err *e)
{
    size_t refusals = 0;
    *ret = 0;
    for (int64_t n = o->last; n > 0 && n > o->last - OUTBOX_DEPTH; n--) {
        AUTO(buf) struct buf bytes = {0};
        AUTO(report_file) struct report_file file = {0};
        if (read_report(o, n, &bytes, &file, e))
            return -1;
        bool refused = file.outcome == OUTCOME_REFUSED;
        bool wanted = refused ? refusals < OUTBOX_REFUSALS : *ret - refusals < OUTBOX_COPIES;
        refusals += refused && wanted;
        if (wanted)
            numbers[(*ret)++] = n;
    }
    return 0;
}

int outbox_copy(const struct outbox *o, int stick_fd, struct err *e)
{
    AUTO(buf) struct buf bytes = {0};
    AUTO(report_file) struct report_file request = {0};
    int64_t numbers[OUTBOX_COPIES + OUTBOX_REFUSALS];
    size_t count;
    if (choose_copies(o, numbers, &count, e))
        return -1;
    while (count-- > 0)
        if (copy_report(o, numbers[count], stick_fd, e))
            return -1;
    if (read_file(o->dirfd, REQUEST, &bytes, &request, e))
        return -1;
    AUTO_FREE char *to = report_file_path(&request);
    return fs_replace_at(stick_fd, to, bytes.data, bytes.len, 0644, e);
}
