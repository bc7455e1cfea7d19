/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/facts.h"

#include <string.h>

#include "base/fs.h"
#include "base/mem.h"

/* A JSON string of a text that came from a file: what cannot stand in one is escaped. */
static void add_string(struct buf *to, const char *text)
{
    buf_add_char(to, '"');
    for (const char *at = text; *at; at++) {
        unsigned char c = (unsigned char)*at;
        if (c < 0x20 || c == '"' || c == '\\')
            buf_addf(to, "\\u%04x", c);
        else
            buf_add_char(to, *at);
    }
    buf_add_char(to, '"');
}

static void add_ecus(struct buf *to, const struct client_config *c)
{
    buf_add_text(to, "\"ecus\":[{\"primary\":true,\"hardware_id\":");
    add_string(to, c->primary);
    for (size_t i = 0; i < c->other_count; i++) {
        buf_add_text(to, "},{\"hardware_id\":");
        add_string(to, c->others[i]);
    }
    buf_add_text(to, "}]");
}

static int add_root(int root_fd, const struct client_config *c, const char *folder, const char *field,
                    struct buf *to, struct err *e)
{
    AUTO(buf) struct buf bytes = {0};
    AUTO(json) struct json doc = {0};
    AUTO_FREE char *path = mem_format("%s/%s/root.json", c->import, folder);
    if (fs_read_at(root_fd, client_path(path), DEVICE_ROLE_MAX, &bytes, e)) {
        if (e->id != ERR_NO_SUCH_PATH)
            return err_context(e, "'%s'", path);
        err_set(e, ERR_ROOT_NOT_TRUSTED, "the device has no first root to start from: '%s' is missing", path);
        return err_hint(e, "provision the device: a root is never taken from a stick");
    }
    if (json_parse(&doc, bytes.data, bytes.len, &json_role_limits, e))
        return err_context(e, "'%s'", path);
    buf_addf(to, "\"%s\":[", field);
    buf_add(to, bytes.data, bytes.len);
    buf_add_char(to, ']');
    return 0;
}

static int make_state(int root_fd, const struct client_config *c, struct buf *to, struct err *e)
{
    buf_add_text(to, "{\"schema\":1,");
    add_ecus(to, c);
    buf_add_text(to, ",\"roots\":{");
    if (add_root(root_fd, c, "director", "director", to, e))
        return -1;
    buf_add_char(to, ',');
    if (add_root(root_fd, c, "repo", "image_repo", to, e))
        return -1;
    buf_add_text(to, "},\"package_manager\":");
    add_string(to, c->packages);
    buf_addf(to, ",\"offline_updates\":%s", c->offline_updates ? "true" : "false");
    if (c->source) {
        buf_add_text(to, ",\"source\":");
        add_string(to, c->source);
    }
    buf_add_char(to, '}');
    return 0;
}

int facts_load(int root_fd, struct facts *ret, struct err *e)
{
    AUTO(facts) struct facts f = {0};
    AUTO(buf) struct buf state = {0};
    if (client_config_load(root_fd, &f.config, e) || make_state(root_fd, &f.config, &state, e))
        return -1;
    if (device_parse(state.data, state.len, &ret->device, e))
        return err_context(e, "what this device's files say of it");
    ret->config = f.config;
    f.config = (struct client_config){0};
    return 0;
}

void facts_free(struct facts *f)
{
    client_config_free(&f->config);
    device_free(&f->device);
}
