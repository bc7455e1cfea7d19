/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside record.c: the container applications of a record, to and from its JSON.
 */
#ifndef AIRLOCK_STORE_RECORD_APPS_H
#define AIRLOCK_STORE_RECORD_APPS_H

#include "base/json.h"
#include "store/record.h"

struct cJSON;

void record_apps_print(struct cJSON *root, const struct record *r);
/* False for anything but what record_apps_print() writes; a record without any is right. */
bool record_apps_read(struct json_value root, struct record *r);
/* Every object that they name, some more than once; stops at the first -1. */
must_check int record_apps_each(const struct record *r,
                                int (*each)(void *ctx, const uint8_t sha256[HASH_SIZE], struct err *e),
                                void *ctx, struct err *e);

#endif
