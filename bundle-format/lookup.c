/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct lookup lookup_new(const struct index *x, size_t contents)
{
    size_t room = 16;
    while (room < 2 * contents)
        room *= 2;
    return (struct lookup){.index = x, .numbers = mem_zeroed(room, sizeof(uint32_t)), .mask = room - 1};
}

uint32_t *lookup_place(const struct lookup *l, const uint8_t sha256[HASH_SIZE], uint64_t size)
{
    size_t at;
    memcpy(&at, sha256, sizeof at); /* a hash is as good a place as any */
    for (;; at++) {
        uint32_t *number = &l->numbers[at & l->mask];
        if (*number == 0)
            return number;
        const struct index_content *c = &l->index->contents[*number - 1];
        if (c->size == size && !memcmp(c->sha256, sha256, HASH_SIZE))
            return number;
    }
}

void lookup_free(struct lookup *l)
{
    free(l->numbers);
    *l = (struct lookup){0};
}
