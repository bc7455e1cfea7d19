/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocation that cannot fail from the caller's view. Every size that comes from outside has been checked
 * against a named limit before it gets here, so running out is running out of the machine's memory: the
 * process aborts, which every command survives by design (a killed run is continued by the same command). See
 * docs/decisions/0002.
 */
#ifndef AIRLOCK_BASE_MEM_H
#define AIRLOCK_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

/* n zeroed elements of the given size; never NULL, also for n = 0. */
void *mem_zeroed(size_t n, size_t size);
/* Like reallocarray(); never NULL. */
void *mem_resize(void *old, size_t n, size_t size);
char *mem_strdup(const char *text);
/* A NUL-terminated copy of len bytes. */
char *mem_strndup(const void *text, size_t len);
/* A new string, printed. */
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Makes room for one more element in *array (count of *room used); doubles. Use: mem_grow(&list, n, &room,
 * sizeof *list) */
void mem_grow(void *array, size_t count, size_t *room, size_t size);

#endif
