/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Reads exactly n digits at *at and moves on; false at the first other character. */
static bool take_digits(const char **at, const char *end, int n, int *ret)
{
    int value = 0;
    if (end - *at < n)
        return false;
    for (int i = 0; i < n; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        value = value * 10 + (**at - '0');
    }
    *ret = value;
    return true;
}

static bool take_char(const char **at, const char *end, const char *one_of)
{
    if (*at == end || **at == '\0' || !strchr(one_of, **at))
        return false;
    (*at)++;
    return true;
}

static bool date_exists(int year, int month, int day)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1)
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= days[month - 1] + (month == 2 && leap);
}

static bool take_date(const char **at, const char *end, struct tm *tm)
{
    int year, month, day;
    if (!take_digits(at, end, 4, &year) || !take_char(at, end, "-") || !take_digits(at, end, 2, &month) ||
        !take_char(at, end, "-") || !take_digits(at, end, 2, &day) || !date_exists(year, month, day))
        return false;
    tm->tm_year = year - 1900;
    tm->tm_mon = month - 1;
    tm->tm_mday = day;
    return true;
}

static bool take_time(const char **at, const char *end, struct tm *tm)
{
    if (!take_digits(at, end, 2, &tm->tm_hour) || !take_char(at, end, ":") ||
        !take_digits(at, end, 2, &tm->tm_min) || !take_char(at, end, ":") ||
        !take_digits(at, end, 2, &tm->tm_sec))
        return false;
    return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec < 60;
}

bool clock_parse_role(const char *text, size_t len, int64_t *ret_time)
{
    const char *at = text, *end = text + len;
    struct tm tm = {0};
    if (!take_date(&at, end, &tm) || !take_char(&at, end, "T") || !take_time(&at, end, &tm) ||
        !take_char(&at, end, "Z") || at != end)
        return false;
    *ret_time = timegm(&tm);
    return true;
}

/* "Z", "+hh:mm" or "-hh:mm"; seconds to subtract. */
static bool take_offset(const char **at, const char *end, int *ret_seconds)
{
    if (take_char(at, end, "Zz")) {
        *ret_seconds = 0;
        return true;
    }
    int sign = *at != end && **at == '-' ? -1 : 1, hours, minutes;
    if (!take_char(at, end, "+-") || !take_digits(at, end, 2, &hours) || !take_char(at, end, ":") ||
        !take_digits(at, end, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool clock_parse(const char *text, int64_t *ret_time)
{
    const char *at = text, *end = text + strlen(text);
    struct tm tm = {0};
    int offset = 0;
    if (!take_date(&at, end, &tm))
        return false;
    if (at != end) {
        int digit;
        if (!take_char(&at, end, "Tt ") || !take_time(&at, end, &tm))
            return false;
        if (take_char(&at, end, ".") && !take_digits(&at, end, 1, &digit))
            return false;
        while (take_digits(&at, end, 1, &digit))
            ;
        if (!take_offset(&at, end, &offset) || at != end)
            return false;
    }
    *ret_time = timegm(&tm) - offset;
    return true;
}

void clock_format(int64_t time, char ret_text[CLOCK_TEXT_SIZE])
{
    struct tm tm;
    time_t seconds = (time_t)time;
    if (!gmtime_r(&seconds, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900) {
        snprintf(ret_text, CLOCK_TEXT_SIZE, "out of range");
        return;
    }
    int year = snprintf(ret_text, CLOCK_TEXT_SIZE, "%04d", tm.tm_year + 1900); /* %Y would not fill up */
    strftime(ret_text + year, CLOCK_TEXT_SIZE - (size_t)year, "-%m-%dT%H:%M:%SZ", &tm);
}
