/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/out.h"
#include "crypto/hash.h"

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
