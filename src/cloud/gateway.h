/* SPDX-License-Identifier: Apache-2.0
 *
 * The device gateway, at which a device reports to the cloud, by mutual TLS with its own certificate. A
 * courier who has that certificate can hand over what the device signed. Nothing but that is done here:
 * whoever asks for a root with a device's certificate makes the cloud believe that the device is online.
 *
 *     if (gateway_open(&credentials, NULL, &http_options, &g, e) ||
 *         gateway_put_manifest(g, bytes, len, &answer, e)) …
 *
 * A manifest is sent once and never again by itself: where the connection breaks after it may have arrived,
 * the caller is told so, and decides.
 */
#ifndef AIRLOCK_CLOUD_GATEWAY_H
#define AIRLOCK_CLOUD_GATEWAY_H

#include "cloud/device_credentials.h"
#include "net/http.h"

#define GATEWAY_DEFAULT "https://dgw.torizon.io"
#define GATEWAY_ANSWER_MAX (64u << 10) /* bytes */

struct gateway;

struct gateway_answer {
    bool may_have_arrived; /* told also where there is no answer */
    int status;            /* of HTTP; 0: none */
    struct buf body;
};
void gateway_answer_free(struct gateway_answer *a);

/* At `url`, else at the address in the credentials, else at GATEWAY_DEFAULT; https only (ERR_BAD_CONFIG). The
 * credentials' own authority replaces the options' CAs. The credentials must outlive it. */
must_check int gateway_open(const struct device_credentials *c, const char *url,
                            const struct http_options *options, struct gateway **ret, struct err *e);
const char *gateway_url(const struct gateway *g);
void gateway_close(struct gateway *g);

/* 0 for every answer, whatever its status (of a body that is too large, nothing is kept); -1 for none, and
 * then only ret->may_have_arrived is told. Errors of http_send(). */
must_check int gateway_put_manifest(struct gateway *g, const void *bytes, size_t len,
                                    struct gateway_answer *ret, struct err *e);

#endif
