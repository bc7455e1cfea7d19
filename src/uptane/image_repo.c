/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/image_repo.h"

#include <string.h>

#include "base/mem.h"
#include "uptane/snapshot.h"
#include "uptane/strays.h"
#include "uptane/targets_graph.h"

#define SNAPSHOT_PATH "image-repo/snapshot.json"
#define PLACEHOLDER_URI                                                                                      \
    "https://example.com/"    /* old servers wrote it for "none"; the device ignores it too */
#define DEVICE_DEPTH_MAX 5    /* delegations below each other that the device follows */
#define STANDARD_DEPTH_MAX 32 /* the standard asks for a bound and leaves it open */
#define SEARCH_STEPS_MAX 2000 /* delegations followed for one target: hostile graphs cost no more */

/* One target, looked for in the graph. */
struct search {
    struct graph *graph;
    const char *name;
    const struct target *wanted;
    const struct hardware *hardware; /* the ids that must be in the image repository's entry as well */
    bool as_device;
    unsigned steps;
    struct target found;
    const struct graph_node *found_in;
    const char *difference; /* of the last entry that has the name and not the content */
    const char *expired;    /* a delegation that the device skipped */
    bool blamed;            /* a delegation stopped the search, and says why itself */
};

enum answer { ANSWER_ABSENT, ANSWER_FOUND, ANSWER_STOP };

static enum answer look_in(struct search *s, const struct graph_node *node)
{
    struct json_value entry;
    struct target t;
    struct err unused;
    if (!json_get(node->targets, s->name, &entry) || target_parse(entry, &t, &unused))
        return ANSWER_ABSENT;
    const char *difference = target_difference(&t, s->wanted);
    if (!difference && !target_covers(&t, s->wanted, s->hardware))
        difference = "hardware ids";
    if (!difference && s->as_device && t.names_ecus && !s->wanted->names_ecus)
        difference = "serial numbers of ECUs";
    if (!difference) {
        s->found = t;
        s->found_in = node;
        return ANSWER_FOUND;
    }
    s->difference = difference;
    return s->as_device ? ANSWER_ABSENT : ANSWER_STOP; /* the device goes on looking below */
}

static enum answer search_below(struct search *s, struct graph_node *node, unsigned depth, bool terminating);

/* Down one delegation that speaks for the name. */
static enum answer search_edge(struct search *s, struct graph_node *node, size_t i, unsigned depth)
{
    struct graph_edge *edge = graph_follow(s->graph, node, i);
    bool terminating = node->delegations.list[i].terminating;
    enum answer answer = ANSWER_ABSENT;
    if (s->as_device) {
        edge->reached_by_device = true;
        if (!edge->stops_device && edge->skipped_by_device) {
            s->expired = node->delegations.list[i].name;
            return ANSWER_ABSENT;
        }
    } else {
        edge->reached_by_standard = true;
    }
    if (s->as_device ? edge->stops_device : !edge->good || edge->expired) {
        s->blamed = true;
        return ANSWER_STOP;
    }
    if (s->as_device || !edge->child->on_path)
        answer = search_below(s, edge->child, depth + 1, terminating);
    return answer == ANSWER_ABSENT && terminating && !s->as_device ? ANSWER_STOP : answer;
}

/* A glob may cost as much as its length times that of the name. */
static bool can_afford(struct search *s, const struct delegation *d)
{
    s->graph->searched += (uint64_t)d->path_bytes * (strlen(s->name) + 1);
    return s->graph->searched <= GRAPH_SEARCHED_MAX;
}

/* `terminating`: how the delegation that led here is marked. For the standard it ends the whole search, for
 * the device it only means that this role delegates no further. */
static enum answer search_below(struct search *s, struct graph_node *node, unsigned depth, bool terminating)
{
    enum answer answer = look_in(s, node);
    if (answer != ANSWER_ABSENT)
        return answer;
    if (depth >= (s->as_device ? DEVICE_DEPTH_MAX : STANDARD_DEPTH_MAX) || (s->as_device && terminating))
        return ANSWER_ABSENT;
    node->on_path = true;
    for (size_t i = 0; i < node->delegations.count && answer == ANSWER_ABSENT; i++) {
        if (!can_afford(s, &node->delegations.list[i]))
            answer = ANSWER_STOP;
        if (answer == ANSWER_STOP || !delegation_matches(&node->delegations.list[i], s->name))
            continue;
        answer = ++s->steps > SEARCH_STEPS_MAX ? ANSWER_STOP : search_edge(s, node, i, depth);
    }
    node->on_path = false;
    return answer;
}

static bool search_run(struct search *s)
{
    return search_below(s, s->graph->nodes[0], 0, false) == ANSWER_FOUND;
}

static void report_search(struct check *c, const struct search *s, bool device_refuses, bool breaks_validity)
{
    const char *path = s->graph->nodes[0]->name;
    AUTO_FREE char *file = mem_format("image-repo/%s.json", path);
    if (s->difference)
        check_problem(c, REPO_IMAGE, file, ERR_TARGET_MISMATCH, device_refuses, breaks_validity,
                      "its entry for target '%s' differs from the lockbox in %s", s->name, s->difference);
    else if (s->steps > SEARCH_STEPS_MAX || s->graph->searched > GRAPH_SEARCHED_MAX)
        check_problem(c, REPO_IMAGE, file, ERR_BAD_DELEGATION, device_refuses, breaks_validity,
                      "too many delegations speak for target '%s'", s->name);
    else if (s->expired) {
        check_problem(c, REPO_IMAGE, file, ERR_TARGET_NOT_IN_IMAGE_REPO, device_refuses, breaks_validity,
                      "the device finds nobody who knows target '%s': delegation '%s' has expired", s->name,
                      s->expired);
        check_hint(c, "see what is said of that delegation");
    } else
        check_problem(c, REPO_IMAGE, file, ERR_TARGET_NOT_IN_IMAGE_REPO, device_refuses, breaks_validity,
                      "neither it nor a delegation that %s follows knows target '%s'",
                      breaks_validity ? "the standard" : "the device", s->name);
}

/* What the image repository says of a target beyond its bytes. */
static void adopt(struct check *c, struct verdict_target *to, const struct target *lockbox,
                  const struct target *image)
{
    to->package_name = target_custom_text(image, "name");
    to->package_version = target_custom_text(image, "version");
    to->uri = target_custom_text(image, "uri");
    if (to->uri && !strcmp(to->uri, PLACEHOLDER_URI)) {
        free(to->uri);
        to->uri = NULL;
    }
    if (image->format == FORMAT_UNSAID)
        return;
    bool device_pulls = to->is_ostree;
    to->is_ostree = image->format == FORMAT_OSTREE;
    if (!to->is_ostree && lockbox->length == 0 && device_pulls)
        check_problem(c, REPO_IMAGE, "image-repo/targets.json", ERR_EMPTY_TARGET, to->wanted, false,
                      "target '%s' is a file of length 0, which the device takes for OSTree", to->name);
    else if (device_pulls != to->is_ostree)
        check_problem(c, REPO_IMAGE, "image-repo/targets.json", ERR_TARGET_MISMATCH, to->wanted, false,
                      "target '%s' is %s here, the device takes the lockbox's word and handles %s", to->name,
                      to->is_ostree ? "an OSTree commit" : "a file", device_pulls ? "OSTree" : "a file");
}

static void match_target(struct check *c, struct graph *g, const struct lockbox *box, size_t i)
{
    static const struct hardware all = {0};
    struct verdict_target *to = &c->v->targets[i];
    struct search standard = {.graph = g, .name = to->name, .wanted = &box->list[i], .hardware = &all};
    struct search device = standard;
    device.hardware = &c->hardware;
    device.as_device = true;
    bool valid = search_run(&standard), taken = !to->wanted || search_run(&device);
    if (!valid && !standard.blamed)
        report_search(c, &standard, !taken && !device.blamed, true);
    else if (!taken && !device.blamed)
        report_search(c, &device, true, false);
    if (valid)
        adopt(c, to, &box->list[i], &standard.found);
    else if (device.found_in)
        adopt(c, to, &box->list[i], &device.found);
    const struct search *used = device.found_in ? &device : &standard;
    if (used->found_in && used->found_in != g->nodes[0]) {
        AUTO_FREE char *path = mem_format("image-repo/%s.json", used->found_in->name);
        check_count(c, path);
    }
}

/* The device does not look at it; whoever fetched these files forgot one. */
static void check_listed_root(struct check *c, const struct role *snapshot, const struct root *root)
{
    struct snapshot_entry entry;
    if (snapshot_find(snapshot, "root.json", &entry) && entry.version > root->role->version)
        check_problem(c, REPO_IMAGE, SNAPSHOT_PATH, ERR_ROOT_GAP, false, false,
                      "it knows version %lld of the root, version %lld is the last that is there",
                      (long long)entry.version, (long long)root->role->version);
}

static struct role *read_snapshot(struct check *c, const struct root *root)
{
    AUTO(flaws) struct flaws flaws = {0};
    struct err e;
    const char *name = role_type_name(ROLE_SNAPSHOT);
    struct role *snapshot = check_role(c, REPO_IMAGE, name, ROLE_SNAPSHOT, root, &flaws);
    bool readable = snapshot && snapshot_check(snapshot, &e) == 0;
    if (snapshot && !readable)
        flaws_add_err(&flaws, &e);
    check_report(c, REPO_IMAGE, SNAPSHOT_PATH, &flaws);
    if (snapshot)
        check_add_role(c, REPO_IMAGE, check_file(c, REPO_IMAGE, name), name, snapshot,
                       readable && c->in->now < snapshot->expires, true);
    if (readable)
        return snapshot;
    role_delete(snapshot);
    return NULL;
}

void image_repo_check(struct check *c, const struct root *root, const struct lockbox *lockbox)
{
    AUTO(graph) struct graph graph = {0};
    struct role *snapshot = read_snapshot(c, root);
    if (!snapshot)
        return;
    if (graph_open(&graph, c, root, snapshot)) {
        for (size_t i = 0; i < lockbox->count; i++)
            match_target(c, &graph, lockbox, i);
        graph_report(&graph);
        strays_report(c, REPO_IMAGE, snapshot);
    }
    check_listed_root(c, snapshot, root);
    role_delete(snapshot);
}
