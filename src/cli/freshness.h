/* SPDX-License-Identifier: Apache-2.0
 *
 * Is what lies on a stick still what should be there? What the cloud has of the lockbox now, and whether the
 * roles last until a date: the same words in the answers of `check` and `list`.
 *
 * The cloud is asked once, in passing: without a login, or offline, nothing is compared.
 */
#ifndef AIRLOCK_CLI_FRESHNESS_H
#define AIRLOCK_CLI_FRESHNESS_H

#include "account/overview.h"
#include "cli/app.h"
#include "lockbox/survey.h"

struct freshness {
    struct overview cloud;
    bool compared;                   /* `cloud` is an answer */
    struct option_time needed_until; /* not given: any date is right */
    int64_t now;
};

/* Asks the cloud, with one try of a few seconds. Without a login or pinned roots there is nothing to compare;
 * that the cloud did not answer is noted. */
void freshness_ask(struct app *app, const struct pins *pins, struct freshness *f);
/* Lines below an item, each where there is something to say. */
void freshness_print(const struct freshness *f, const struct survey_item *item);
/* "lockbox", "version", "cloud", "cloud_version", "ends_too_soon" and the fields of expiry.h. */
void freshness_add_json(const struct freshness *f, const struct survey_item *item, struct cJSON *to);
/* Do its roles end before the date that was asked for? */
bool freshness_ends_too_soon(const struct freshness *f, const struct survey_item *item);
void freshness_free(struct freshness *f);

#endif
