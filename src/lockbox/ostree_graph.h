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
/* Settles the state of a file: good where `error` is NULL. Several threads may do so for different nodes. */
void ostree_graph_settle(struct ostree_graph *g, uint32_t node, const struct err *error);
/* The text of the repository's `config`: is it in archive mode, as a stick must be? */
void ostree_graph_read_config(struct ostree_graph *g, const char *text);

/* Adds to the verdict what keeps the device from installing its OSTree targets. */
void ostree_graph_report(const struct ostree_graph *g, struct verdict *v);

#endif
