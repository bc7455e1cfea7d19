/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of bundles as commands use them: this computer's own, which signs, and those of others that it
 * knows.
 */
#ifndef AIRLOCK_CLI_OWN_KEY_H
#define AIRLOCK_CLI_OWN_KEY_H

#include "cli/app.h"
#include "crypto/sign_key.h"
#include "lockbox/deliver.h"
#include "lockbox/survey.h"
#include "store/signers.h"

/* ERR_NO_SUCH_PATH where there is none yet. */
must_check int own_key_load(const struct app *app, struct sign_key *ret, struct err *e);
/* Makes one where there is none, and says so. The store is open for writing. */
must_check int own_key_load_or_make(const struct app *app, struct sign_key *ret, bool *ret_made,
                                    struct err *e);
/* This computer as the signer of what is written. */
struct own_signer {
    const struct app *app;
    struct sign_key key; /* once somebody asked for it */
    bool has_key;
};
struct deliver_signer own_signer(struct own_signer *s);
void own_signer_free(struct own_signer *s); /* wipes */

/* Tells of each signer in the survey whether this computer knows the key. */
must_check int own_key_name_signers(const struct app *app, const struct signers *known, struct survey *survey,
                                    struct err *e);

#endif
