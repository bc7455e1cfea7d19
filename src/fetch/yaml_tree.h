/* SPDX-License-Identifier: Apache-2.0
 *
 * A YAML document as a tree, read with libyaml for one purpose: to know what a compose file says. Only
 * YAML 1.1 mappings, sequences, scalars, anchors and aliases; nothing is converted, a scalar is its text. An
 * alias is a reference and is never expanded, so that a file of a few lines cannot grow into gigabytes. The
 * file is hostile: its size, depth, nodes and anchors are capped.
 *
 *     AUTO(yaml_tree) struct yaml_tree t = {0};
 *     if (yaml_tree_parse(bytes, len, &t, e)) …
 *     uint32_t services = yaml_get(&t, yaml_root(&t), "services");
 *
 * A node is a number, YAML_NONE where there is none; functions that take one accept YAML_NONE and follow
 * aliases.
 */
#ifndef AIRLOCK_FETCH_YAML_TREE_H
#define AIRLOCK_FETCH_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING, YAML_ALIAS };

#define YAML_NONE UINT32_MAX
#define YAML_DEPTH_MAX 32u     /* a compose file nests 8 deep */
#define YAML_NODES_MAX 65536u  /* a compose file of 100 services has some thousand */
#define YAML_ANCHORS_MAX 1024u /* each alias looks through them */

struct yaml_node {
    enum yaml_kind kind;
    uint32_t first; /* the first element, or key; of an alias: what it stands for; else YAML_NONE */
    uint32_t next;  /* the next element; of a key: its value; of a value: the next key; else YAML_NONE */
    unsigned line;  /* counted from 1 */
    char *text;     /* of a scalar, NUL-terminated and without NUL inside; else NULL */
};

struct yaml_tree {
    struct yaml_node *nodes;
    size_t count, room;
};

/* Exactly one document. ERR_BAD_COMPOSE with the line. */
must_check int yaml_tree_parse(const void *bytes, size_t len, struct yaml_tree *ret, struct err *e);
void yaml_tree_free(struct yaml_tree *t);

uint32_t yaml_root(const struct yaml_tree *t);
/* What an alias stands for; the node itself otherwise. */
uint32_t yaml_resolve(const struct yaml_tree *t, uint32_t node);
bool yaml_is(const struct yaml_tree *t, uint32_t node, enum yaml_kind kind);
unsigned yaml_line(const struct yaml_tree *t, uint32_t node);
/* NULL when it is no scalar. */
const char *yaml_text(const struct yaml_tree *t, uint32_t node);
/* Elements of a sequence, keys of a mapping. */
uint32_t yaml_first(const struct yaml_tree *t, uint32_t node);
uint32_t yaml_next_element(const struct yaml_tree *t, uint32_t element);
uint32_t yaml_value(const struct yaml_tree *t, uint32_t key);
uint32_t yaml_next_key(const struct yaml_tree *t, uint32_t key);
/* The key of that text itself (for its line); YAML_NONE where the node is no mapping or has none. */
uint32_t yaml_key(const struct yaml_tree *t, uint32_t mapping, const char *key);
uint32_t yaml_get(const struct yaml_tree *t, uint32_t mapping, const char *key);
/* The first key that is there twice, or that is no scalar; YAML_NONE: every key is a text and there once. */
uint32_t yaml_bad_key(const struct yaml_tree *t, uint32_t mapping);

#endif
