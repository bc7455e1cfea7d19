/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud/endpoints.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/http.h"
#include "net/url.h"

static int settle_one(char **to, const char *by, bool may_be_file, struct err *e);
static char *tidied(const char *url);

int cloud_endpoints_settle(struct cloud_endpoints *to, const struct cloud_endpoints *by, struct err *e)
{
    if (settle_one(&to->director, by->director, false, e) || settle_one(&to->repo, by->repo, false, e) ||
        settle_one(&to->ostree, by->ostree, true, e) || settle_one(&to->feed, by->feed, true, e) ||
        settle_one(&to->token, by->token, false, e) || settle_one(&to->api, by->api, false, e) ||
        settle_one(&to->api_token, by->api_token, false, e))
        return -1;
    AUTO_FREE char *origin = NULL;
    if (!to->director && to->repo && http_origin(to->repo, &origin))
        to->director = mem_format("%s/director", origin);
    if (!to->feed)
        to->feed = mem_strdup(CLOUD_FEED_DEFAULT);
    if (!to->api)
        to->api = mem_strdup(CLOUD_API_DEFAULT);
    if (!to->token)
        to->token = mem_strdup(CLOUD_TOKEN_DEFAULT);
    if (!to->api_token)
        to->api_token = mem_strdup(CLOUD_TOKEN_DEFAULT);
    return 0;
}

void cloud_endpoints_free(struct cloud_endpoints *endpoints)
{
    free(endpoints->director);
    free(endpoints->repo);
    free(endpoints->ostree);
    free(endpoints->feed);
    free(endpoints->token);
    free(endpoints->api);
    free(endpoints->api_token);
    *endpoints = (struct cloud_endpoints){0};
}

static int settle_one(char **to, const char *by, bool may_be_file, struct err *e)
{
    const char *chosen = by ? by : *to;
    if (!chosen)
        return 0;
    char *url = tidied(chosen);
    free(*to);
    *to = url;
    if (may_be_file && strncmp(url, CLOUD_FILE "/", strlen(CLOUD_FILE "/")) == 0)
        return 0;
    AUTO_FREE char *origin = NULL;
    bool is_address = http_origin(url, &origin);
    if (is_address && (url_is_https(origin) || url_is_loopback(url)))
        return 0;
    AUTO(buf) struct buf shown = {0};
    url_show(&shown, url);
    const char *why = is_address
                          ? "would carry logins unencrypted: only https is allowed, http to this machine only"
                          : "is no http or https address";
    return err_set(e, ERR_BAD_CONFIG, "'%s' %s", buf_text(&shown), why);
}

static char *tidied(const char *url)
{
    static const char blanks[] = " \t\r\n";
    url += strspn(url, blanks);
    size_t len = strlen(url);
    while (len > 0 && (strchr(blanks, url[len - 1]) || url[len - 1] == '/'))
        len--;
    return mem_strndup(url, len);
}
