/* SPDX-License-Identifier: Apache-2.0
 *
 * A public key and a signature as a role gives them: a line with the key type, one with the method, one with
 * the signature in base64; the rest is the key. The message is fixed, so no signature may hold but one that
 * the corpus brings.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/pubkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct text {
    const char *at;
    size_t len;
};

static struct text take_line(const char **at, const char *end)
{
    const char *start = *at;
    const char *stop = start < end ? memchr(start, '\n', (size_t)(end - start)) : NULL;
    *at = stop ? stop + 1 : end;
    return (struct text){start, (size_t)((stop ? stop : end) - start)};
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const char *at = (const char *)bytes, *end = at + len;
    struct text type = take_line(&at, end), method = take_line(&at, end), sig = take_line(&at, end);
    struct pubkey *key;
    struct err e;
    if (pubkey_parse(type.at, type.len, at, (size_t)(end - at), &key, &e))
        return 0;
    if (pubkey_bits(key) < 256 || pubkey_bits(key) > PUBKEY_RSA_MAX_BITS)
        abort();
    pubkey_knows_method(key, method.at, method.len);
    if (pubkey_verify(key, "another message", 15, sig.at, sig.len))
        abort();
    pubkey_delete(key);
    return 0;
}
