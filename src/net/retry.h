/* SPDX-License-Identifier: Apache-2.0
 *
 * How long to wait before a request is repeated. Pure functions: no clock is read here. A server that names a
 * date is measured against the Date of its own answer, so that a laptop whose clock is wrong waits as long as
 * one whose clock is right.
 */
#ifndef AIRLOCK_NET_RETRY_H
#define AIRLOCK_NET_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#define RETRY_AFTER_MAX_S 300   /* whoever is asked to wait longer is told so, rather than left waiting */
#define RETRY_PAUSE_DOUBLINGS 6 /* the pause grows to 64 times the first */

/* The pause before the next try after that many fruitless ones in a row. */
uint64_t retry_pause_ms(unsigned first_pause_ms, unsigned failures);

/* Retry-After as seconds or as an HTTP date (RFC 9110, 10.2.3); `date` is the same answer's Date. False when
 * there is neither: "" stands for an absent header. A date that is past is 0. */
bool retry_after_s(const char *value, const char *date, uint64_t *ret_s);

#endif
