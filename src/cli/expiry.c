/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/expiry.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/out.h"
#include "cli/print.h"
#include "lockbox/judge.h"

void expiry_print(const struct expiry *x, int64_t now)
{
    char until[CLOCK_TEXT_SIZE];
    if (x->until == INT64_MAX)
        return;
    clock_format(x->until, until);
    int64_t days = (x->until - now) / 86400;
    print_label("valid until");
    printf("%s (", until);
    print_text(x->role);
    if (x->until <= now)
        printf("; that is past)\n");
    else
        printf("; %" PRId64 " day%s left)\n", days, days == 1 ? "" : "s");
    print_label("to renew");
    puts(verdict_renewal(x->role, x->lockbox));
}

void expiry_add_json(const struct expiry *x, cJSON *to)
{
    json_add_time(to, "valid_until", x->until);
    json_add_text(to, "valid_until_role", x->role);
    json_add_text(to, "valid_until_renewal", x->role ? verdict_renewal(x->role, x->lockbox) : NULL);
}

void expiry_warn(const struct expiry *x, int64_t now)
{
    AUTO_FREE char *text = NULL;
    AUTO(buf) struct buf shown = {0};
    if (!judge_ends_soon(x->until, now))
        return;
    text = judge_ending(x->role, x->until, now);
    out_escape(&shown, text, strlen(text));
    fprintf(stderr, "airlock: warning: lockbox '%s': %s\nhint: %s\n", x->lockbox, buf_text(&shown),
            verdict_renewal(x->role, x->lockbox));
}
