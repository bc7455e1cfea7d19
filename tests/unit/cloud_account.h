/* SPDX-License-Identifier: Apache-2.0
 *
 * The account `demo` of a rehearsal cloud, logged in at both doors: what the tests of cloud/ begin with.
 */
#ifndef AIRLOCK_TESTS_CLOUD_ACCOUNT_H
#define AIRLOCK_TESTS_CLOUD_ACCOUNT_H

#include "rehearsal.h"

#include "cloud/cloud.h"
#include "cloud/credentials.h"

struct account {
    struct credentials credentials;
    char *ca_file, *api_id, *api_secret;
    struct cloud *cloud;
};

static inline struct cloud *account_open(const struct account *a, const char *secret)
{
    struct cloud *cloud = NULL;
    struct err e;
    struct cloud_login login = {
        .endpoints = &a->credentials.endpoints,
        .uptane = {a->credentials.client_id, secret, a->credentials.scope},
        .api = {a->api_id, a->api_secret, NULL},
    };
    struct http_options options = {.ca_file = a->ca_file, .user_agent = rehearsal_agent, .pause_ms = 10};
    if (cloud_open(&login, &options, &cloud, &e))
        fail_msg("%s", e.message);
    return cloud;
}

static inline int account_start(void **state)
{
    struct err e;
    struct account *a = mem_zeroed(1, sizeof *a);
    rehearsal_start("--seed demo");
    AUTO_FREE char *archive = rehearsal_value("REHEARSAL_CREDENTIALS");
    AUTO_FREE char *api = rehearsal_value("REHEARSAL_API_URL");
    AUTO_FREE char *token = rehearsal_value("REHEARSAL_TOKEN_URL");
    AUTO_FREE char *feed = rehearsal_value("REHEARSAL_FEED_URL");
    struct cloud_endpoints by = {.api = api, .api_token = token, .feed = feed};
    if (credentials_read(archive, &a->credentials, &e) ||
        cloud_endpoints_settle(&a->credentials.endpoints, &by, &e))
        fail_msg("%s", e.message);
    a->ca_file = rehearsal_value("REHEARSAL_CA");
    a->api_id = rehearsal_value("REHEARSAL_CLIENT_ID");
    a->api_secret = rehearsal_value("REHEARSAL_CLIENT_SECRET");
    *state = a;
    return 0;
}

static inline int account_stop(void **state)
{
    struct account *a = *state;
    credentials_free(&a->credentials);
    free(a->ca_file);
    free(a->api_id);
    free(a->api_secret);
    free(a);
    rehearsal_stop();
    return 0;
}

/* Every test has connections and logins of its own. */
static inline int account_begin(void **state)
{
    struct account *a = *state;
    rehearsal_begin();
    a->cloud = account_open(a, a->credentials.client_secret);
    return 0;
}

static inline int account_end(void **state)
{
    struct account *a = *state;
    cloud_close(a->cloud);
    return 0;
}

#endif
