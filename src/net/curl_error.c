/* SPDX-License-Identifier: Apache-2.0 */
#include "net/curl_error.h"

#include <string.h>

#include "base/buf.h"
#include "base/out.h"

static bool is_tls(CURLcode code);

int curl_error_set(struct err *e, CURLcode code, const char *text)
{
    enum err_id id = ERR_NETWORK;
    if (is_tls(code))
        id = ERR_TLS;
    else if (code == CURLE_OPERATION_TIMEDOUT)
        id = ERR_NETWORK_STALLED;
    const char *reason = text[0] ? text : curl_easy_strerror(code);
    AUTO(buf) struct buf shown = {0}; /* libcurl quotes names out of certificates */
    out_escape(&shown, reason, strcspn(reason, "\r\n"));
    err_set(e, id, "%s", buf_text(&shown));
    if (code == CURLE_SSL_CACERT_BADFILE)
        err_hint(e, "the file that --cacert names must hold certificates in PEM form");
    return -1;
}

bool curl_error_may_pass(CURLcode code)
{
    switch (code) {
    case CURLE_SSL_CONNECT_ERROR: /* also a connection that broke during the handshake */
        return true;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_OUT_OF_MEMORY:
        return false;
    default:
        return !is_tls(code);
    }
}

int curl_error_internal(struct err *e, const char *what, const char *reason)
{
    return err_set(e, ERR_INTERNAL, "libcurl: %s: %s", what, reason);
}

static bool is_tls(CURLcode code)
{
    switch (code) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_SHUTDOWN_FAILED:
    case CURLE_USE_SSL_FAILED:
        return true;
    default:
        return false;
    }
}
