/* SPDX-License-Identifier: Apache-2.0 */
#include "store/signers.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/hex.h"
#include "base/mem.h"

#define SIGNERS_PATH "keys/signers"
#define LINE_MAX_BYTES (2 * SIGN_PUBLIC_SIZE + 1 + SIGNER_NAME_MAX + 1)

static bool is_name(const char *name, size_t len)
{
    bool word = len > 0 && len <= SIGNER_NAME_MAX && name[0] != '-';
    for (size_t i = 0; i < len && word; i++)
        word = isalnum((unsigned char)name[i]) || strchr("._-", name[i]);
    return word;
}

static void add(struct signers *known, const uint8_t *public_key, const char *name, size_t name_len)
{
    mem_grow(&known->list, known->count, &known->room, sizeof *known->list);
    size_t at = known->count++;
    struct signer new = {0};
    memcpy(new.public_key, public_key, SIGN_PUBLIC_SIZE);
    memcpy(new.name, name, name_len);
    for (; at > 0 && strcmp(known->list[at - 1].name, new.name) > 0; at--)
        known->list[at] = known->list[at - 1];
    known->list[at] = new;
}

/* "<64 hex digits> <name>", without its newline. */
static bool parse_line(const char *line, size_t len, struct signers *known)
{
    const size_t hex = 2 * SIGN_PUBLIC_SIZE;
    uint8_t key[SIGN_PUBLIC_SIZE];
    if (len <= hex + 1 || line[hex] != ' ' || !hex_decode(line, hex, key, sizeof key) ||
        !is_name(line + hex + 1, len - hex - 1))
        return false;
    add(known, key, line + hex + 1, len - hex - 1);
    return true;
}

static int parse(const struct buf *text, struct signers *known, struct err *e)
{
    const char *at = (const char *)text->data, *end = at + text->len;
    for (unsigned number = 1; at < end; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        if (!newline || !parse_line(at, (size_t)(newline - at), known) || known->count > SIGNERS_MAX)
            return err_set(e, ERR_BAD_CONFIG, SIGNERS_PATH ", line %u: no key and name of a trusted signer",
                           number);
        at = newline + 1;
    }
    return 0;
}

int signers_load(const struct store *s, struct signers *ret, struct err *e)
{
    AUTO(buf) struct buf text = {0};
    AUTO(signers) struct signers known = {0};
    if (s->state_fd < 0)
        return 0; /* a store that is only looked at, and is not there */
    if (fs_read_at(s->state_fd, SIGNERS_PATH, SIGNERS_MAX * LINE_MAX_BYTES, &text, e))
        return e->id == ERR_NO_SUCH_PATH ? 0 : -1;
    if (parse(&text, &known, e))
        return -1;
    *ret = known;
    known = (struct signers){0};
    return 0;
}

void signers_free(struct signers *known)
{
    free(known->list);
    *known = (struct signers){0};
}

const struct signer *signers_find(const struct signers *known, const uint8_t public_key[SIGN_PUBLIC_SIZE])
{
    for (size_t i = 0; i < known->count; i++)
        if (!memcmp(known->list[i].public_key, public_key, SIGN_PUBLIC_SIZE))
            return &known->list[i];
    return NULL;
}

const struct signer *signers_named(const struct signers *known, const char *name)
{
    for (size_t i = 0; i < known->count; i++)
        if (!strcmp(known->list[i].name, name))
            return &known->list[i];
    return NULL;
}

static int save(const struct store *s, const struct signers *known, struct err *e)
{
    AUTO(buf) struct buf text = {0};
    AUTO_FD int keys = -1;
    for (size_t i = 0; i < known->count; i++) {
        char hex[2 * SIGN_PUBLIC_SIZE + 1];
        hex_encode(known->list[i].public_key, SIGN_PUBLIC_SIZE, hex);
        buf_addf(&text, "%s %s\n", hex, known->list[i].name);
    }
    if (fs_open_dir_at(s->state_fd, "keys", true, &keys, e))
        return -1;
    return fs_replace_at(s->state_fd, SIGNERS_PATH, text.data, text.len, 0600, e);
}

int signers_trust(const struct store *s, const char *name, const uint8_t public_key[SIGN_PUBLIC_SIZE],
                  struct err *e)
{
    AUTO(signers) struct signers known = {0};
    if (!is_name(name, strlen(name)))
        return err_set(e, ERR_USAGE,
                       "'%s' is no name for a key: letters, digits, '.', '_' and '-', at most %u", name,
                       SIGNER_NAME_MAX);
    if (signers_load(s, &known, e))
        return -1;
    const struct signer *same = signers_find(&known, public_key), *named = signers_named(&known, name);
    if (same && same == named)
        return 0;
    if (same)
        return err_set(e, ERR_ALREADY_EXISTS, "this key is trusted under the name '%s' already", same->name);
    if (named)
        return err_set(e, ERR_ALREADY_EXISTS, "another key is trusted under the name '%s'", name);
    if (known.count == SIGNERS_MAX)
        return err_set(e, ERR_TOO_LARGE, "%u keys are trusted already", SIGNERS_MAX);
    add(&known, public_key, name, strlen(name));
    return save(s, &known, e);
}

int signers_forget(const struct store *s, const char *name, struct err *e)
{
    AUTO(signers) struct signers known = {0};
    if (signers_load(s, &known, e))
        return -1;
    for (size_t i = 0; i < known.count; i++) {
        if (strcmp(known.list[i].name, name) != 0)
            continue;
        memmove(&known.list[i], &known.list[i + 1], (known.count - i - 1) * sizeof *known.list);
        known.count--;
        return save(s, &known, e);
    }
    return err_set(e, ERR_USAGE, "no key is trusted under the name '%s'", name);
}
