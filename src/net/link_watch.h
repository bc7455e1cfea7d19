/* SPDX-License-Identifier: Apache-2.0
 *
 * Sleeps until this computer's network changes: the kernel tells of each address and route that comes or goes
 * (rtnetlink(7)). Nothing is sent and nothing is polled; whether a server can be reached then is for the
 * caller to find out.
 */
#ifndef AIRLOCK_NET_LINK_WATCH_H
#define AIRLOCK_NET_LINK_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* *ret_fd is the caller's to close. Changes are kept from here on. ERR_NETWORK where the kernel has no such
 * socket. */
must_check int link_watch_open(int *ret_fd, struct err *e);
/* Waits for `timeout_ms` at most. *ret_changed: an address or a route came or went, before or meanwhile; what
 * comes together, as with a lease, is one change: it is waited until nothing more came for LINK_SETTLE_MS. */
must_check int link_watch_wait(int fd, int64_t timeout_ms, bool *ret_changed, struct err *e);
#define LINK_SETTLE_MS 1000

#endif
