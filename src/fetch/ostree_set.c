/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/ostree_set.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"

#define SLOTS_FIRST 1024u

void ostree_set_free(struct ostree_set *s)
{
    free(s->names);
    free(s->slots);
    *s = (struct ostree_set){0};
}

/* Multilinear hashing: with random keys, names that somebody chose to collide do so no more often than
 * others. (Where there are no random numbers it is still right, only slower under attack.) */
static size_t slot_of(const struct ostree_set *s, const struct ostree_name *name)
{
    uint64_t sum = (uint64_t)name->kind << 32;
    for (size_t i = 0; i < COUNT_OF(s->keys); i++) {
        uint32_t word;
        memcpy(&word, name->checksum + 4 * i, sizeof word);
        sum += s->keys[i] * word;
    }
    return (size_t)(sum >> 32) & (s->slot_count - 1);
}

static bool equal(const struct ostree_name *a, const struct ostree_name *b)
{
    return a->kind == b->kind && memcmp(a->checksum, b->checksum, HASH_SIZE) == 0;
}

/* The slot that holds the name, or the free one where it belongs. */
static uint32_t *find_slot(const struct ostree_set *s, const struct ostree_name *name)
{
    size_t i = slot_of(s, name);
    while (s->slots[i] && !equal(&s->names[s->slots[i] - 1], name))
        i = (i + 1) & (s->slot_count - 1);
    return &s->slots[i];
}

/* Twice as many slots, at most half of them full. */
static void grow(struct ostree_set *s)
{
    if (!s->slots && getrandom(s->keys, sizeof s->keys, 0) != (ssize_t)sizeof s->keys)
        memset(s->keys, 0x5b, sizeof s->keys);
    s->slot_count = s->slot_count ? 2 * s->slot_count : SLOTS_FIRST;
    free(s->slots);
    s->slots = mem_zeroed(s->slot_count, sizeof *s->slots);
    for (size_t i = 0; i < s->count; i++)
        *find_slot(s, &s->names[i]) = (uint32_t)i + 1;
}

int ostree_set_add(struct ostree_set *s, const struct ostree_name *name, uint32_t *ret, bool *ret_new,
                   struct err *e)
{
    if (2 * (s->count + 1) > s->slot_count)
        grow(s);
    uint32_t *slot = find_slot(s, name);
    *ret_new = *slot == 0;
    if (*ret_new) {
        if (s->count == OSTREE_OBJECTS_MAX)
            return err_set(e, ERR_TOO_LARGE, "more than %u OSTree objects", OSTREE_OBJECTS_MAX);
        mem_grow(&s->names, s->count, &s->room, sizeof *s->names);
        s->names[s->count] = *name;
        *slot = (uint32_t)++s->count;
    }
    *ret = *slot - 1;
    return 0;
}

bool ostree_set_find(const struct ostree_set *s, const struct ostree_name *name, uint32_t *ret)
{
    uint32_t slot = s->slots ? *find_slot(s, name) : 0;
    *ret = slot - 1;
    return slot != 0;
}
