/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print_delivery.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/out.h"
#include "cli/expiry.h"
#include "cli/print.h"
#include "cli/print_verdict.h"

static void print_shared(const struct delivery *d)
{
    if (d->shares_with_count == 0)
        return;
    print_label("shared");
    print_size(d->shared);
    fputs(" of it in other bundles, which must stay beside it:\n", stdout);
    for (size_t i = 0; i < d->shares_with_count; i++) {
        print_label("");
        print_text(d->shares_with[i]);
        putchar('\n');
    }
}

static void print_left_out(const struct delivery *d)
{
    if (d->left_out_files) {
        print_label("left out");
        printf("%zu files, ", d->left_out_files);
        print_size(d->left_out_bytes);
        puts(", which the device must have");
    }
    print_needs(&d->needs);
}

void print_delivery(const struct delivery *d, const struct delivered *at, int64_t now)
{
    printf("%s version %" PRId64 " written to ", d->lockbox, d->version);
    print_text(at->path);
    fputs("\n", stdout);
    print_label("size");
    printf("%zu files, ", d->members);
    print_size(d->raw);
    fputs(" for the device, ", stdout);
    print_size(at->stored);
    fputs(" on the medium, read back and right\n", stdout);
    print_shared(d);
    print_left_out(d);
    expiry_print(&(struct expiry){d->valid_until, d->valid_until_role, d->lockbox}, now);
}

void print_plan(const struct delivery *d, const struct delivered *at, int64_t now)
{
    const struct forecast *f = &at->forecast;
    printf("%s version %" PRId64 " would be written to ", d->lockbox, d->version);
    print_text(at->path);
    putchar('\n');
    print_label("size");
    printf("%zu files, ", d->members);
    print_size(d->raw);
    fputs(" for the device; ", stdout);
    if (f->least == f->most)
        print_size(f->most);
    else {
        fputs("at most ", stdout);
        print_size(f->most);
    }
    fputs(" on the medium\n", stdout);
    print_label("medium");
    print_text(f->file_system ? f->file_system : "file system not known");
    fputs(", ", stdout);
    print_size(f->free_bytes);
    fputs(" free in clusters of ", stdout);
    print_size(f->cluster_bytes);
    if (f->label) {
        fputs(", label ", stdout);
        print_text(f->label);
    }
    putchar('\n');
    if (at->there) {
        print_label("there");
        printf("version %" PRId64 " of it, which would be replaced\n", at->there);
    }
    print_shared(d);
    print_left_out(d);
    expiry_print(&(struct expiry){d->valid_until, d->valid_until_role, d->lockbox}, now);
    for (size_t i = 0; i < f->remark_count; i++) {
        print_label(i ? "" : "but");
        print_text(f->remarks[i]);
        putchar('\n');
    }
}

void warn_of_remarks(const struct delivery *d, const struct delivered *at)
{
    for (size_t i = 0; i < at->forecast.remark_count; i++) {
        AUTO(buf) struct buf shown = {0};
        out_escape(&shown, at->forecast.remarks[i], strlen(at->forecast.remarks[i]));
        fputs("airlock: warning: ", stderr);
        if (d->place_count > 1)
            fprintf(stderr, "%s: ", at->to); /* a path that the person gave */
        fprintf(stderr, "%s\n", buf_text(&shown));
    }
}

static void json_add_forecast(cJSON *to, const struct forecast *f)
{
    json_add_integer(to, "least_bytes", (int64_t)f->least);
    json_add_integer(to, "most_bytes", (int64_t)f->most);
    json_add_integer(to, "free_bytes", (int64_t)f->free_bytes);
    json_add_integer(to, "cluster_bytes", (int64_t)f->cluster_bytes);
    json_add_text(to, "file_system", f->file_system);
    json_add_text(to, "label", f->label);
    cJSON *remarks = cJSON_AddArrayToObject(to, "remarks");
    for (size_t i = 0; i < f->remark_count; i++)
        cJSON_AddItemToArray(remarks, cJSON_CreateString(f->remarks[i]));
}

cJSON *json_delivery(const struct delivery *d, const struct delivered *at, bool dry_run)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "lockbox", d->lockbox);
    json_add_integer(answer, "version", (int64_t)d->version);
    cJSON_AddStringToObject(answer, "path", at->path);
    json_add_integer(answer, "files", (int64_t)d->members);
    json_add_integer(answer, "raw_bytes", (int64_t)d->raw);
    if (!dry_run)
        json_add_integer(answer, "stored_bytes", (int64_t)at->stored);
    json_add_integer(answer, "version_there", at->there);
    json_add_forecast(answer, &at->forecast);
    json_add_integer(answer, "left_out_files", (int64_t)d->left_out_files);
    json_add_integer(answer, "left_out_bytes", (int64_t)d->left_out_bytes);
    json_add_integer(answer, "shared_bytes", (int64_t)d->shared);
    cJSON *with = cJSON_AddArrayToObject(answer, "shares_with");
    for (size_t i = 0; i < d->shares_with_count; i++)
        cJSON_AddItemToArray(with, cJSON_CreateString(d->shares_with[i]));
    expiry_add_json(&(struct expiry){d->valid_until, d->valid_until_role, d->lockbox}, answer);
    return answer;
}
