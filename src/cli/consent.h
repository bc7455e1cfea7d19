/* SPDX-License-Identifier: Apache-2.0
 *
 * A person's word for what is done in the name of a device: by an option that names the device, or at the
 * terminal, never otherwise.
 */
#ifndef AIRLOCK_CLI_CONSENT_H
#define AIRLOCK_CLI_CONSENT_H

#include "cli/options.h"

/* The names of one option, "yes"; which of them anybody had a use for. */
struct consent {
    const char *option;
    struct text_list names;
    bool *used; /* as many; NULL until one was asked for */
};

/* Does one of them name the device, by any of these (NULL: it has none)? Marks it as used. */
bool consent_names(struct consent *c, const char *const *identities, size_t count);
/* Asks at the terminal; *ret stays false where there is none to ask at. */
must_check int consent_ask(const char *question, bool *ret, struct err *e);
bool consent_can_ask(void);
/* A name that nobody had a use for is an error: ERR_USAGE. */
must_check int consent_check_used(const struct consent *c, struct err *e);
void consent_free(struct consent *c);

#endif
