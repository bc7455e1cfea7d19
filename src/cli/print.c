/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/out.h"
#include "crypto/hash.h"

#define COLUMNS_DEFAULT 80

void print_text(const char *text)
{
    AUTO(buf) struct buf shown = {0};
    out_escape(&shown, text, strlen(text));
    fputs(buf_text(&shown), stdout);
}

void print_label(const char *label)
{
    printf("  %-12s ", label);
}

void print_size(uint64_t bytes)
{
    char text[OUT_SIZE_TEXT];
    out_size(bytes, text);
    fputs(text, stdout);
}

int print_columns(int least)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= least ? size.ws_col
                                                                                : COLUMNS_DEFAULT;
}

void print_cell(const char *text, int columns, bool pad)
{
    AUTO(buf) struct buf shown = {0};
    int at = 0, cut = 0;
    out_escape(&shown, text, strlen(text));
    const char *c = buf_text(&shown);
    for (; *c && at < columns; at++) {
        if (at == columns - 1)
            cut = (int)(c - buf_text(&shown));
        for (c++; (*c & 0xc0) == 0x80;)
            c++;
    }
    if (*c)
        printf("%.*s…", cut, buf_text(&shown));
    else
        printf("%s%*s", buf_text(&shown), pad ? columns - at : 0, "");
}

cJSON *json_add_item(cJSON *array)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddItemToArray(array, item);
    return item;
}

void json_add_time(cJSON *to, const char *key, int64_t time)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format(time, text);
    if (time == INT64_MAX)
        cJSON_AddNullToObject(to, key);
    else
        cJSON_AddStringToObject(to, key, text);
}

void json_add_integer(cJSON *to, const char *key, int64_t n)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%" PRId64, n);
    cJSON_AddRawToObject(to, key, digits);
}

void json_add_text(cJSON *to, const char *key, const char *text)
{
    if (text)
        cJSON_AddStringToObject(to, key, text);
    else
        cJSON_AddNullToObject(to, key);
}

void json_add_hash(cJSON *to, const char *key, const uint8_t *sha256)
{
    char hex[HASH_HEX_SIZE];
    hash_hex(sha256, hex);
    cJSON_AddStringToObject(to, key, hex);
}
