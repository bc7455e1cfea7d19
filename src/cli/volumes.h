/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the volumes of a bundle are that do not lie beside its head: in the folders of --volumes-in, and then
 * on the stick that the person at the terminal is asked for.
 */
#ifndef AIRLOCK_CLI_VOLUMES_H
#define AIRLOCK_CLI_VOLUMES_H

#include "cli/options.h"
#include "lockbox/deliver.h"

#define VOLUMES_ROW(offset)                                                                                  \
    {                                                                                                        \
        "volumes-in", OPTION_LIST, "DIR", offset,                                                            \
            "where volumes are that are not beside the bundle; else they are asked for"                      \
    }

struct volumes {
    const struct text_list *given;
    char **folders; /* where the present file is looked for */
    size_t count, room, next;
};

/* For as long as *v lives. */
struct bundle_elsewhere volumes_elsewhere(struct volumes *v);
void volumes_free(struct volumes *v);

#endif
