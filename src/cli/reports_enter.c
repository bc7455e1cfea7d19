/* SPDX-License-Identifier: Apache-2.0
 *
 * airlock reports note, key: what a person enters into the ledger.
 */
#include <cjson/cJSON.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/name.h"
#include "base/utf8.h"
#include "cli/print.h"
#include "cli/reports.h"
#include "report/claim.h"

#define NAME_MAX_BYTES 63u /* of a device, as a person names it: it fits a table */
#define KEY_FILE_MAX 16384u

/* ---- note ---- */

static int check_note(const struct reports_options *o, const char **words, struct err *e)
{
    static const char *const results[] = {"installed", "failed", "other"};
    bool known = !o->result;
    for (size_t i = 0; i < COUNT_OF(results); i++)
        known = known || !strcmp(o->result, results[i]);
    if (!known)
        return err_set(e, ERR_USAGE, "--result '%s' is none of installed, failed and other", o->result);
    for (size_t i = 0; i < 2; i++)
        if (!*words[i] || strlen(words[i]) > CLAIM_TEXT_MAX || !utf8_valid(words[i], strlen(words[i])))
            return err_set(e, ERR_USAGE, "a note needs a device and a text, each of 1 to %u bytes of UTF-8",
                           CLAIM_TEXT_MAX);
    return o->lockbox ? name_check_role(o->lockbox, e) : 0;
}

int reports_note(struct app *app, const struct reports_options *o, const char **words, size_t count,
                 int *exit_code, struct err *e)
{
    AUTO_LEDGER struct ledger *l = NULL;
    AUTO(buf) struct buf bytes = {0};
    const struct claim claim = {.device = (char *)words[0],
                                .lockbox = (char *)o->lockbox,
                                .version = -1,
                                .result = (char *)(o->result ? o->result : "other"),
                                .text = (char *)words[1],
                                .seen_at = app->now};
    const struct ledger_sighting seen = {"", "", 0, words[0], app->now};
    int64_t id;
    bool is_new;
    (void)count, (void)exit_code;
    if (check_note(o, words, e) || reports_open_ledger(app, &l, e))
        return -1;
    claim_print(&claim, &bytes);
    const struct ledger_entry entry = {
        .kind = ENTRY_NOTE, .serial = "", .counter = -1, .bytes = bytes.data, .len = bytes.len};
    if (ledger_add(l, &entry, &seen, &id, &is_new, e))
        return -1;
    if (!app->global.json) {
        printf("noted as report %" PRId64 "\n", id);
        return 0;
    }
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    json_add_integer(answer, "id", id);
    app_print_json(answer);
    return 0;
}

/* ---- keys ---- */

/* KEY: 64 digits, or a file with them, or a file in PEM. */
static int read_key(const char *word, struct buf *ret_value, const char **ret_type, struct err *e)
{
    uint8_t bytes[32];
    if (hex_decode(word, strlen(word), bytes, sizeof bytes)) {
        buf_add_text(ret_value, word);
    } else if (fs_read_file(word, KEY_FILE_MAX, ret_value, e)) {
        if (e->id == ERR_NO_SUCH_PATH)
            err_set(e, ERR_USAGE, "'%s' is neither a key of 64 hexadecimal digits nor a file", word);
        return -1;
    }
    while (ret_value->len > 0 && ret_value->data[ret_value->len - 1] == '\n')
        ret_value->data[--ret_value->len] = '\0';
    *ret_type = strncmp(buf_text(ret_value), "-----BEGIN", 10) ? "ED25519" : "RSA";
    return 0;
}

/* The serial is the key's own id, where nobody says otherwise; a helper goes by its key itself, in lower case
 * as its reports have it. */
static int make_key(const struct reports_options *o, const char *type, const char *value, struct ecu_key *ret,
                    struct err *e)
{
    AUTO(ecu_key) struct ecu_key key = {0};
    AUTO_FREE char *own = NULL;
    if (o->helper && (o->serial || strcmp(type, "ED25519") != 0))
        return err_set(e, ERR_USAGE, "a helper's key is Ed25519, and is its own serial");
    if (ecu_key_make("", type, value, &key, e))
        return -1;
    own = mem_strdup(o->helper ? key.value : key.id);
    for (char *c = own; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return ecu_key_make(o->serial ? o->serial : own, type, value, ret, e);
}

static void json_key(cJSON *to, const struct ecu_key *key, const char *name)
{
    json_add_text(to, "name", name);
    cJSON_AddStringToObject(to, "serial", key->serial);
    cJSON_AddStringToObject(to, "key_id", key->id);
    cJSON_AddStringToObject(to, "type", key->type);
    cJSON_AddStringToObject(to, "public_key", key->value);
}

int reports_key_add(struct app *app, const struct reports_options *o, const char **words, size_t count,
                    int *exit_code, struct err *e)
{
    AUTO_LEDGER struct ledger *l = NULL;
    AUTO(ecu_key) struct ecu_key key = {0};
    AUTO(buf) struct buf value = {0};
    const char *type;
    if (!*words[0] || strlen(words[0]) > NAME_MAX_BYTES || !utf8_valid(words[0], strlen(words[0])))
        return err_set(e, ERR_USAGE, "a device's name has 1 to %u bytes of UTF-8", NAME_MAX_BYTES);
    if (o->serial && (!*o->serial || strlen(o->serial) > ECU_SERIAL_MAX))
        return err_set(e, ERR_USAGE, "a serial has 1 to %u bytes", ECU_SERIAL_MAX);
    if (read_key(words[1], &value, &type, e) || make_key(o, type, buf_text(&value), &key, e) ||
        reports_open_ledger(app, &l, e) || ledger_add_key(l, &key, words[0], app->now, e))
        return -1;
    return reports_key_list(app, o, words, count, exit_code, e);
}

int reports_key_list(struct app *app, const struct reports_options *o, const char **words, size_t count,
                     int *exit_code, struct err *e)
{
    AUTO_LEDGER struct ledger *l = NULL;
    AUTO(ecu_keys) struct ecu_keys keys = {0};
    (void)o, (void)words, (void)count, (void)exit_code;
    if (app->store.state_fd < 0 && app_look_store(app, e))
        return -1;
    if (ledger_open(app->store.state_fd, false, &l, e) && e->id != ERR_NO_SUCH_PATH)
        return -1;
    if (l && ledger_load_keys(l, &keys, e))
        return -1;
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    cJSON *list = cJSON_AddArrayToObject(answer, "keys");
    for (size_t i = 0; i < keys.count; i++) {
        AUTO_FREE char *name = NULL;
        if (ledger_device_name(l, keys.list[i].serial, &name, e)) {
            cJSON_Delete(answer);
            return -1;
        }
        json_key(json_add_item(list), &keys.list[i], name);
        if (app->global.json)
            continue;
        print_text(name ? name : "no name: it came with a report");
        putchar('\n');
        print_label("serial");
        print_text(keys.list[i].serial);
        printf("\n");
        print_label("key id");
        printf("%s (%s)\n", keys.list[i].id, keys.list[i].type);
    }
    if (app->global.json) {
        app_print_json(answer);
        return 0;
    }
    cJSON_Delete(answer);
    if (keys.count == 0)
        puts("no key of a device is known; airlock reports key add NAME KEY");
    return 0;
}
