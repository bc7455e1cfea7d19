/* SPDX-License-Identifier: Apache-2.0
 *
 * What the rest of net/ needs to know about a URL, beside the public functions in http.h.
 */
#ifndef AIRLOCK_NET_URL_H
#define AIRLOCK_NET_URL_H

#include <stdbool.h>

#include "base/buf.h"

/* Do both URLs belong to the same origin (scheme, host, port)? False when one of them is no http(s) URL. */
bool url_same_origin(const char *a, const char *b);
bool url_is_https(const char *url);
/* Does the URL lead to this machine: localhost, 127.0.0.0/8 or [::1]? False when it is no http(s) URL. */
bool url_is_loopback(const char *url);
/* Appends what people and logs may see of a URL: scheme, host and path, escaped for terminals. Never the user
 * nor the query: a pre-signed URL's query is a secret. */
void url_show(struct buf *to, const char *url);

#endif
