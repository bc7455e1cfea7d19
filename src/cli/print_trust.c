/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print_trust.h"

#include <cjson/cJSON.h>
#include <stdio.h>

#include "cli/print.h"

static const char *const labels[] = {[PIN_DIRECTOR] = "director", [PIN_IMAGE] = "image repo"};

const char *origin_text(enum pin_origin origin)
{
    switch (origin) {
    case ORIGIN_CREDENTIALS:
        return "credentials.zip and the cloud agree";
    case ORIGIN_CLOUD:
        return "as the cloud served it over TLS";
    case ORIGIN_FOLDER:
        return "--trust and the cloud agree";
    case ORIGIN_UNKNOWN:
        break;
    }
    return "by an earlier version of airlock";
}

const char *origin_name(enum pin_origin origin)
{
    switch (origin) {
    case ORIGIN_CREDENTIALS:
        return "credentials";
    case ORIGIN_CLOUD:
        return "cloud";
    case ORIGIN_FOLDER:
        return "folder";
    case ORIGIN_UNKNOWN:
        break;
    }
    return NULL;
}

void print_fingerprint(enum pin_repo repo, const uint8_t fingerprint[HASH_SIZE])
{
    char hex[HASH_HEX_SIZE];
    hash_hex(fingerprint, hex);
    print_label(labels[repo]);
    puts(hex);
}

void print_first_contact(const struct first_contact *c)
{
    bool both = c->pinned[PIN_DIRECTOR] && c->pinned[PIN_IMAGE];
    print_label("trust");
    if (both && c->origin[PIN_DIRECTOR] == c->origin[PIN_IMAGE]) {
        printf("first contact: the roots below are pinned from now on (%s)\n",
               origin_text(c->origin[PIN_DIRECTOR]));
        return;
    }
    puts("first contact: these roots are pinned from now on");
    for (size_t repo = 0; repo < COUNT_OF(labels); repo++)
        if (c->pinned[repo])
            printf("  %-12s %s: %s\n", "", labels[repo], origin_text(c->origin[repo]));
}

void note_first_contact(const struct first_contact *c)
{
    for (size_t repo = 0; repo < COUNT_OF(labels); repo++) {
        char hex[HASH_HEX_SIZE];
        if (!c->pinned[repo])
            continue;
        hash_hex(c->fingerprint[repo], hex);
        fprintf(stderr, "airlock: first contact: the root of the %s is pinned from now on, %s (%s)\n",
                pin_repo_title((enum pin_repo)repo), hex, origin_text(c->origin[repo]));
    }
}

cJSON *json_fingerprints(const bool *pinned, const uint8_t (*fingerprint)[HASH_SIZE])
{
    cJSON *roots = cJSON_CreateObject();
    if (pinned[PIN_DIRECTOR])
        json_add_hash(roots, "director", fingerprint[PIN_DIRECTOR]);
    if (pinned[PIN_IMAGE])
        json_add_hash(roots, "image_repo", fingerprint[PIN_IMAGE]);
    return roots;
}
