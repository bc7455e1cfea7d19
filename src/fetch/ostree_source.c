/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/ostree_source.h"

#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "net/url.h"

enum answer { ANSWER_YES, ANSWER_NO, ANSWER_NONE };

static enum answer ask_folder(struct ostree_source *s, const char *path, struct err *e)
{
    struct stat st;
    if (fs_open_dir(s->at.url + strlen(CLOUD_FILE), &s->folder, e))
        return ANSWER_NONE;
    return fstatat(s->folder, path, &st, AT_SYMLINK_NOFOLLOW) == 0 ? ANSWER_YES : ANSWER_NO;
}

static int send_request(struct cloud *cloud, const struct ostree_source *s, const char *method,
                        const char *path, int *ret_status, struct err *e)
{
    AUTO(buf) struct buf body = {0};
    AUTO_FREE char *url = cloud_ostree_url(&s->at, path);
    const struct http_request request = {
        .method = method, .url = url, .auth = s->at.auth, .max_answer = OSTREE_METADATA_MAX};
    struct http_reply reply;
    if (http_send(cloud_http(cloud), &request, &body, &reply, e))
        return -1;
    *ret_status = reply.status;
    http_reply_free(&reply);
    return 0;
}

/* A server may know no HEAD, or redirect to an address that is signed for GET alone. */
static bool is_about_head(int status)
{
    return status == 403 || status == 405 || status == 501;
}

static enum answer ask_server(struct cloud *cloud, const struct ostree_source *s, const char *path,
                              struct err *e)
{
    int status;
    if (send_request(cloud, s, "HEAD", path, &status, e) ||
        (is_about_head(status) && send_request(cloud, s, "GET", path, &status, e)))
        return ANSWER_NONE;
    if (status == 200)
        return ANSWER_YES;
    if (status == 404 || status == 410)
        return ANSWER_NO;
    err_set(e, status == 403 ? ERR_NOT_ALLOWED : ERR_HTTP_STATUS, "it answers with status %d", status);
    e->http_status = status;
    return ANSWER_NONE;
}

static enum answer ask(struct cloud *cloud, struct ostree_source *s, const char *path, struct err *e)
{
    bool is_here = strncmp(s->at.url, CLOUD_FILE, strlen(CLOUD_FILE)) == 0;
    return is_here ? ask_folder(s, path, e) : ask_server(cloud, s, path, e);
}

static void show(struct buf *to, const struct cloud_source *at)
{
    if (to->len)
        buf_add_text(to, ", ");
    url_show(to, at->url);
}

/* Asks one after the other; the one that has it is moved to *ret. ANSWER_NONE: e says who could not be asked.
 */
static enum answer search(struct cloud *cloud, struct cloud_source *candidates, size_t count,
                          const char *path, struct ostree_source *ret, struct err *e)
{
    enum answer result = ANSWER_NO;
    for (size_t i = 0; i < count; i++) {
        struct ostree_source s = {.at = candidates[i], .folder = -1};
        struct err error;
        enum answer answer = ask(cloud, &s, path, &error);
        if (answer == ANSWER_YES) {
            candidates[i] = (struct cloud_source){0};
            *ret = s;
            return ANSWER_YES;
        }
        cleanup_fd(&s.folder);
        if (answer == ANSWER_NO)
            continue;
        AUTO(buf) struct buf shown = {0};
        show(&shown, &s.at);
        *e = error;
        err_context(e, "the OSTree repository '%s'", buf_text(&shown));
        result = ANSWER_NONE;
        if (s.at.auth)
            break;
    }
    return result;
}

int ostree_source_find(struct cloud *cloud, const char *uri, const struct ostree_name *commit,
                       struct ostree_source *ret, struct err *e)
{
    char path[OSTREE_PATH_SIZE], hex[HASH_HEX_SIZE];
    struct cloud_source candidates[CLOUD_OSTREE_SOURCES];
    AUTO(buf) struct buf asked = {0};
    ostree_path(commit, path);
    size_t count = cloud_ostree_sources(cloud, uri, candidates);
    for (size_t i = 0; i < count; i++)
        show(&asked, &candidates[i]);
    enum answer answer = search(cloud, candidates, count, path, ret, e);
    for (size_t i = 0; i < count; i++)
        cloud_source_free(&candidates[i]);
    if (answer != ANSWER_NO)
        return answer == ANSWER_YES ? 0 : -1;
    hash_hex(commit->checksum, hex);
    return err_set(e, ERR_NO_SUCH_COMMIT, "no repository has the commit '%s'; asked: %s", hex,
                   count ? buf_text(&asked) : "nobody, since none is known");
}

void ostree_source_free(struct ostree_source *s)
{
    cloud_source_free(&s->at);
    cleanup_fd(&s->folder);
    *s = OSTREE_SOURCE_NONE;
}
