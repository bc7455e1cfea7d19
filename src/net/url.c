/* SPDX-License-Identifier: Apache-2.0 */
#include "net/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/out.h"
#include "net/http.h"

static bool is_unreserved(unsigned char c);
static bool is_default_port(const char *scheme, const char *port);
static bool has_login(CURLU *url);

void http_escape(struct buf *to, const char *text, size_t len, bool keep_slashes)
{
    static const char digits[] = "0123456789ABCDEF"; /* RFC 3986, 2.1: upper case */
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (is_unreserved(c) || (c == '/' && keep_slashes)) {
            buf_add_char(to, (char)c);
        } else {
            const char escaped[] = {'%', digits[c >> 4], digits[c & 15]};
            buf_add(to, escaped, sizeof escaped);
        }
    }
}

bool http_origin(const char *text, char **ret_origin)
{
    CURLU *url = curl_url();
    char *scheme = NULL, *host = NULL, *port = NULL;
    bool good = url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK && !has_login(url) &&
                curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                (strcmp(scheme, "https") == 0 || strcmp(scheme, "http") == 0);
    if (good) {
        for (char *c = host; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        *ret_origin = is_default_port(scheme, port) ? mem_format("%s://%s", scheme, host)
                                                    : mem_format("%s://%s:%s", scheme, host, port);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
    return good;
}

bool url_same_origin(const char *a, const char *b)
{
    AUTO_FREE char *origin_a = NULL;
    AUTO_FREE char *origin_b = NULL;
    return http_origin(a, &origin_a) && http_origin(b, &origin_b) && strcmp(origin_a, origin_b) == 0;
}

bool url_is_https(const char *url)
{
    return strncasecmp(url, "https://", strlen("https://")) == 0;
}

bool url_is_loopback(const char *url)
{
    AUTO_FREE char *origin = NULL;
    if (!http_origin(url, &origin))
        return false;
    char *host = strstr(origin, "://") + 3;
    size_t host_len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    host[host_len] = '\0';
    struct in_addr v4; /* parsed, since 127.0.0.1.example is a name like any other */
    bool is_v4 = inet_pton(AF_INET, host, &v4) == 1;
    return (is_v4 && ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET) || strcmp(host, "localhost") == 0 ||
           strcmp(host, "[::1]") == 0;
}

void url_show(struct buf *to, const char *url)
{
    size_t len = strcspn(url, "?#");
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    const char *at = memchr(host, '@', strcspn(host, "/?#"));
    out_escape(to, url, (size_t)(host - url) < len ? (size_t)(host - url) : len);
    if (at)
        host = at + 1;
    if (host < url + len)
        out_escape(to, host, (size_t)(url + len - host));
}

/* RFC 3986, 2.3 */
static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static bool is_default_port(const char *scheme, const char *port)
{
    return strcmp(port, strcmp(scheme, "https") == 0 ? "443" : "80") == 0;
}

/* A user in a URL is either a trick (https://good.example@evil.example) or a password where it may be shown.
 */
static bool has_login(CURLU *url)
{
    char *user = NULL;
    bool found = curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK;
    curl_free(user);
    return found;
}
