/* SPDX-License-Identifier: Apache-2.0
 *
 * What the program says: an answer on stdout, messages on stderr. Texts may come from a stick.
 */
#ifndef AIRLOCK_DEVICE_SAY_H
#define AIRLOCK_DEVICE_SAY_H

#include "base/err.h"

void say_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_error(const struct err *e);
/* What is done without, and why; nothing for ERR_NONE. */
void say_without(const char *what, const struct err *why);
/* That a bundle is passed over. */
void say_passed(const char *file, const struct err *why);

#endif
