/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports and requests from a stick. Every signature holds here (tests/fuzz/fuzz_verdict.c says why), and
 * what was read can be made again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "usb-tools/report_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
bool __wrap_sign_check(const uint8_t public_key[SIGN_PUBLIC_SIZE], const void *message, size_t len,
                       const uint8_t signature[SIGN_SIZE]);

bool __wrap_sign_check(const uint8_t public_key[SIGN_PUBLIC_SIZE], const void *message, size_t len,
                       const uint8_t signature[SIGN_SIZE])
{
    (void)public_key, (void)message, (void)len, (void)signature;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(report_file) struct report_file file = {0}, again = {0};
    AUTO(sign_key) struct sign_key key = {0};
    AUTO(buf) struct buf made = {0}, made_again = {0};
    struct err e;
    if (report_file_parse(bytes, len, &file, &e)) {
        if (e.id != ERR_BAD_REPORT)
            abort();
        return 0;
    }
    sign_key_from_seed((const uint8_t[32]){1}, &key);
    if (report_file_make(&file, &key, &made, &e) || report_file_parse(made.data, made.len, &again, &e) ||
        report_file_make(&again, &key, &made_again, &e))
        abort();
    if (made.len != made_again.len || memcmp(made.data, made_again.data, made.len) != 0)
        abort();
    AUTO_FREE char *path = report_file_path(&file);
    if (name_check_text(path, &e))
        abort();
    return 0;
}
