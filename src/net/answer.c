/* SPDX-License-Identifier: Apache-2.0 */
#include "net/answer.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "net/http.h"

static bool is_status_line(const char *line, size_t len, int *ret_status);
static void set_field(struct answer *a, const char *name, size_t name_len, const char *value, size_t len);
static void keep(char *to, size_t size, const char *value, size_t len);
static void keep_more(char *to, size_t size, const char *value, size_t len);
static void parse_content_range(struct answer *a, const char *value, size_t len);
static bool take_number(const char **at, const char *end, uint64_t *ret);

void answer_begin(struct answer *a)
{
    *a = (struct answer){.length = HTTP_LENGTH_UNKNOWN, .range_total = HTTP_LENGTH_UNKNOWN};
}

void answer_add_line(struct answer *a, const char *line, size_t len)
{
    int status;
    while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
        len--;
    if (is_status_line(line, len, &status)) {
        answer_begin(a);
        a->status = status;
        return;
    }
    const char *colon = memchr(line, ':', len);
    if (!colon)
        return;
    const char *value = colon + 1, *end = line + len;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    set_field(a, line, (size_t)(colon - line), value, (size_t)(end - value));
}

/* "HTTP/1.1 200 OK", "HTTP/2 200" */
static bool is_status_line(const char *line, size_t len, int *ret_status)
{
    if (len < strlen("HTTP/2 200") || memcmp(line, "HTTP/", 5) != 0)
        return false;
    const char *blank = memchr(line, ' ', len);
    uint64_t status;
    if (!blank || line + len - blank < 4)
        return false;
    const char *at = blank + 1;
    if (!take_number(&at, blank + 4, &status) || at != blank + 4)
        return false;
    *ret_status = (int)status;
    return true;
}

static void set_field(struct answer *a, const char *name, size_t name_len, const char *value, size_t len)
{
#define IS(text) (name_len == strlen(text) && strncasecmp(name, text, name_len) == 0)
    if (IS("Content-Length")) {
        const char *at = value;
        uint64_t length;
        if (take_number(&at, value + len, &length) && at == value + len)
            a->length = length;
    } else if (IS("Content-Range")) {
        parse_content_range(a, value, len);
    } else if (IS("ETag")) {
        keep(a->etag, sizeof a->etag, value, len);
        if (a->etag[0] != '"')
            a->etag[0] = '\0';
    } else if (IS("Retry-After")) {
        keep(a->retry_after, sizeof a->retry_after, value, len);
    } else if (IS("WWW-Authenticate")) {
        keep_more(a->challenge, sizeof a->challenge, value, len);
    } else if (IS("Date")) {
        keep(a->date, sizeof a->date, value, len);
    }
#undef IS
}

static void keep(char *to, size_t size, const char *value, size_t len)
{
    if (len >= size || memchr(value, '\0', len))
        len = 0;
    memcpy(to, value, len);
    to[len] = '\0';
}

/* A header that may come several times. What does not fit is left out whole. */
static void keep_more(char *to, size_t size, const char *value, size_t len)
{
    size_t at = strlen(to), comma = at > 0 ? 2 : 0;
    if (len == 0 || at + comma + len >= size || memchr(value, '\0', len))
        return;
    memcpy(to + at, ", ", comma);
    memcpy(to + at + comma, value, len);
    to[at + comma + len] = '\0';
}

static void parse_content_range(struct answer *a, const char *value, size_t len)
{
    const char *at = value, *end = value + len;
    a->range = RANGE_NONE;
    if (len < 6 || strncasecmp(at, "bytes ", 6) != 0)
        return;
    at += 6;
    bool is_part = at < end && *at != '*';
    if (is_part) {
        if (!take_number(&at, end, &a->range_first) || at == end || *at++ != '-' ||
            !take_number(&at, end, &a->range_last) || a->range_last < a->range_first)
            return;
    } else {
        at++;
    }
    if (at >= end || *at++ != '/')
        return;
    bool total_is_unknown = end - at == 1 && *at == '*';
    if (total_is_unknown)
        a->range_total = HTTP_LENGTH_UNKNOWN;
    else if (!take_number(&at, end, &a->range_total) || at != end)
        return;
    if (is_part && a->range_last >= a->range_total)
        return;
    a->range = is_part ? RANGE_PART : RANGE_TOTAL;
}

/* At least one digit, at most 2^63 - 1. */
static bool take_number(const char **at, const char *end, uint64_t *ret)
{
    uint64_t number = 0;
    const char *start = *at;
    for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
        if (number > (INT64_MAX - 9) / 10)
            return false;
        number = number * 10 + (uint64_t)(**at - '0');
    }
    *ret = number;
    return *at > start;
}
