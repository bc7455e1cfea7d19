/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock login: check credentials and store them as a profile.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "account/login.h"
#include "base/mem.h"
#include "cli/app.h"
#include "cli/print.h"
#include "cli/print_trust.h"
#include "cli/prompt.h"

struct login_options {
    const char *credentials, *trust, *director_url, *repo_url, *token_url, *api_url, *api_token_url,
        *ostree_url, *feed_url;
    bool api_client;
};

static const struct option options[] = {
    {"credentials", OPTION_TEXT, "FILE", offsetof(struct login_options, credentials),
     "credentials.zip from the cloud's web page"},
    {"trust", OPTION_TEXT, "DIR", offsetof(struct login_options, trust),
     "roots that the cloud must serve, and that are pinned where none are yet"},
    {"api-client", OPTION_FLAG, NULL, offsetof(struct login_options, api_client),
     "an API client (AIRLOCK_CLIENT_ID, AIRLOCK_CLIENT_SECRET, else asked for)"},
    {"director-url", OPTION_TEXT, "URL", offsetof(struct login_options, director_url),
     "self-hosted director"},
    {"repo-url", OPTION_TEXT, "URL", offsetof(struct login_options, repo_url),
     "self-hosted image repository"},
    {"token-url", OPTION_TEXT, "URL", offsetof(struct login_options, token_url),
     "where tokens are given out"},
    {"api-url", OPTION_TEXT, "URL", offsetof(struct login_options, api_url), "platform API"},
    {"api-token-url", OPTION_TEXT, "URL", offsetof(struct login_options, api_token_url),
     "where tokens for the platform API are given out"},
    {"ostree-url", OPTION_TEXT, "URL", offsetof(struct login_options, ostree_url),
     "OSTree repository of the account"},
    {"feed-url", OPTION_TEXT, "URL", offsetof(struct login_options, feed_url), "public OSTree repository"},
    {0},
};

static int take_api_client(char **ret_id, char **ret_secret, struct err *e)
{
    const char *id = getenv("AIRLOCK_CLIENT_ID"), *secret = getenv("AIRLOCK_CLIENT_SECRET");
    if (id && *id && secret && *secret) {
        *ret_id = mem_strdup(id);
        *ret_secret = mem_strdup(secret);
        return 0;
    }
    if (prompt_text("client id: ", true, ret_id, e))
        return -1;
    return prompt_text("client secret (not shown): ", false, ret_secret, e);
}

static bool is_first_contact(const struct login_result *r)
{
    return r->pinned[PIN_DIRECTOR] || r->pinned[PIN_IMAGE];
}

static void print_result(const struct app *app, const struct login_result *r)
{
    const struct first_contact contact = {
        .pinned = r->pinned, .origin = r->origin, .fingerprint = r->fingerprint};
    printf("logged in: profile '%s'\n", app->profile);
    print_label("doors");
    printf("%s%s%s\n", r->uptane ? "lockboxes and packages" : "", r->uptane && r->api ? ", " : "",
           r->api ? "platform API" : "");
    if (is_first_contact(r))
        print_first_contact(&contact);
    for (size_t repo = 0; repo < COUNT_OF(r->has_root); repo++)
        if (r->has_root[repo])
            print_fingerprint((enum pin_repo)repo, r->fingerprint[repo]);
}

static void answer_json(const struct app *app, const struct login_result *r)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    cJSON_AddStringToObject(answer, "profile", app->profile);
    cJSON_AddBoolToObject(answer, "lockboxes", r->uptane);
    cJSON_AddBoolToObject(answer, "platform_api", r->api);
    cJSON_AddBoolToObject(answer, "first_contact", is_first_contact(r));
    cJSON_AddItemToObject(answer, "roots", json_fingerprints(r->has_root, r->fingerprint));
    app_print_json(answer);
}

static int run(struct app *app, const void *values, const char **words, size_t count, int *exit_code,
               struct err *e)
{
    const struct login_options *o = values;
    AUTO_SECRET char *id = NULL;
    AUTO_SECRET char *secret = NULL;
    AUTO(pins) struct pins trust = {0};
    struct login_result result;
    (void)words, (void)count, (void)exit_code;
    if (!o->credentials && !o->api_client && !o->repo_url && !o->director_url) {
        err_set(e, ERR_USAGE,
                "login needs --credentials FILE, --api-client or the addresses of a self-hosted server");
        return err_hint(e, "airlock login --credentials credentials.zip");
    }
    if ((o->trust && pins_load_folder(o->trust, &trust, e)) ||
        (o->api_client && take_api_client(&id, &secret, e)) || app_open_store(app, e))
        return -1;
    const struct login_request request = {
        .profile = app->profile,
        .credentials = o->credentials,
        .api_client_id = id,
        .api_client_secret = secret,
        .ca_file = app->global.cacert,
        .trust = o->trust ? &trust : NULL,
        .now = app->now,
        .urls = {.director = (char *)o->director_url,
                 .repo = (char *)o->repo_url,
                 .ostree = (char *)o->ostree_url,
                 .feed = (char *)o->feed_url,
                 .token = (char *)o->token_url,
                 .api = (char *)o->api_url,
                 .api_token = (char *)o->api_token_url},
    };
    if (login(&app->store, &request, &result, e))
        return -1;
    if (app->global.json)
        answer_json(app, &result);
    else
        print_result(app, &result);
    return 0;
}

const struct command cmd_login = {
    .name = "login",
    .words = "",
    .summary = "check credentials and store them",
    .details =
        "credentials.zip opens lockboxes, packages and OSTree images; an API client opens the platform API. "
        "The\n"
        "account's roots are pinned at first contact. Secrets are stored in a file that only you can read.",
    .min_words = 0,
    .max_words = 0,
    .options = options,
    .options_size = sizeof(struct login_options),
    .run = run,
};
