/* SPDX-License-Identifier: Apache-2.0
 *
 * What was written, or would be, for people and for programs. The JSON fields are documented in docs/json.md.
 * `at`: one of the delivery's places that has not failed.
 */
#ifndef AIRLOCK_CLI_PRINT_DELIVERY_H
#define AIRLOCK_CLI_PRINT_DELIVERY_H

#include "lockbox/deliver.h"

struct cJSON;

void print_delivery(const struct delivery *d, const struct delivered *at, int64_t now);
void print_plan(const struct delivery *d, const struct delivered *at, int64_t now);
/* Also with -q. */
void warn_of_remarks(const struct delivery *d, const struct delivered *at);
struct cJSON *json_delivery(const struct delivery *d, const struct delivered *at, bool dry_run);

#endif
