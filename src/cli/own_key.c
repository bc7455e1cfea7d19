/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/own_key.h"

#include "base/fs.h"

#define KEY_FILE "bundle.key" /* in the state folder's keys/ */

int own_key_load(const struct app *app, struct sign_key *ret, struct err *e)
{
    AUTO_FD int keys = -1;
    if (app->store.state_fd < 0)
        return err_set(e, ERR_NO_SUCH_PATH, "this computer has no key yet");
    if (fs_open_dir_at(app->store.state_fd, "keys", false, &keys, e))
        return -1;
    return sign_key_load(keys, KEY_FILE, ret, e);
}

int own_key_load_or_make(const struct app *app, struct sign_key *ret, bool *ret_made, struct err *e)
{
    AUTO_FD int keys = -1;
    if (fs_open_dir_at(app->store.state_fd, "keys", true, &keys, e) ||
        sign_key_load_or_make(keys, KEY_FILE, ret, ret_made, e))
        return -1;
    if (*ret_made) {
        char fingerprint[SIGN_FINGERPRINT_TEXT];
        sign_fingerprint(ret->public_key, fingerprint);
        app_note(app, "airlock: made a key that signs this computer's bundles: %s", fingerprint);
    }
    return 0;
}

static int get_key(void *ctx, const struct sign_key **ret, struct err *e)
{
    struct own_signer *s = ctx;
    bool made;
    if (!s->has_key && own_key_load_or_make(s->app, &s->key, &made, e))
        return -1;
    s->has_key = true;
    *ret = &s->key;
    return 0;
}

struct deliver_signer own_signer(struct own_signer *s)
{
    return (struct deliver_signer){.get = get_key, .ctx = s};
}

void own_signer_free(struct own_signer *s)
{
    sign_key_free(&s->key);
}

int own_key_name_signers(const struct app *app, const struct signers *known, struct survey *survey,
                         struct err *e)
{
    AUTO(sign_key) struct sign_key own = {0};
    int rc = own_key_load(app, &own, e);
    if (rc && e->id != ERR_NO_SUCH_PATH)
        return -1;
    survey_name_signers(survey, known, rc ? NULL : &own);
    return 0;
}
