/* SPDX-License-Identifier: Apache-2.0
 *
 * The laptop's three folders:
 *
 *   cache   ($XDG_CACHE_HOME/airlock)   objects/ab/<sha256>  whole and verified content, named by what it is
 *                                       partial/<sha256>     what is still arriving (incoming.h)
 *                                       lockboxes/<profile>/<name>.json   which objects make a lockbox
 * (record.h) state   ($XDG_STATE_HOME/airlock)   trust/<profile>/     pinned roots; keys/: the bundle signing
 * key config  ($XDG_CONFIG_HOME/airlock)  config, secrets      profiles (profile.h)
 *
 * Cleaning the cache loses downloads and nothing else. Several processes may use the folders at once: what
 * has a final name is never changed, only replaced or removed, and what is still arriving is locked by
 * whoever receives it.
 */
#ifndef AIRLOCK_STORE_STORE_H
#define AIRLOCK_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "crypto/hash.h"

struct store {
    int cache_fd, state_fd, config_fd;
    int objects_fd, partial_fd; /* within the cache */
};

#define STORE_CLOSED ((struct store){-1, -1, -1, -1, -1})

struct store_paths {
    const char *cache, *state, *config; /* folders; made where missing, private to the user */
};

must_check int store_open(const struct store_paths *paths, struct store *ret, struct err *e);
/* For reading only: what is not there, or cannot be opened, is as good as empty, and nothing is made. Never
 * fails. */
must_check int store_look(const struct store_paths *paths, struct store *ret, struct err *e);
void store_close(struct store *s);

/* ---- objects ---- */

/* "objects/ab/cdef…" of a digest. */
#define STORE_PATH_SIZE 80
#define STORE_OBJECTS "objects/"
void store_object_path(const uint8_t sha256[HASH_SIZE], char ret[STORE_PATH_SIZE]);
/* Is there an object of that size? Its bytes were verified when it got its name; who reads it checks them
 * again. */
bool store_has(const struct store *s, const uint8_t sha256[HASH_SIZE], uint64_t size);
/* A small object made of bytes at hand. */
must_check int store_put(const struct store *s, const void *bytes, size_t n, uint8_t ret_sha256[HASH_SIZE],
                         struct err *e);
/* The bytes of a small object, hashed again: ERR_WRONG_HASH (and the object is removed) when the disk changed
 * them. */
must_check int store_get(const struct store *s, const uint8_t sha256[HASH_SIZE], size_t limit,
                         struct buf *ret, struct err *e);
/* Removes an object that turned out damaged, so that the next fetch brings it again. */
must_check int store_drop(const struct store *s, const uint8_t sha256[HASH_SIZE], struct err *e);

#endif
