/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/consent.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/out.h"
#include "cli/prompt.h"

bool consent_names(struct consent *c, const char *const *identities, size_t count)
{
    bool found = false;
    if (!c->used)
        c->used = mem_zeroed(c->names.count + 1, sizeof *c->used);
    for (size_t i = 0; i < c->names.count; i++)
        for (size_t j = 0; j < count; j++)
            if (identities[j] && !strcasecmp(identities[j], c->names.items[i]))
                found = c->used[i] = true;
    return found;
}

bool consent_can_ask(void)
{
    return isatty(STDIN_FILENO);
}

int consent_ask(const char *question, bool *ret, struct err *e)
{
    AUTO_FREE char *answer = NULL;
    *ret = false;
    if (!consent_can_ask())
        return 0;
    if (prompt_line(question, &answer, e))
        return -1;
    *ret = !strcasecmp(answer, "yes") || !strcasecmp(answer, "y");
    return 0;
}

int consent_check_used(const struct consent *c, struct err *e)
{
    for (size_t i = 0; i < c->names.count; i++)
        if (!c->used || !c->used[i]) {
            AUTO(buf) struct buf name = {0};
            out_escape(&name, c->names.items[i], strlen(c->names.items[i]));
            return err_set(e, ERR_USAGE, "--%s '%s' names no device of which there is anything here",
                           c->option, buf_text(&name));
        }
    return 0;
}

void consent_free(struct consent *c)
{
    free(c->used);
    c->used = NULL;
}
