/* SPDX-License-Identifier: Apache-2.0
 *
 * The targets role of the image repository and the delegations below it, as a graph: a node per file, an edge
 * per delegation. A file is parsed once and an edge is verified once, when it is first followed, however
 * often they are searched. Internal to src/uptane.
 */
#ifndef AIRLOCK_UPTANE_TARGETS_GRAPH_H
#define AIRLOCK_UPTANE_TARGETS_GRAPH_H

#include "uptane/check.h"
#include "uptane/delegation.h"

struct graph_edge {
    struct graph_node *child;        /* NULL: the file is not there or cannot be read */
    bool followed;                   /* the fields below are decided */
    bool good;                       /* signed, listed, of the right content; its date may be past */
    bool stops_device;               /* the device refuses the whole lockbox when it comes here */
    bool expired, skipped_by_device; /* in the second in which it expires the device still takes it */
    bool reached_by_standard, reached_by_device;
    struct flaws flaws;
};

struct graph_node {
    char *name; /* "targets" or the delegation's */
    struct role *role;
    struct json_value targets; /* only with readable */
    struct delegations delegations;
    struct graph_edge *edges; /* one per delegation */
    bool readable;            /* verified at least once, and its content is well-formed */
    bool interpreted;         /* readable is decided */
    bool on_path;             /* of the search under way */
    struct err fault;         /* why not readable */
};

struct graph {
    struct check *c;
    const struct role *snapshot;
    struct graph_node **nodes; /* nodes[0]: the top-level targets */
    size_t count, room;
    size_t edge_count; /* delegations of all nodes */
    uint64_t verified; /* bytes, and what signatures cost: a file may be delegated to again and again */
    uint64_t searched; /* bytes of paths times bytes of names */
};

/* Hostile graphs cost no more than this: edges have a memory of their own, a file is verified for every
 * delegation to it, and every path of a delegation is held against every target. Honest ones stay far below.
 */
#define GRAPH_EDGES_MAX 4096
#define GRAPH_VERIFIED_MAX (UINT64_C(256) << 20)
#define GRAPH_SEARCHED_MAX UINT64_C(4000000000)

/* Starts with targets.json. False (all reported) when it must not be read. */
bool graph_open(struct graph *g, struct check *c, const struct root *root, const struct role *snapshot);
void graph_free(struct graph *g);

/* Edge i of the node, verified. */
struct graph_edge *graph_follow(struct graph *g, struct graph_node *node, size_t i);
/* Follows what no search has followed, and reports the flaws of every edge. */
void graph_report(struct graph *g);

#endif
