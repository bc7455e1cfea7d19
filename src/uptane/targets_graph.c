/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/targets_graph.h"

#include <string.h>

#include "base/mem.h"
#include "crypto/canonical.h"
#include "uptane/snapshot.h"

static struct graph_node *add_node(struct graph *g, const char *name, struct role *role)
{
    struct graph_node *node = mem_zeroed(1, sizeof *node);
    node->name = mem_strdup(name);
    node->role = role;
    mem_grow(&g->nodes, g->count, &g->room, sizeof(struct graph_node *));
    g->nodes[g->count++] = node;
    return node;
}

static int check_entries(struct json_value targets, struct err *e)
{
    for (size_t i = 0, n = json_count(targets); i < n; i++) {
        struct target unused;
        size_t len;
        const char *name = json_key_at(targets, i, &len);
        if (target_parse(json_at(targets, i), &unused, e))
            return err_context(e, "target '%.*s'", (int)(len < 200 ? len : 200), name);
    }
    return 0;
}

/* Reads the content of a node whose signatures hold. */
static void interpret(struct graph *g, struct graph_node *node)
{
    if (node->interpreted)
        return;
    node->interpreted = true;
    if (!json_get_typed(node->role->body, "targets", JSON_OBJECT, &node->targets)) {
        err_set(&node->fault, ERR_BAD_ROLE, "it has no targets");
        return;
    }
    if (check_entries(node->targets, &node->fault) ||
        delegations_parse(node->role, &node->delegations, &node->fault))
        return;
    g->edge_count += node->delegations.count;
    if (g->edge_count > GRAPH_EDGES_MAX) {
        err_set(&node->fault, ERR_BAD_DELEGATION, "with it there are more than %d delegations",
                GRAPH_EDGES_MAX);
        return;
    }
    node->edges = mem_zeroed(node->delegations.count, sizeof *node->edges);
    node->readable = true;
}

static void report_content(const struct graph_node *node, struct flaws *flaws)
{
    if (!node->readable)
        flaws_add_err(flaws, &node->fault);
    else if (node->delegations.ring.device_refuses)
        flaws_add(flaws, ERR_UNSUPPORTED_KEY, true, false,
                  "version %lld delegates to a key of a type that the device does not know",
                  (long long)node->role->version);
}

/* Listed in the snapshot with this content? */
static bool is_listed(const struct graph *g, const char *name, const struct role *role, struct flaws *flaws)
{
    AUTO_FREE char *file = mem_format("%s.json", name);
    struct snapshot_entry entry;
    if (snapshot_find(g->snapshot, file, &entry))
        return snapshot_confirms(&entry, role, true, flaws);
    flaws_add(flaws, ERR_NOT_IN_SNAPSHOT, true, true, "the snapshot, version %lld, does not list it",
              (long long)g->snapshot->version);
    return false;
}

bool graph_open(struct graph *g, struct check *c, const struct root *root, const struct role *snapshot)
{
    *g = (struct graph){.c = c, .snapshot = snapshot};
    AUTO(flaws) struct flaws flaws = {0};
    const char *name = role_type_name(ROLE_TARGETS);
    struct role *role = check_role(c, REPO_IMAGE, name, ROLE_TARGETS, root, &flaws);
    bool listed = role && is_listed(g, name, role, &flaws);
    if (role) {
        struct graph_node *top = add_node(g, name, role);
        interpret(g, top);
        report_content(top, &flaws);
        check_add_role(c, REPO_IMAGE, check_file(c, REPO_IMAGE, name), name, role,
                       listed && top->readable && c->in->now < role->expires, true);
    }
    check_report(c, REPO_IMAGE, "image-repo/targets.json", &flaws);
    return g->count && g->nodes[0]->readable;
}

static void free_node(struct graph_node *node)
{
    for (size_t i = 0; node->edges && i < node->delegations.count; i++)
        flaws_free(&node->edges[i].flaws);
    free(node->edges);
    delegations_free(&node->delegations);
    role_delete(node->role);
    free(node->name);
    free(node);
}

void graph_free(struct graph *g)
{
    for (size_t i = 0; i < g->count; i++)
        free_node(g->nodes[i]);
    free(g->nodes);
    *g = (struct graph){0};
}

/* The node of a delegated file, parsed when it is first asked for; NULL when that fails. */
static struct graph_node *delegated_node(struct graph *g, const char *name, struct flaws *flaws)
{
    struct role *role;
    struct err e;
    for (size_t i = 1; i < g->count; i++)
        if (!strcmp(g->nodes[i]->name, name))
            return g->nodes[i];
    const struct verdict_file *file = check_file(g->c, REPO_IMAGE, name);
    if (!file) {
        flaws_add(flaws, ERR_MISSING_ROLE, true, true, "the file of this delegation is not there");
        return NULL;
    }
    if (role_parse(file->bytes, file->len, ROLE_TARGETS, &role, &e)) {
        flaws_add_err(flaws, &e);
        return NULL;
    }
    return add_node(g, name, role);
}

/* The client keeps what it has stored, and stops where that is newer than its snapshot says. */
static void check_stored(const struct graph *g, const char *name, const struct graph_node *child,
                         struct flaws *flaws)
{
    const struct device *device = g->c->view ? g->c->in->device : NULL;
    const struct device_role *own = device ? device_delegation(device, name) : NULL;
    AUTO_FREE char *file = mem_format("%s.json", name);
    struct snapshot_entry entry;
    uint8_t sha256[HASH_SIZE];
    if (!own || !snapshot_find(g->snapshot, file, &entry))
        return;
    if (own->version > entry.version)
        flaws_add(flaws, ERR_ROLLBACK, true, false,
                  "the device has stored version %lld, and the snapshot lists version %lld",
                  (long long)own->version, (long long)entry.version);
    if (own->version != entry.version || own->bytes)
        return;
    if (!own->has_sha256) {
        check_assume(g->c, "what the device has stored as version %lld of delegation '%s' is what lies here",
                     (long long)own->version, name);
        return;
    }
    canonical_hash(json_root(&child->role->doc), sha256);
    if (memcmp(sha256, own->sha256, HASH_SIZE) != 0)
        flaws_add(flaws, ERR_STORED_NEWER, true, false,
                  "the device has stored other content as version %lld and goes by that",
                  (long long)own->version);
}

/* Is there still time to verify this file for one more delegation? */
static bool can_afford(struct graph *g, const struct role *role)
{
    const uint64_t signature = 16u << 10; /* to check one takes as long as to hash so many bytes */
    g->verified += role->len + signature * json_count(role->signatures);
    return g->verified <= GRAPH_VERIFIED_MAX;
}

static void verify_edge(struct graph *g, const struct graph_node *node, const struct delegation *d,
                        struct graph_edge *edge)
{
    struct graph_node *child = edge->child;
    struct flaws *flaws = &edge->flaws;
    if (child->role->len > DEVICE_TARGETS_MAX)
        flaws_add(flaws, ERR_DEVICE_LIMIT, true, false, "%zu bytes; the device reads at most %u",
                  child->role->len, DEVICE_TARGETS_MAX);
    if (!can_afford(g, child->role)) {
        flaws_add(flaws, ERR_BAD_DELEGATION, true, true,
                  "too many delegations lead to large files: this one is not verified");
        edge->stops_device = true;
        return;
    }
    bool listed = is_listed(g, d->name, child->role, flaws);
    bool is_signed = role_verify(child->role, &node->delegations.ring, &d->grant, flaws);
    check_stored(g, d->name, child, flaws);
    if (is_signed) {
        interpret(g, child);
        report_content(child, flaws);
    }
    edge->good = listed && is_signed && child->readable;
    for (size_t i = 0; i < flaws->count; i++)
        edge->stops_device |= flaws->list[i].device_refuses;
    edge->expired = check_date(g->c, child->role, REPO_IMAGE, ROLE_TARGETS, flaws);
    edge->skipped_by_device = g->c->in->now > child->role->expires;
}

struct graph_edge *graph_follow(struct graph *g, struct graph_node *node, size_t i)
{
    struct graph_edge *edge = &node->edges[i];
    const struct delegation *d = &node->delegations.list[i];
    if (edge->followed)
        return edge;
    edge->followed = true;
    edge->child = delegated_node(g, d->name, &edge->flaws);
    if (edge->child)
        verify_edge(g, node, d, edge);
    else
        edge->stops_device = true;
    const struct verdict_file *file = check_file(g->c, REPO_IMAGE, d->name);
    if (file)
        check_add_role(g->c, REPO_IMAGE, file, d->name, edge->child ? edge->child->role : NULL,
                       edge->good && !edge->expired, false);
    return edge;
}

/* A delegation that nobody needs may be missing or out of date; a forged one may not be there at all. The
 * device skips an expired one, so that its date alone is never what makes it refuse. */
static void report_edge(struct graph *g, const struct delegation *d, const struct graph_edge *edge)
{
    AUTO_FREE char *path = mem_format("image-repo/%s.json", d->name);
    for (size_t i = 0; i < edge->flaws.count; i++) {
        const struct flaw *flaw = &edge->flaws.list[i];
        bool harmless_alone = flaw->why.id == ERR_MISSING_ROLE || flaw->why.id == ERR_EXPIRED_ROLE;
        struct flaw told = *flaw;
        told.device_refuses &= edge->reached_by_device && flaw->why.id != ERR_EXPIRED_ROLE;
        told.breaks_validity &= edge->reached_by_standard || !harmless_alone;
        struct flaws one = {.list = &told, .count = 1};
        check_report(g->c, REPO_IMAGE, path, &one);
    }
}

void graph_report(struct graph *g)
{
    for (size_t n = 0; n < g->count; n++) {
        struct graph_node *node = g->nodes[n];
        for (size_t i = 0; node->readable && i < node->delegations.count; i++)
            report_edge(g, &node->delegations.list[i], graph_follow(g, node, i));
    }
}
