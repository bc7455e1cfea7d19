/* SPDX-License-Identifier: Apache-2.0
 *
 * A compose file: what is taken means the same to the device, line by line, as to Docker.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fetch/compose.h"
#include "fetch/compose_lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_service(const struct compose_lines *lines, const struct compose_service *s)
{
    char hex[HASH_HEX_SIZE];
    const struct compose_lines_service *seen = compose_lines_find(lines, s->name);
    must(seen != NULL);
    hash_hex(s->digest, hex);
    AUTO_FREE char *image = mem_format("%s@sha256:%s", s->image, hex);
    must(!strcmp(seen->image.text, image));
    must(!seen->platform.text == !s->platform);
    must(!s->platform || !strcmp(seen->platform.text, s->platform));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(compose) struct compose c = {0};
    AUTO(compose_lines) struct compose_lines lines = {0};
    struct err e;
    if (compose_read(bytes, len, &c, &e))
        return 0;
    must(compose_lines_read(bytes, len, &lines, &e) == 0);
    must(c.count > 0 && lines.count == c.count);
    for (size_t i = 0; i < c.count; i++)
        check_service(&lines, &c.services[i]);
    return 0;
}
