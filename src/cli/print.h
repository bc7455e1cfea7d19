/* SPDX-License-Identifier: Apache-2.0
 *
 * Small pieces of answers that several commands print.
 */
#ifndef AIRLOCK_CLI_PRINT_H
#define AIRLOCK_CLI_PRINT_H

#include <stdbool.h>
#include <stdint.h>

struct cJSON;

/* printf's "%s" for text from outside: escaped. */
void print_text(const char *text);
/* "  label      " in the column of labels. */
void print_label(const char *label);
void print_size(uint64_t bytes);
/* Of the terminal; 80 where there is none, or one with fewer than `least`. */
int print_columns(int least);
/* Text in so many columns, one for each character; what is too long ends in "…". */
void print_cell(const char *text, int columns, bool pad);

/* A new object at the end of the array. */
struct cJSON *json_add_item(struct cJSON *array);
/* A time as RFC 3339 text, or null for INT64_MAX. */
void json_add_time(struct cJSON *to, const char *key, int64_t time);
/* All digits: a JSON number made of a double has 15 of them. */
void json_add_integer(struct cJSON *to, const char *key, int64_t n);
/* Text, or null. */
void json_add_text(struct cJSON *to, const char *key, const char *text);
void json_add_hash(struct cJSON *to, const char *key, const uint8_t *sha256);

#endif
