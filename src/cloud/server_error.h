/* SPDX-License-Identifier: Apache-2.0
 *
 * What a cloud server says about its refusal: the platform's {"msg", "code"}, the repositories' {"code",
 * "description"}, the token desk's {"error", "error_description"}.
 */
#ifndef AIRLOCK_CLOUD_SERVER_ERROR_H
#define AIRLOCK_CLOUD_SERVER_ERROR_H

#include "base/buf.h"
#include "base/err.h"

/* Fills e with the status and, escaped, what the body says. Always -1. */
int server_error_set(struct err *e, enum err_id id, int status, const struct buf *body);
/* ERR_LOGIN_REFUSED, ERR_NOT_ALLOWED, ERR_NO_SUCH_FILE, ERR_RATE_LIMITED or ERR_HTTP_STATUS. */
enum err_id server_error_id(int status);

#endif
