/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/yaml_tree.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"

struct anchor {
    char *name;
    uint32_t node;
};

struct builder {
    struct yaml_tree tree;
    uint32_t open[YAML_DEPTH_MAX];   /* the collections that are being filled */
    uint32_t newest[YAML_DEPTH_MAX]; /* the newest child of each */
    unsigned depth, documents;
    struct anchor *anchors;
    size_t anchor_count, anchor_room;
};

static int take_event(struct builder *b, const yaml_event_t *event, struct err *e);

static int bad(unsigned line, const char *what, struct err *e)
{
    return err_set(e, ERR_BAD_COMPOSE, "line %u: %s", line, what);
}

static unsigned line_of(const yaml_mark_t *mark)
{
    return mark->line < UINT32_MAX ? (unsigned)mark->line + 1 : UINT32_MAX;
}

static int take_events(yaml_parser_t *parser, struct builder *b, struct err *e)
{
    for (bool more = true; more;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return bad(line_of(&parser->problem_mark), parser->problem ? parser->problem : "no YAML", e);
        more = event.type != YAML_STREAM_END_EVENT;
        int rc = take_event(b, &event, e);
        yaml_event_delete(&event);
        if (rc)
            return -1;
    }
    return b->documents == 1 ? 0 : bad(1, "it holds no YAML document", e);
}

int yaml_tree_parse(const void *bytes, size_t len, struct yaml_tree *ret, struct err *e)
{
    struct builder b = {0};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        abort(); /* out of memory */
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, bytes, len);
    int rc = take_events(&parser, &b, e);
    yaml_parser_delete(&parser);
    for (size_t i = 0; i < b.anchor_count; i++)
        free(b.anchors[i].name);
    free(b.anchors);
    if (rc)
        yaml_tree_free(&b.tree);
    else
        *ret = b.tree;
    return rc;
}

void yaml_tree_free(struct yaml_tree *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->nodes[i].text);
    free(t->nodes);
    *t = (struct yaml_tree){0};
}

/* ---- building ---- */

/* A new node, linked behind its elder sibling. */
static int add_node(struct builder *b, enum yaml_kind kind, const yaml_mark_t *mark, uint32_t *ret,
                    struct err *e)
{
    struct yaml_tree *t = &b->tree;
    if (t->count == YAML_NODES_MAX)
        return bad(line_of(mark), "more values than a compose file has", e);
    mem_grow(&t->nodes, t->count, &t->room, sizeof *t->nodes);
    *ret = (uint32_t)t->count++;
    t->nodes[*ret] =
        (struct yaml_node){.kind = kind, .first = YAML_NONE, .next = YAML_NONE, .line = line_of(mark)};
    if (b->depth > 0) {
        uint32_t *newest = &b->newest[b->depth - 1];
        if (*newest == YAML_NONE)
            t->nodes[b->open[b->depth - 1]].first = *ret;
        else
            t->nodes[*newest].next = *ret;
        *newest = *ret;
    }
    return 0;
}

static int add_anchor(struct builder *b, const yaml_char_t *name, uint32_t node, struct err *e)
{
    if (!name)
        return 0;
    if (b->anchor_count == YAML_ANCHORS_MAX)
        return bad(b->tree.nodes[node].line, "more anchors than a compose file has", e);
    mem_grow(&b->anchors, b->anchor_count, &b->anchor_room, sizeof *b->anchors);
    b->anchors[b->anchor_count++] = (struct anchor){.name = mem_strdup((const char *)name), .node = node};
    return 0;
}

static int open_collection(struct builder *b, enum yaml_kind kind, const yaml_char_t *anchor,
                           const yaml_mark_t *mark, struct err *e)
{
    uint32_t node;
    if (b->depth == YAML_DEPTH_MAX)
        return bad(line_of(mark), "nested deeper than a compose file is", e);
    if (add_node(b, kind, mark, &node, e) || add_anchor(b, anchor, node, e))
        return -1;
    b->open[b->depth] = node;
    b->newest[b->depth++] = YAML_NONE;
    return 0;
}

static int add_scalar(struct builder *b, const yaml_event_t *event, struct err *e)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    uint32_t node;
    if (memchr(text, '\0', len))
        return bad(line_of(&event->start_mark), "a NUL in a text", e);
    if (add_node(b, YAML_SCALAR, &event->start_mark, &node, e))
        return -1;
    b->tree.nodes[node].text = mem_strndup(text, len);
    return add_anchor(b, event->data.scalar.anchor, node, e);
}

/* The newest anchor of a name counts (YAML 1.2, 3.2.2.2). */
static int add_alias(struct builder *b, const yaml_event_t *event, struct err *e)
{
    uint32_t node;
    if (add_node(b, YAML_ALIAS, &event->start_mark, &node, e))
        return -1;
    for (size_t i = b->anchor_count; i > 0; i--)
        if (!strcmp(b->anchors[i - 1].name, (const char *)event->data.alias.anchor)) {
            b->tree.nodes[node].first = b->anchors[i - 1].node;
            return 0;
        }
    return bad(line_of(&event->start_mark), "an alias of an anchor that is not there", e);
}

static int take_event(struct builder *b, const yaml_event_t *event, struct err *e)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return b->documents++ == 0 ? 0 : bad(line_of(&event->start_mark), "a second YAML document", e);
    case YAML_MAPPING_START_EVENT:
        return open_collection(b, YAML_MAPPING, event->data.mapping_start.anchor, &event->start_mark, e);
    case YAML_SEQUENCE_START_EVENT:
        return open_collection(b, YAML_SEQUENCE, event->data.sequence_start.anchor, &event->start_mark, e);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        b->depth--;
        return 0;
    case YAML_SCALAR_EVENT:
        return add_scalar(b, event, e);
    case YAML_ALIAS_EVENT:
        return add_alias(b, event, e);
    default:
        return 0;
    }
}

/* ---- looking ---- */

uint32_t yaml_root(const struct yaml_tree *t)
{
    return t->count ? 0 : YAML_NONE;
}

/* An alias stands for a node that was there before it and is no alias itself, so one step is all. */
uint32_t yaml_resolve(const struct yaml_tree *t, uint32_t node)
{
    return node != YAML_NONE && t->nodes[node].kind == YAML_ALIAS ? t->nodes[node].first : node;
}

bool yaml_is(const struct yaml_tree *t, uint32_t node, enum yaml_kind kind)
{
    node = yaml_resolve(t, node);
    return node != YAML_NONE && t->nodes[node].kind == kind;
}

unsigned yaml_line(const struct yaml_tree *t, uint32_t node)
{
    return node == YAML_NONE ? 1 : t->nodes[node].line;
}

const char *yaml_text(const struct yaml_tree *t, uint32_t node)
{
    node = yaml_resolve(t, node);
    return node == YAML_NONE ? NULL : t->nodes[node].text;
}

uint32_t yaml_first(const struct yaml_tree *t, uint32_t node)
{
    node = yaml_resolve(t, node);
    return node == YAML_NONE ? YAML_NONE : t->nodes[node].first;
}

uint32_t yaml_next_element(const struct yaml_tree *t, uint32_t element)
{
    return t->nodes[element].next;
}

uint32_t yaml_value(const struct yaml_tree *t, uint32_t key)
{
    return key == YAML_NONE ? YAML_NONE : t->nodes[key].next;
}

uint32_t yaml_next_key(const struct yaml_tree *t, uint32_t key)
{
    return t->nodes[yaml_value(t, key)].next;
}

uint32_t yaml_key(const struct yaml_tree *t, uint32_t mapping, const char *wanted)
{
    if (!yaml_is(t, mapping, YAML_MAPPING))
        return YAML_NONE;
    for (uint32_t key = yaml_first(t, mapping); key != YAML_NONE; key = yaml_next_key(t, key)) {
        const char *text = yaml_text(t, key);
        if (text && !strcmp(text, wanted))
            return key;
    }
    return YAML_NONE;
}

uint32_t yaml_get(const struct yaml_tree *t, uint32_t mapping, const char *key)
{
    return yaml_value(t, yaml_key(t, mapping, key));
}

static int compare_texts(const void *a, const void *b)
{
    const struct yaml_node *const *x = a, *const *y = b;
    int order = strcmp((*x)->text, (*y)->text);
    return order ? order : *x < *y ? -1 : 1; /* the later twin comes later */
}

uint32_t yaml_bad_key(const struct yaml_tree *t, uint32_t mapping)
{
    size_t count = 0;
    uint32_t found = YAML_NONE;
    for (uint32_t key = yaml_first(t, mapping); key != YAML_NONE; key = yaml_next_key(t, key), count++)
        if (!t->nodes[key].text)
            return key;
    AUTO_FREE const struct yaml_node **keys = mem_zeroed(count, sizeof *keys);
    count = 0;
    for (uint32_t key = yaml_first(t, mapping); key != YAML_NONE; key = yaml_next_key(t, key))
        keys[count++] = &t->nodes[key];
    if (count)
        qsort(keys, count, sizeof *keys, compare_texts);
    for (size_t i = 1; i < count && found == YAML_NONE; i++)
        if (!strcmp(keys[i - 1]->text, keys[i]->text))
            found = (uint32_t)(keys[i] - t->nodes);
    return found;
}
