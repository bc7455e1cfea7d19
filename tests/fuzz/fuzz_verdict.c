/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole lockbox. The input is a run of files, each a line with its path, a line with its length in decimal,
 * and that many bytes; a last piece that is cut short counts with what is there. "device.json" is the state
 * of the device. Whatever the files hold, the verdict must keep its own rules.
 *
 * No mutation would get past a signature. So the linker puts __wrap_pubkey_verify() in the place of
 * pubkey_verify() for this program, and every signature holds: what lies behind is what is tried here.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/pubkey.h"
#include "uptane/device.h"
#include "uptane/verdict.h"

#define FILES_MAX 24

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
bool __wrap_pubkey_verify(const struct pubkey *key, const void *message, size_t len, const char *signature,
                          size_t signature_len);

bool __wrap_pubkey_verify(const struct pubkey *key, const void *message, size_t len, const char *signature,
                          size_t signature_len)
{
    (void)key, (void)message, (void)len, (void)signature, (void)signature_len;
    return true;
}

/* The next line without its end; NULL when there is none. */
static char *take_line(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *stop = *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;
    if (!stop)
        return NULL;
    char *line = mem_strndup(*at, (size_t)(stop - *at));
    *at = stop + 1;
    return line;
}

static bool take_file(const uint8_t **at, const uint8_t *end, struct verdict_file *ret)
{
    char *path = take_line(at, end);
    AUTO_FREE char *length = take_line(at, end);
    if (!path || !length) {
        free(path);
        return false;
    }
    size_t len = (size_t)strtoul(length, NULL, 10), left = (size_t)(end - *at);
    *ret = (struct verdict_file){.path = path, .bytes = *at, .len = len < left ? len : left};
    *at += ret->len;
    return true;
}

static void check(const struct verdict *v)
{
    bool breaks = false, refuses = false;
    for (size_t i = 0; i < v->problem_count; i++) {
        breaks |= v->problems[i].breaks_validity;
        refuses |= v->problems[i].device_refuses;
    }
    if (v->valid == breaks || (v->outcome == VERDICT_INSTALL && refuses) ||
        (v->outcome == VERDICT_REFUSE && !refuses))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct verdict_file files[FILES_MAX];
    struct verdict_input in = {.files = files, .now = 1795392000}; /* 2026-11-23 */
    const uint8_t *at = bytes, *end = bytes + len;
    AUTO(device) struct device device = {0};
    AUTO(verdict) struct verdict v = {0};
    struct err e;
    while (in.file_count < FILES_MAX && take_file(&at, end, &files[in.file_count])) {
        const struct verdict_file *file = &files[in.file_count++];
        if (!in.device && !strcmp(file->path, "device.json") &&
            device_parse(file->bytes, file->len, &device, &e) == 0)
            in.device = &device;
    }
    if (verdict_decide(&in, &v, &e) == 0)
        check(&v);
    for (size_t i = 0; i < in.file_count; i++)
        free((char *)files[i].path);
    return 0;
}
