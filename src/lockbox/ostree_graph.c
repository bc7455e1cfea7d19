/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/ostree_graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"

#define NAMED_MAX 5u /* bad objects of one target that are named; the others are counted */

void ostree_graph_free(struct ostree_graph *g)
{
    for (size_t i = 0; i < g->set.count; i++)
        free(g->nodes[i].error);
    ostree_set_free(&g->set);
    free(g->nodes);
    free(g->edges);
    *g = (struct ostree_graph){0};
}

int ostree_graph_node(struct ostree_graph *g, const struct ostree_name *name, uint32_t *ret, struct err *e)
{
    bool is_new;
    if (ostree_set_add(&g->set, name, ret, &is_new, e))
        return -1;
    if (is_new) {
        mem_grow(&g->nodes, *ret, &g->node_room, sizeof *g->nodes);
        g->nodes[*ret] = (struct ostree_node){.state = OSTREE_MISSING};
    }
    return 0;
}

static int add_edge(void *graph, const struct ostree_name *name, struct err *e)
{
    struct ostree_graph *g = graph;
    uint32_t to;
    if (g->edge_count == OSTREE_EDGES_MAX)
        return err_set(e, ERR_TOO_LARGE, "its folders name more than %u objects", OSTREE_EDGES_MAX);
    if (ostree_graph_node(g, name, &to, e))
        return -1;
    mem_grow(&g->edges, g->edge_count, &g->edge_room, sizeof *g->edges);
    g->edges[g->edge_count++] = to;
    return 0;
}

int ostree_graph_read(struct ostree_graph *g, uint32_t node, const void *bytes, size_t n, struct err *e)
{
    const struct ostree_visitor visitor = {add_edge, g};
    const struct ostree_name name = g->set.names[node]; /* which the set may move while it grows */
    size_t first = g->edge_count;
    int rc = ostree_metadata_read(&name, bytes, n, &visitor, e);
    if (rc && e->id == ERR_TOO_LARGE)
        return -1;
    ostree_graph_settle(g, node, rc ? e : NULL);
    g->nodes[node].first_edge = first;
    g->nodes[node].edge_count = (uint32_t)(g->edge_count - first);
    return 0;
}

int ostree_graph_read_at(struct ostree_graph *g, int fd, uint32_t node, struct err *e)
{
    struct err cannot;
    char path[OSTREE_PATH_SIZE];
    AUTO(buf) struct buf bytes = {0};
    ostree_path(&g->set.names[node], path);
    if (fs_read_at(fd, path, OSTREE_METADATA_MAX, &bytes, &cannot) == 0)
        return ostree_graph_read(g, node, bytes.data, bytes.len, e);
    if (cannot.id != ERR_NO_SUCH_PATH)
        ostree_graph_settle(g, node, &cannot);
    return 0;
}

void ostree_graph_settle(struct ostree_graph *g, uint32_t node, const struct err *error)
{
    struct ostree_node *n = &g->nodes[node];
    n->state = error ? OSTREE_BAD : OSTREE_GOOD;
    if (error) {
        free(n->error);
        n->error = mem_zeroed(1, sizeof *error);
        *n->error = *error;
    }
}

/* A line "mode=archive", whatever blanks are in it; "archive-z2" is its older name. */
void ostree_graph_read_config(struct ostree_graph *g, const char *text)
{
    while (*text) {
        char key[8], value[16];
        size_t len = strcspn(text, "\n");
        AUTO_FREE char *line = mem_strndup(text, len);
        if (sscanf(line, " %7[a-z] = %15[a-z0-9-]", key, value) == 2 && !strcmp(key, "mode") &&
            (!strcmp(value, "archive") || !strcmp(value, "archive-z2")))
            g->has_config = true;
        text += len + (text[len] == '\n');
    }
}

int ostree_graph_add_commits(struct ostree_graph *g, const struct verdict *v, struct err *e)
{
    for (size_t i = 0; i < v->target_count; i++) {
        struct ostree_name name = {.kind = OSTREE_COMMIT};
        uint32_t node;
        memcpy(name.checksum, v->targets[i].sha256, HASH_SIZE);
        if (v->targets[i].is_ostree && ostree_graph_node(g, &name, &node, e))
            return -1;
    }
    return 0;
}

size_t ostree_graph_reach(const struct ostree_graph *g, uint32_t from, uint32_t *ret)
{
    AUTO_FREE bool *seen = mem_zeroed(g->set.count, sizeof *seen);
    size_t count = 0;
    ret[count++] = from;
    seen[from] = true;
    for (size_t i = 0; i < count; i++) {
        const struct ostree_node *n = &g->nodes[ret[i]];
        for (size_t k = 0; k < n->edge_count; k++) {
            uint32_t to = g->edges[n->first_edge + k];
            if (!seen[to])
                ret[count++] = to;
            seen[to] = true;
        }
    }
    return count;
}

static int compare_names(const void *a, const void *b)
{
    const struct ostree_name *x = a, *y = b;
    int order = memcmp(x->checksum, y->checksum, HASH_SIZE);
    return order ? order : (x->kind > y->kind) - (x->kind < y->kind);
}

uint64_t ostree_graph_missing(const struct ostree_graph *g, uint8_t ret_sha256[HASH_SIZE])
{
    AUTO_FREE struct ostree_name *names = mem_zeroed(g->set.count, sizeof *names);
    size_t count = 0;
    for (size_t i = 0; i < g->set.count; i++)
        if (g->nodes[i].state == OSTREE_MISSING && g->set.names[i].kind != OSTREE_COMMIT)
            names[count++] = g->set.names[i];
    qsort(names, count, sizeof *names, compare_names);
    struct hash *hash = hash_new();
    for (size_t i = 0; i < count; i++) {
        char path[OSTREE_PATH_SIZE];
        ostree_path(&names[i], path);
        hash_update(hash, path, strlen(path));
        hash_update(hash, "\n", 1);
    }
    hash_final(hash, ret_sha256);
    hash_delete(hash);
    return count;
}

/* ---- the report ---- */

struct report {
    const struct ostree_graph *graph;
    struct verdict *verdict;
    const struct verdict_target *target;
    bool excused; /* what is missing was left out */
    size_t bad;
};

static void add_problem(struct report *r, enum err_id id, const char *text)
{
    judge_add_problem(r->verdict, id, "", r->target->wanted, "target '%s': %s", r->target->name, text);
}

static void judge_node(struct report *r, uint32_t number)
{
    char path[OSTREE_PATH_SIZE];
    const struct ostree_node *n = &r->graph->nodes[number];
    const struct ostree_name *name = &r->graph->set.names[number];
    if (n->state == OSTREE_GOOD ||
        (n->state == OSTREE_MISSING && r->excused && name->kind != OSTREE_COMMIT) || ++r->bad > NAMED_MAX)
        return;
    ostree_path(name, path);
    AUTO_FREE char *text = n->state == OSTREE_MISSING
                               ? mem_format("'images/ostree/%s' is not there", path)
                               : mem_format("'images/ostree/%s': %s", path, n->error->message);
    add_problem(r, n->state == OSTREE_MISSING ? ERR_MISSING_TARGET : n->error->id, text);
}

static void judge_commit(struct report *r, uint32_t commit)
{
    AUTO_FREE uint32_t *nodes = mem_zeroed(r->graph->set.count, sizeof *nodes);
    size_t count = ostree_graph_reach(r->graph, commit, nodes);
    for (size_t i = 0; i < count; i++)
        judge_node(r, nodes[i]);
}

/* Those, all of those and no others: a file that a stick lost is not excused by one that was left out. */
static bool are_left_out(const struct ostree_graph *g, const struct needs *needs)
{
    uint8_t sha256[HASH_SIZE];
    return needs->count && ostree_graph_missing(g, sha256) == needs->objects &&
           !memcmp(sha256, needs->sha256, HASH_SIZE);
}

void ostree_graph_report(const struct ostree_graph *g, const struct needs *needs, struct verdict *v)
{
    bool excused = are_left_out(g, needs);
    for (size_t i = 0; i < v->target_count; i++) {
        const struct verdict_target *t = &v->targets[i];
        struct report r = {.graph = g, .verdict = v, .target = t, .excused = excused};
        struct ostree_name name = {.kind = OSTREE_COMMIT};
        uint32_t commit;
        if (!t->is_ostree)
            continue;
        memcpy(name.checksum, t->sha256, HASH_SIZE);
        if (ostree_set_find(&g->set, &name, &commit))
            judge_commit(&r, commit);
        if (r.bad > NAMED_MAX) {
            AUTO_FREE char *text = mem_format("%zu more objects are missing or damaged", r.bad - NAMED_MAX);
            add_problem(&r, ERR_MISSING_TARGET, text);
        }
        if (r.bad && needs->count && !excused)
            add_problem(
                &r, ERR_MISSING_TARGET,
                "some objects were left out when it was written, but what is missing is not just those");
        if (!g->has_config)
            add_problem(&r, ERR_MISSING_TARGET,
                        "'images/ostree/config' of a repository in archive mode is not there");
    }
}
