/* SPDX-License-Identifier: Apache-2.0
 *
 * An OAuth2 token by client credentials (RFC 6749, 4.4): fetched when first needed, kept until shortly before
 * it expires, fetched anew when a server refuses it. Used through an http_auth:
 *
 *     struct http_auth auth = {.origin = origin, .header = token_header, .ctx = token};
 */
#ifndef AIRLOCK_CLOUD_TOKEN_H
#define AIRLOCK_CLOUD_TOKEN_H

#include "net/http.h"

struct token;

/* Who asks; everything is copied. */
struct token_client {
    const char *id, *secret;
    const char *scope; /* NULL: none is asked for */
};

struct token *token_new(struct http *http, const char *url, const struct token_client *client);
void token_delete(struct token *t); /* wipes */

/* http_auth.header: "Bearer …". ERR_LOGIN_REFUSED when the client or its secret is wrong, ERR_BAD_ANSWER when
 * the answer holds no token, or what http_send() reported. */
must_check int token_header(void *token, bool refused, struct buf *ret_value, struct err *e);

#endif
