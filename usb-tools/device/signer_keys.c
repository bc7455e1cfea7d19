/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/signer_keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/hex.h"
#include "base/mem.h"

static bool is_blank(const char *line, size_t len)
{
    size_t at = 0;
    while (at < len && (line[at] == ' ' || line[at] == '\t' || line[at] == '\r'))
        at++;
    return at == len || line[at] == '#';
}

static bool add_line(struct signer_keys *k, const char *line, size_t len)
{
    const size_t digits = 2 * SIGN_PUBLIC_SIZE;
    uint8_t key[SIGN_PUBLIC_SIZE];
    if (len < digits || (len > digits && line[digits] != ' ') || !hex_decode(line, digits, key, sizeof key))
        return false;
    k->list = mem_resize(k->list, k->count + 1, sizeof *k->list);
    memcpy(k->list[k->count++], key, sizeof key);
    return true;
}

int signer_keys_parse(const struct buf *text, const char *name, struct signer_keys *ret, struct err *e)
{
    AUTO(signer_keys) struct signer_keys k = {0};
    unsigned number = 0;
    const char *at = buf_text(text), *end = at + text->len;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop ? stop : end) - at);
        number++;
        if (!is_blank(at, len) && !add_line(&k, at, len)) {
            err_set(e, ERR_BAD_CONFIG, "'%s', line %u, names no key", name, number);
            return err_hint(e, "a line is 64 hexadecimal digits, a blank and a name");
        }
        at = stop ? stop + 1 : end;
    }
    *ret = k;
    k = (struct signer_keys){0};
    return 0;
}

int signer_keys_load(int root_fd, struct signer_keys *ret, struct err *e)
{
    AUTO(buf) struct buf bytes = {0};
    *ret = (struct signer_keys){0};
    if (fs_read_at(root_fd, SIGNER_KEYS_PATH, SIGNER_KEYS_MAX, &bytes, e))
        return e->id == ERR_NO_SUCH_PATH ? 0 : err_context(e, "'/" SIGNER_KEYS_PATH "'");
    return signer_keys_parse(&bytes, "/" SIGNER_KEYS_PATH, ret, e);
}

void signer_keys_free(struct signer_keys *k)
{
    free(k->list);
    *k = (struct signer_keys){0};
}

int signer_keys_check(const struct signer_keys *k, const struct bundle *b, struct err *e)
{
    for (size_t i = 0; i < bundle_signature_count(b); i++) {
        const struct bundle_signature s = bundle_signature_at(b, i);
        for (size_t n = 0; n < k->count; n++)
            if (!memcmp(s.public_key, k->list[n], SIGN_PUBLIC_SIZE))
                return 0;
    }
    if (k->count == 0)
        return 0;
    err_set(e, ERR_BUNDLE_SIGNER, "none of the device's %zu keys signed the bundle", k->count);
    return err_hint(
        e, "have it signed by one of them (airlock sign), or enrol the signer in /" SIGNER_KEYS_PATH);
}
