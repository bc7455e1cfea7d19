/* SPDX-License-Identifier: Apache-2.0 */
#include "account/contact.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "cloud/repository.h"
#include "store/root_mark.h"
#include "uptane/root.h"

#define KNOWN_MAX                                                                                            \
    5 /* pinned first and newest, remembered by the profile, given, carried by credentials.zip */

/* What is known of one repository's roots, the start of the chain first. */
struct known {
    struct root_mark marks[KNOWN_MAX];
    bool has_content[KNOWN_MAX]; /* false: only the fingerprint is known */
    size_t count;
};

static int know_bytes(struct known *k, const char *what, const struct buf *bytes, struct err *e)
{
    if (!bytes->len)
        return 0;
    if (root_mark_read(bytes->data, bytes->len, &k->marks[k->count], e))
        return err_context(e, "%s", what);
    k->has_content[k->count++] = true;
    return 0;
}

static int know_mark(struct known *k, const char *text, struct err *e)
{
    if (!text)
        return 0;
    if (!root_mark_parse(text, &k->marks[k->count]))
        return err_set(e, ERR_BAD_CONFIG, "the profile's root '%s' is no version and fingerprint", text);
    k->has_content[k->count++] = false;
    return 0;
}

/* The roots of those versions as the cloud serves them; where nothing is known, version 1. */
static int ask_for(struct cloud *cloud, enum pin_repo repo, const struct known *k,
                   struct role_request requests[KNOWN_MAX], struct err *e)
{
    size_t n = k->count ? k->count : 1;
    for (size_t i = 0; i < n; i++)
        requests[i] = (struct role_request){
            .repository = repo == PIN_DIRECTOR ? REPOSITORY_DIRECTOR : REPOSITORY_IMAGE,
            .file = mem_format("%" PRId64 ".root.json", k->count ? k->marks[i].version : 1),
        };
    return repository_fetch(cloud, requests, n, KNOWN_MAX * PIN_BYTES_MAX, e);
}

static int compare(enum pin_repo repo, const struct root_mark *known, bool has_content,
                   const struct role_request *served, struct err *e)
{
    struct root_mark mark;
    if (served->ret_is_missing)
        return root_mark_alarm_gone(repo, known, NULL, e);
    if (root_mark_read(served->ret_bytes.data, served->ret_bytes.len, &mark, e))
        return -1;
    bool same = has_content ? !memcmp(known->content, mark.content, HASH_SIZE)
                            : !memcmp(known->fingerprint, mark.fingerprint, HASH_SIZE);
    return same ? 0 : root_mark_alarm(repo, known, &mark, e);
}

/* What becomes a pin is a root at least, and signed by its own keys. */
static int check_first(const struct role_request *served, struct err *e)
{
    struct root *root;
    AUTO(flaws) struct flaws flaws = {0};
    if (served->ret_is_missing)
        return err_set(e, ERR_MISSING_ROLE, "the cloud does not serve %s", served->file);
    if (root_parse(served->ret_bytes.data, served->ret_bytes.len, &root, e))
        return err_context(e, "%s", served->file);
    bool good = root_signs_itself(root, &flaws);
    root_delete(root);
    if (good)
        return 0;
    err_set(e, ERR_BAD_SIGNATURE, "it is not signed by its own keys");
    for (size_t i = flaws.count; i-- > 0;)
        if (flaws.list[i].breaks_validity)
            *e = flaws.list[i].why;
    return err_context(e, "%s", served->file);
}

static int settle(enum pin_repo repo, const struct known *k, const struct role_request *served,
                  struct buf *pin, struct err *e)
{
    for (size_t i = 0; i < k->count; i++)
        if (compare(repo, &k->marks[i], k->has_content[i], &served[i], e))
            return -1;
    if (pin->len)
        return 0;
    if (check_first(&served[0], e))
        return -1;
    buf_add(pin, served[0].ret_bytes.data, served[0].ret_bytes.len);
    return 0;
}

/* Beside what is pinned: what a person gave, and what credentials.zip carries. */
struct brought {
    const struct buf *given, *carried;
};

static int check_repo(struct cloud *cloud, enum pin_repo repo, const struct brought *by, const char *mark,
                      struct pins *pins, struct err *e)
{
    struct known k = {0};
    struct role_request served[KNOWN_MAX] = {0};
    struct buf *pin = &pins->first[repo];
    if (know_bytes(&k, "the pinned root", pin, e) || (!pin->len && know_mark(&k, mark, e)) ||
        know_bytes(&k, "the root of --trust", by->given, e) ||
        know_bytes(&k, "the root in credentials.zip", by->carried, e) ||
        know_bytes(&k, "the newest root that was seen", &pins->newest[repo], e))
        return -1;
    int rc = ask_for(cloud, repo, &k, served, e) || settle(repo, &k, served, pin, e) ? -1 : 0;
    for (size_t i = 0; i < KNOWN_MAX; i++)
        role_request_free(&served[i]);
    return rc;
}

static int describe(const struct pins *pins, const struct memory *m, struct profile *p,
                    struct login_result *r, struct err *e)
{
    for (size_t repo = 0; repo < COUNT_OF(pins->first); repo++) {
        const struct buf *pin = &pins->first[repo];
        struct root_mark mark;
        char text[ROOT_MARK_TEXT];
        if (root_mark_read(pin->data, pin->len, &mark, e))
            return -1;
        memcpy(r->fingerprint[repo], mark.fingerprint, HASH_SIZE);
        r->has_root[repo] = true;
        r->origin[repo] = m->repos[repo].origin;
        root_mark_print(&mark, text);
        free(p->root_marks[repo]);
        p->root_marks[repo] = mem_strdup(text);
    }
    return 0;
}

int contact_roots(const struct store *s, struct profile *p, struct cloud *cloud, const struct credentials *c,
                  const struct pins *given, int64_t now, struct login_result *r, struct err *e)
{
    static const struct buf none = {0};
    AUTO_FD int lock = -1;
    AUTO(pins) struct pins pins = {0};
    AUTO(memory) struct memory memory = {0};
    const struct brought by[] = {
        [PIN_DIRECTOR] = {given ? &given->first[PIN_DIRECTOR] : &none, &c->director_root},
        [PIN_IMAGE] = {given ? &given->first[PIN_IMAGE] : &none, &c->image_root},
    };
    if (pins_lock(s, p->name, &lock, e) || pins_load(s, p->name, &pins, e) ||
        memory_load(s, p->name, &memory, e))
        return -1;
    for (size_t repo = 0; repo < COUNT_OF(by); repo++) {
        bool was_pinned = pins.first[repo].len != 0;
        if (check_repo(cloud, (enum pin_repo)repo, &by[repo], p->root_marks[repo], &pins, e))
            return err_context(e, "%s", pin_repo_title((enum pin_repo)repo));
        if (was_pinned)
            continue;
        r->pinned[repo] = true;
        memory.repos[repo].origin = by[repo].given->len     ? ORIGIN_FOLDER
                                    : by[repo].carried->len ? ORIGIN_CREDENTIALS
                                                            : ORIGIN_CLOUD;
        memory.repos[repo].pinned_at = now;
    }
    bool first_contact = r->pinned[PIN_DIRECTOR] || r->pinned[PIN_IMAGE];
    if (first_contact && (pins_save(s, p->name, &pins, e) || memory_save(s, p->name, &memory, e)))
        return -1;
    return describe(&pins, &memory, p, r, e);
}
