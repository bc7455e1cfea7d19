/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/sign_key.h"

#include <fcntl.h>
#include <sodium.h>
#include <string.h>

#include "base/fs.h"
#include "base/hex.h"
#include "base/mem.h"
#include "crypto/hash.h"

/* The file: one line "airlock-ed25519-seed:<64 hex digits>\n". */
#define FILE_PREFIX "airlock-ed25519-seed:"
#define SEED_SIZE 32
#define FILE_SIZE (sizeof FILE_PREFIX - 1 + 2 * SEED_SIZE + 1)

static int check_private(int dirfd, const char *name, struct err *e)
{
    struct stat st;
    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW))
        return err_errno(e, ERR_SYSTEM, "cannot stat the key '%s'", name);
    if (st.st_mode & 077) {
        err_set(e, ERR_BAD_CONFIG, "the key '%s' can be read by others", name);
        return err_hint(e, "chmod 600 the file if nobody else had access, else remove it to get a new key");
    }
    return 0;
}

static int load(int dirfd, const char *name, uint8_t seed[SEED_SIZE], struct err *e)
{
    AUTO(buf) struct buf text = {0};
    if (fs_read_at(dirfd, name, FILE_SIZE, &text, e) || check_private(dirfd, name, e))
        return -1;
    bool good = text.len == FILE_SIZE && !memcmp(text.data, FILE_PREFIX, sizeof FILE_PREFIX - 1) &&
                hex_decode((char *)text.data + sizeof FILE_PREFIX - 1, 2 * SEED_SIZE, seed, SEED_SIZE);
    if (text.data)
        sodium_memzero(text.data, text.len);
    return good ? 0 : err_set(e, ERR_BAD_CONFIG, "'%s' is not a key of airlock", name);
}

static int make(int dirfd, const char *name, uint8_t seed[SEED_SIZE], struct err *e)
{
    char text[FILE_SIZE + 1];
    randombytes_buf(seed, SEED_SIZE);
    memcpy(text, FILE_PREFIX, sizeof FILE_PREFIX - 1);
    hex_encode(seed, SEED_SIZE, text + sizeof FILE_PREFIX - 1);
    text[FILE_SIZE - 1] = '\n';
    int rc = fs_replace_at(dirfd, name, text, FILE_SIZE, 0600, e);
    sodium_memzero(text, sizeof text);
    return rc;
}

int sign_key_load(int dirfd, const char *name, struct sign_key *ret, struct err *e)
{
    uint8_t seed[SEED_SIZE];
    if (sodium_init() < 0)
        return err_set(e, ERR_INTERNAL, "libsodium does not start");
    int rc = load(dirfd, name, seed, e);
    if (rc == 0)
        sign_key_from_seed(seed, ret);
    sodium_memzero(seed, sizeof seed);
    return rc;
}

int sign_key_load_or_make(int dirfd, const char *name, struct sign_key *ret, bool *ret_made, struct err *e)
{
    uint8_t seed[SEED_SIZE];
    *ret_made = false;
    if (sign_key_load(dirfd, name, ret, e) == 0)
        return 0;
    if (e->id != ERR_NO_SUCH_PATH)
        return -1;
    int rc = make(dirfd, name, seed, e);
    if (rc == 0) {
        sign_key_from_seed(seed, ret);
        *ret_made = true;
    }
    sodium_memzero(seed, sizeof seed);
    return rc;
}

void sign_key_from_seed(const uint8_t seed[32], struct sign_key *ret)
{
    crypto_sign_seed_keypair(ret->public_key, ret->secret_key, seed);
}

void sign_key_free(struct sign_key *key)
{
    sodium_memzero(key, sizeof *key);
}

void sign_make(const struct sign_key *key, const void *message, size_t len, uint8_t ret_signature[SIGN_SIZE])
{
    crypto_sign_detached(ret_signature, NULL, message, len, key->secret_key);
}

bool sign_check(const uint8_t public_key[SIGN_PUBLIC_SIZE], const void *message, size_t len,
                const uint8_t signature[SIGN_SIZE])
{
    return crypto_sign_verify_detached(signature, message, len, public_key) == 0;
}

/* ---- fingerprints: 25 digits of 5 bits from the front of the digest, and a check character ---- */

#define DIGITS 25

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

static void write_fingerprint(const uint8_t values[DIGITS], char *to)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < DIGITS; i++) {
        sum += (i + 1) * values[i];
        if (i && i % 5 == 0)
            *to++ = '-';
        *to++ = alphabet[values[i]];
    }
    *to++ = '-';
    *to++ = alphabet[sum % 31];
    *to = '\0';
}

void sign_fingerprint(const uint8_t public_key[SIGN_PUBLIC_SIZE], char ret_text[SIGN_FINGERPRINT_TEXT])
{
    uint8_t digest[HASH_SIZE], values[DIGITS];
    hash_of(public_key, SIGN_PUBLIC_SIZE, digest);
    for (unsigned i = 0; i < DIGITS; i++) {
        unsigned bit = 5 * i;
        unsigned window = (unsigned)digest[bit / 8] << 8 | digest[bit / 8 + 1];
        values[i] = window >> (11 - bit % 8) & 31;
    }
    write_fingerprint(values, ret_text);
}

bool sign_read_fingerprint(const char *typed, char ret_text[SIGN_FINGERPRINT_TEXT])
{
    uint8_t values[DIGITS + 1];
    size_t n = 0;
    for (; *typed; typed++) {
        char c = *typed >= 'a' && *typed <= 'z' ? (char)(*typed - 'a' + 'A') : *typed;
        const char *digit = strchr(alphabet, c);
        if (c == '-' || c == ' ')
            continue;
        if (!digit || n == sizeof values)
            return false;
        values[n++] = (uint8_t)(digit - alphabet);
    }
    if (n != sizeof values)
        return false;
    write_fingerprint(values, ret_text);
    return ret_text[strlen(ret_text) - 1] == alphabet[values[DIGITS]];
}
