/* SPDX-License-Identifier: Apache-2.0
 *
 * What was written, or would be, for people and for programs. The JSON fields are documented in docs/json.md.
 */
#ifndef AIRLOCK_CLI_PRINT_DELIVERY_H
#define AIRLOCK_CLI_PRINT_DELIVERY_H

#include "lockbox/deliver.h"

struct cJSON;

void print_delivery(const struct delivery *d, int64_t now);
void print_plan(const struct delivery *d, int64_t now);
/* Also with -q. */
void warn_of_remarks(const struct delivery *d);
struct cJSON *json_delivery(const struct delivery *d, bool dry_run);

#endif
