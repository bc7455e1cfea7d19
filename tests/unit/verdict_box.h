/* SPDX-License-Identifier: Apache-2.0
 *
 * Loads a lockbox that tests/unit/verdict/make.py made. Include it after <cmocka.h>. The folder of all cases
 * comes from AIRLOCK_VERDICT_CASES; CTest sets it and makes the folder first.
 */
#ifndef AIRLOCK_TESTS_VERDICT_BOX_H
#define AIRLOCK_TESTS_VERDICT_BOX_H

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "uptane/device.h"
#include "uptane/verdict.h"

#define FILES_MAX 64
#define FILE_MAX (32u << 20)

#define VERDICT_NOW "2026-11-23T00:00:00Z" /* NOW in box.py */

/* One lockbox in memory, and what is asked about it. */
struct box {
    struct verdict_file files[FILES_MAX];
    struct buf bytes[FILES_MAX];
    size_t file_count;
    struct buf director_root, image_root;
    struct device device;
    char *hardware_text;
    const char *hardware[8];
    struct verdict_input in;
};

struct folder {
    struct box *box;
    const char *name;
    int fd;
};

static int load_file(void *ctx, const char *name, struct err *e)
{
    struct folder *folder = ctx;
    struct box *box = folder->box;
    assert_true(box->file_count < FILES_MAX);
    struct buf *bytes = &box->bytes[box->file_count];
    if (fs_read_at(folder->fd, name, FILE_MAX, bytes, e))
        return -1;
    box->files[box->file_count++] =
        (struct verdict_file){mem_format("%s/%s", folder->name, name), bytes->data, bytes->len};
    return 0;
}

static void load_folder(struct box *box, int dirfd, const char *name)
{
    struct err e;
    AUTO_FD int fd = -1;
    if (fs_open_dir_at(dirfd, name, false, &fd, &e)) {
        assert_int_equal(e.id, ERR_NO_SUCH_PATH);
        return;
    }
    struct folder folder = {.box = box, .name = name, .fd = fd};
    assert_int_equal(fs_each(fd, load_file, &folder, &e), 0);
}

static void load_device(struct box *box, int dirfd)
{
    struct err e;
    AUTO(buf) struct buf text = {0};
    if (fs_read_at(dirfd, "device.json", FILE_MAX, &text, &e)) {
        assert_int_equal(e.id, ERR_NO_SUCH_PATH);
        return;
    }
    if (device_parse(text.data, text.len, &box->device, &e))
        fail_msg("device.json: %s", e.message);
    box->in.device = &box->device;
}

/* All of a case's files; with `trust` its own roots to start from. */
static void box_load(struct box *box, const char *name, bool trust)
{
    struct err e;
    AUTO_FD int dirfd = -1;
    AUTO_FREE char *path = mem_format("%s/%s", getenv("AIRLOCK_VERDICT_CASES"), name);
    *box = (struct box){0};
    assert_int_equal(fs_open_dir(path, &dirfd, &e), 0);
    load_folder(box, dirfd, "director");
    load_folder(box, dirfd, "image-repo");
    box->in = (struct verdict_input){.files = box->files, .file_count = box->file_count};
    assert_true(clock_parse(VERDICT_NOW, &box->in.now));
    load_device(box, dirfd);
    if (trust) {
        assert_int_equal(fs_read_at(dirfd, "trust/director.json", FILE_MAX, &box->director_root, &e), 0);
        assert_int_equal(fs_read_at(dirfd, "trust/repo.json", FILE_MAX, &box->image_root, &e), 0);
        box->in.trust = (struct verdict_trust){.director_root = box->director_root.data,
                                               .director_root_len = box->director_root.len,
                                               .image_root = box->image_root.data,
                                               .image_root_len = box->image_root.len};
    }
}

/* "board,pump-mcu"; "" for a device of which nothing is known. */
static void box_set_hardware(struct box *box, const char *ids)
{
    box->hardware_text = mem_strdup(ids);
    char *rest = box->hardware_text;
    for (char *id; (id = strsep(&rest, ",")) && *id;)
        box->hardware[box->in.hardware_id_count++] = id;
    box->in.hardware_ids = box->hardware;
}

static void box_free(struct box *box)
{
    for (size_t i = 0; i < box->file_count; i++) {
        free((char *)box->files[i].path);
        buf_free(&box->bytes[i]);
    }
    buf_free(&box->director_root);
    buf_free(&box->image_root);
    free(box->hardware_text);
    device_free(&box->device);
}

#endif
