/* SPDX-License-Identifier: Apache-2.0
 *
 * The verdict, for people and for programs. The JSON fields are documented in docs/json.md.
 */
#ifndef AIRLOCK_CLI_PRINT_VERDICT_H
#define AIRLOCK_CLI_PRINT_VERDICT_H

#include "lockbox/survey.h"

struct cJSON;

/* What is inside, and what comes of it. */
void print_verdict(const struct survey_item *item, int64_t now, bool verbose);
/* What a device must have so that it can install what is there; nothing where it needs nothing. */
void print_needs(const struct needs *n);
/* The same as members of an object. */
void json_verdict(const struct survey_item *item, struct cJSON *answer);

#endif
