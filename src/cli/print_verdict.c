/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print_verdict.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "cli/expiry.h"
#include "cli/print.h"

static void print_signers(const struct survey_item *item)
{
    for (size_t i = 0; i < item->signer_count; i++) {
        char fingerprint[SIGN_FINGERPRINT_TEXT];
        sign_fingerprint(item->signers[i].public_key, fingerprint);
        print_label(i ? "" : "packed by");
        printf("key %s", fingerprint);
        if (item->signers[i].known_as)
            printf(" (%s)", item->signers[i].known_as);
        else if (item->unknown_matters)
            fputs(" (an unknown key)", stdout);
        if (*item->signers[i].comment) {
            fputs(", ", stdout);
            print_text(item->signers[i].comment);
        }
        putchar('\n');
    }
}

static void print_roles(const struct verdict *v, bool verbose)
{
    size_t good = 0;
    for (size_t i = 0; i < v->role_count; i++)
        good += v->roles[i].good;
    print_label("roles");
    printf("%zu of %zu good\n", good, v->role_count);
    for (size_t i = 0; i < v->role_count; i++) {
        const struct verdict_role *r = &v->roles[i];
        char expires[CLOCK_TEXT_SIZE];
        if (r->good && !verbose)
            continue;
        clock_format(r->expires, expires);
        print_label("");
        printf("%s  ", r->good ? "good" : "BAD ");
        print_text(r->path);
        printf(", version %" PRId64 ", until %s\n", r->version, expires);
    }
}

static void print_targets(const struct verdict *v)
{
    for (size_t i = 0; i < v->target_count; i++) {
        const struct verdict_target *t = &v->targets[i];
        print_label(i ? "" : "installs");
        print_text(t->name);
        if (t->is_ostree)
            fputs(", OSTree commit", stdout);
        else {
            fputs(", ", stdout);
            print_size(t->length);
        }
        for (size_t k = 0; k < t->hardware_id_count; k++) {
            fputs(k ? ", " : ", for ", stdout);
            print_text(t->hardware_ids[k]);
        }
        puts(t->differs     ? " (other content of this name is installed)"
             : t->wanted    ? ""
             : t->installed ? " (installed already)"
                            : " (not this device)");
    }
}

void print_needs(const struct needs *r)
{
    for (size_t i = 0; i < r->count; i++) {
        char hex[HASH_HEX_SIZE];
        hash_hex(r->commits[i], hex);
        print_label(i ? "" : "needs");
        printf("%sOSTree commit %s\n", i ? "or " : "", hex);
    }
}

static void print_assumed(const struct verdict *v)
{
    for (size_t i = 0; i < v->assumed_count; i++) {
        print_label(i ? "" : "assumed");
        print_text(v->assumed[i]);
        putchar('\n');
    }
}

static void print_problems(const struct verdict *v)
{
    for (size_t i = 0; i < v->problem_count; i++) {
        const struct verdict_problem *p = &v->problems[i];
        print_label(i ? "" : "problems");
        printf("%s: ", err_name(p->id));
        print_text(p->message);
        puts(p->device_refuses ? "" : " (no reason for a device to refuse)");
        if (*p->hint) {
            print_label("");
            fputs("  hint: ", stdout);
            print_text(p->hint);
            putchar('\n');
        }
    }
}

static void print_outcome(const struct verdict *v)
{
    static const char *const device[] = {[VERDICT_INSTALL] = "would install",
                                         [VERDICT_REFUSE] = "would refuse",
                                         [VERDICT_NOTHING] = "would do nothing with"};
    print_label("verdict");
    printf("%s by the standard; a device %s it%s\n", v->valid ? "valid" : "NOT VALID", device[v->outcome],
           judge_is_unmet(v) ? "; NOT what was asked for" : "");
    for (size_t i = 0; i < v->problem_count; i++)
        if (v->problems[i].id == ERR_DEVICE_CLOCK) {
            print_label("CLOCK");
            puts("WRONG ON THE DEVICE: it decides by its own, see above");
        }
}

static void print_item(const struct survey_item *item, int64_t now, bool verbose)
{
    const struct verdict *v = &item->verdict;
    print_text(item->path);
    puts("");
    if (v->lockbox) {
        print_label("lockbox");
        print_text(v->lockbox);
        printf(", version %" PRId64, v->lockbox_version);
        if (v->correlation_id) {
            fputs("  ", stdout);
            print_text(v->correlation_id);
        }
        putchar('\n');
    }
    if (item->opened && item->kind == SURVEY_BUNDLE) {
        print_signers(item);
        print_label("bundle");
        print_size(item->stored_bytes);
        printf(" hold %zu files of ", item->member_count);
        print_size(item->raw_bytes);
        putchar('\n');
    }
    if (item->opened) {
        print_roles(v, verbose);
        expiry_print(&(struct expiry){v->valid_until, v->valid_until_role, v->lockbox}, now);
        print_targets(v);
        print_needs(&item->needs);
    }
}

void print_verdict(const struct survey_item *item, int64_t now, bool verbose)
{
    print_item(item, now, verbose);
    print_assumed(&item->verdict);
    print_problems(&item->verdict);
    print_outcome(&item->verdict);
}

/* ---- JSON ---- */

static cJSON *json_role(const struct verdict_role *r)
{
    cJSON *role = cJSON_CreateObject();
    cJSON_AddStringToObject(role, "path", r->path);
    cJSON_AddStringToObject(role, "name", r->name);
    cJSON_AddStringToObject(role, "repo", r->repo == REPO_DIRECTOR ? "director" : "image-repo");
    json_add_integer(role, "version", (int64_t)r->version);
    json_add_time(role, "expires", r->expires);
    cJSON_AddBoolToObject(role, "good", r->good);
    cJSON_AddBoolToObject(role, "device_reads", r->device_reads);
    json_add_hash(role, "sha256", r->sha256);
    return role;
}

static cJSON *json_target(const struct verdict_target *t)
{
    cJSON *target = cJSON_CreateObject();
    cJSON_AddStringToObject(target, "name", t->name);
    json_add_hash(target, "sha256", t->sha256);
    json_add_integer(target, "length", (int64_t)t->length);
    cJSON_AddStringToObject(target, "format", t->is_ostree ? "OSTREE" : "BINARY");
    cJSON *ids = cJSON_AddArrayToObject(target, "hardware_ids");
    for (size_t i = 0; i < t->hardware_id_count; i++)
        cJSON_AddItemToArray(ids, cJSON_CreateString(t->hardware_ids[i]));
    json_add_text(target, "package", t->package_name);
    json_add_text(target, "version", t->package_version);
    cJSON_AddBoolToObject(target, "wanted", t->wanted);
    cJSON_AddBoolToObject(target, "installed", t->installed);
    return target;
}

static cJSON *json_problem(const struct verdict_problem *p)
{
    cJSON *problem = cJSON_CreateObject();
    cJSON_AddStringToObject(problem, "id", err_name(p->id));
    cJSON_AddStringToObject(problem, "role", p->role);
    cJSON_AddStringToObject(problem, "message", p->message);
    cJSON_AddBoolToObject(problem, "device_refuses", p->device_refuses);
    if (*p->hint)
        cJSON_AddStringToObject(problem, "hint", p->hint);
    return problem;
}

static void add_signers(cJSON *to, const struct survey_item *item)
{
    cJSON *list = cJSON_AddArrayToObject(to, "signers");
    for (size_t i = 0; i < item->signer_count; i++) {
        char fingerprint[SIGN_FINGERPRINT_TEXT];
        cJSON *signer = cJSON_CreateObject();
        sign_fingerprint(item->signers[i].public_key, fingerprint);
        cJSON_AddStringToObject(signer, "fingerprint", fingerprint);
        json_add_hash(signer, "public_key", item->signers[i].public_key);
        json_add_text(signer, "known_as", item->signers[i].known_as);
        cJSON_AddStringToObject(signer, "comment", item->signers[i].comment);
        cJSON_AddItemToArray(list, signer);
    }
}

static void json_contents(const struct survey_item *item, cJSON *answer)
{
    const struct verdict *v = &item->verdict;
    cJSON_AddStringToObject(answer, "path", item->path);
    cJSON_AddStringToObject(answer, "kind", survey_kind_word(item->kind));
    json_add_text(answer, "lockbox", v->lockbox);
    json_add_integer(answer, "version", (int64_t)v->lockbox_version);
    json_add_text(answer, "correlation_id", v->correlation_id);
    expiry_add_json(&(struct expiry){v->valid_until, v->valid_until_role, v->lockbox}, answer);
    cJSON *roles = cJSON_AddArrayToObject(answer, "roles");
    for (size_t i = 0; i < v->role_count; i++)
        cJSON_AddItemToArray(roles, json_role(&v->roles[i]));
    cJSON *targets = cJSON_AddArrayToObject(answer, "targets");
    for (size_t i = 0; i < v->target_count; i++)
        cJSON_AddItemToArray(targets, json_target(&v->targets[i]));
    if (item->kind == SURVEY_BUNDLE) {
        add_signers(answer, item);
        json_add_integer(answer, "files", (int64_t)item->member_count);
        json_add_integer(answer, "stored_bytes", (int64_t)item->stored_bytes);
        json_add_integer(answer, "raw_bytes", (int64_t)item->raw_bytes);
    }
    cJSON *needs = cJSON_AddArrayToObject(answer, "needs_ostree_commits");
    for (size_t i = 0; i < item->needs.count; i++) {
        char hex[HASH_HEX_SIZE];
        hash_hex(item->needs.commits[i], hex);
        cJSON_AddItemToArray(needs, cJSON_CreateString(hex));
    }
    cJSON *problems = cJSON_AddArrayToObject(answer, "problems");
    for (size_t i = 0; i < v->problem_count; i++)
        cJSON_AddItemToArray(problems, json_problem(&v->problems[i]));
}

void json_verdict(const struct survey_item *item, cJSON *answer)
{
    static const char *const outcomes[] = {
        [VERDICT_INSTALL] = "install", [VERDICT_REFUSE] = "refuse", [VERDICT_NOTHING] = "nothing"};
    const struct verdict *v = &item->verdict;
    json_contents(item, answer);
    cJSON_AddBoolToObject(answer, "valid", v->valid);
    cJSON_AddStringToObject(answer, "verdict", outcomes[v->outcome]);
    cJSON *assumed = cJSON_AddArrayToObject(answer, "assumed");
    for (size_t i = 0; i < v->assumed_count; i++)
        cJSON_AddItemToArray(assumed, cJSON_CreateString(v->assumed[i]));
}
