/* SPDX-License-Identifier: Apache-2.0
 *
 * The options by which `fetch` and `prepare` say where container images come from, and for which devices.
 */
#ifndef AIRLOCK_CLI_CONTAINER_VALUES_H
#define AIRLOCK_CLI_CONTAINER_VALUES_H

#include "cli/options.h"
#include "lockbox/obtain.h"

struct container_values {
    struct text_list platforms, logins, overrides;
};

/* The rows of a struct that has a container_values at `offset`. */
#define CONTAINER_VALUE_ROWS(offset)                                                                         \
    {"platform", OPTION_LIST, "PLATFORM", (offset) + offsetof(struct container_values, platforms),           \
     "container images for these devices (default: linux/arm/v7 and linux/arm64)"},                          \
        {"login", OPTION_LIST, "REGISTRY", (offset) + offsetof(struct container_values, logins),             \
         "log in to a container registry: asks, or REGISTRY=FILE reads USER:PASSWORD"},                      \
    {                                                                                                        \
        "registry-override", OPTION_LIST, "A=B", (offset) + offsetof(struct container_values, overrides),    \
            "ask registry B for the images of A; http://B is asked without TLS"                              \
    }

/* What the options come to; it refers to the values. */
struct container_choice {
    struct container_options options;
    struct container_login *logins;
    char **texts; /* names of registries, users and secrets */
    size_t text_count;
    char *docker_folder;
};

/* Asks at the terminal for logins that are not in a file. */
must_check int container_choice_make(const struct container_values *values, struct container_choice *ret,
                                     struct err *e);
/* Wipes. */
void container_choice_free(struct container_choice *c);

#endif
