/* SPDX-License-Identifier: Apache-2.0 */
#include "net/retry.h"

#include <curl/curl.h>
#include <stddef.h>
#include <string.h>

static bool parse_seconds(const char *text, uint64_t *ret_s);

uint64_t retry_pause_ms(unsigned first_pause_ms, unsigned failures)
{
    unsigned doublings = failures > 1 ? failures - 1 : 0;
    if (doublings > RETRY_PAUSE_DOUBLINGS)
        doublings = RETRY_PAUSE_DOUBLINGS;
    return (uint64_t)first_pause_ms << doublings;
}

bool retry_after_s(const char *value, const char *date, uint64_t *ret_s)
{
    if (parse_seconds(value, ret_s))
        return true;
    time_t until = curl_getdate(value, NULL), now = curl_getdate(date, NULL);
    if (until < 0 || now < 0)
        return false;
    *ret_s = until > now ? (uint64_t)(until - now) : 0;
    return true;
}

/* Digits alone; more than nine of them are as good as for ever. */
static bool parse_seconds(const char *text, uint64_t *ret_s)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || text[digits])
        return false;
    uint64_t seconds = 0;
    for (size_t i = 0; i < digits && i < 9; i++)
        seconds = seconds * 10 + (uint64_t)(text[i] - '0');
    *ret_s = digits > 9 ? UINT32_MAX : seconds;
    return true;
}
