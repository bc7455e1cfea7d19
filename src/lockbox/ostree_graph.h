/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of the objects of an OSTree repository while it is checked: each is a node, missing until it
 * was seen, then good or bad; what a commit or a folder names are its edges. Whatever the order in which
 * objects are seen, in the end ostree_graph_report() goes from each commit along the edges and says what is
 * not good.
 */
#ifndef AIRLOCK_LOCKBOX_OSTREE_GRAPH_H
#define AIRLOCK_LOCKBOX_OSTREE_GRAPH_H

#include "fetch/ostree_set.h"
#include "lockbox/judge.h"
#include "lockbox/needs.h"

enum ostree_state { OSTREE_MISSING, OSTREE_GOOD, OSTREE_BAD };

struct ostree_node {
    enum ostree_state state;
    struct err *error; /* what is wrong with a bad one */
    size_t first_edge;
    uint32_t edge_count;
};

/* All edges together: in the largest images there are two for each object. 16 MiB. */
#define OSTREE_EDGES_MAX (4u << 20)

struct ostree_graph {
    struct ostree_set set; /* the nodes' names, by number */
    struct ostree_node *nodes;
    size_t node_room;
    uint32_t *edges; /* numbers of nodes */
    size_t edge_count, edge_room;
    bool has_config; /* of a repository in archive mode */
};

void ostree_graph_free(struct ostree_graph *g);
/* The number of the node of that name, which is made where there is none. ERR_TOO_LARGE. */
must_check int ostree_graph_node(struct ostree_graph *g, const struct ostree_name *name, uint32_t *ret,
                                 struct err *e);
/* The bytes of a commit, a dirtree or a dirmeta: settles its state, and its edges where it is good. -1 only
 * for ERR_TOO_LARGE. */
must_check int ostree_graph_read(struct ostree_graph *g, uint32_t node, const void *bytes, size_t n,
                                 struct err *e);
/* The same with the bytes of its file in the repository at `fd`; where that is not there, it stays missing.
 */
must_check int ostree_graph_read_at(struct ostree_graph *g, int fd, uint32_t node, struct err *e);
/* Settles the state of a file: good where `error` is NULL. Several threads may do so for different nodes. */
void ostree_graph_settle(struct ostree_graph *g, uint32_t node, const struct err *error);
/* The text of the repository's `config`: is it in archive mode, as a stick must be? */
void ostree_graph_read_config(struct ostree_graph *g, const char *text);

/* Nodes for the commits of the verdict's OSTree targets. ERR_TOO_LARGE. */
must_check int ostree_graph_add_commits(struct ostree_graph *g, const struct verdict *v, struct err *e);
/* All that is beneath a node, itself first, each once. ret: room for as many as the graph has. Returns how
 * many. */
size_t ostree_graph_reach(const struct ostree_graph *g, uint32_t from, uint32_t *ret);
/* How many objects are missing, commits aside, and the SHA-256 of their paths, each with a line feed, in the
 * order of their checksums. */
uint64_t ostree_graph_missing(const struct ostree_graph *g, uint8_t ret_sha256[HASH_SIZE]);

/* Adds to the verdict what keeps the device from installing its OSTree targets. Objects that are missing are
 * excused where they are exactly those that `needs` says were left out. */
void ostree_graph_report(const struct ostree_graph *g, const struct needs *needs, struct verdict *v);

#endif
