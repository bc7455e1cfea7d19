/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl's errors in our terms.
 */
#ifndef AIRLOCK_NET_CURL_ERROR_H
#define AIRLOCK_NET_CURL_ERROR_H

#include <curl/curl.h>
#include <stdbool.h>

#include "base/err.h"

/* Fills e with ERR_NETWORK, ERR_NETWORK_STALLED, ERR_TLS or ERR_INTERNAL; `text` is CURLOPT_ERRORBUFFER's.
 * Always -1. */
int curl_error_set(struct err *e, CURLcode code, const char *text);
/* Could the same request succeed the next time? */
bool curl_error_may_pass(CURLcode code);
/* Libcurl refused an option or ran out of memory: neither depends on the network. Always -1. */
int curl_error_internal(struct err *e, const char *what, const char *reason);

#endif
