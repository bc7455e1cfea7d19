/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/facts.h"

#include <inttypes.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"

static void add_installed(struct buf *to, const struct remembered_ecu *ecu)
{
    buf_add_text(to, ",\"installed\":");
    if (!ecu->package) {
        buf_add_text(to, "null");
        return;
    }
    buf_add_text(to, "{\"name\":");
    json_add_string(to, ecu->package);
    buf_addf(to, ",\"length\":%" PRId64 ",\"sha256\":", ecu->length);
    json_add_string(to, ecu->sha256);
    if (ecu->hardware_ids)
        buf_addf(to, ",\"hardware_ids\":%s", ecu->hardware_ids);
    buf_add_char(to, '}');
}

static void add_remembered(struct buf *to, const struct remembered_ecu *ecu)
{
    buf_addf(to, "{\"primary\":%s,\"hardware_id\":", ecu->is_primary ? "true" : "false");
    json_add_string(to, ecu->hardware_id);
    buf_add_text(to, ",\"serial\":");
    json_add_string(to, ecu->serial);
    add_installed(to, ecu);
    if (ecu->knows_roots)
        buf_addf(to, ",\"roots\":{\"director\":%" PRId64 ",\"image_repo\":%" PRId64 "}",
                 ecu->root_versions[0], ecu->root_versions[1]);
    buf_add_char(to, '}');
}

static void add_configured(struct buf *to, const struct client_config *c)
{
    buf_add_text(to, "{\"primary\":true,\"hardware_id\":");
    json_add_string(to, c->primary);
    for (size_t i = 0; i < c->other_count; i++) {
        buf_add_text(to, "},{\"hardware_id\":");
        json_add_string(to, c->others[i].hardware_id);
    }
    buf_add_char(to, '}');
}

/* What the client registered counts, and before that what it is configured with. */
static void add_ecus(struct buf *to, const struct facts *f)
{
    buf_add_text(to, "\"ecus\":[");
    for (size_t i = 0; i < f->memory.ecu_count; i++) {
        buf_add_text(to, i ? "," : "");
        add_remembered(to, &f->memory.ecus[i]);
    }
    if (f->memory.ecu_count == 0)
        add_configured(to, &f->config);
    buf_add_char(to, ']');
}

/* The first root, from which a client starts that has stored none. */
static int add_import(int root_fd, const struct client_config *c, const char *folder, struct buf *to,
                      struct err *e)
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
    buf_add(to, bytes.data, bytes.len);
    return 0;
}

static int add_roots(int root_fd, const struct facts *f, struct buf *to, struct err *e)
{
    static const char *const fields[] = {"director", "image_repo"}, *const folders[] = {"director", "repo"};
    buf_add_text(to, "\"roots\":{");
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        const struct buf *stored = &f->memory.roots[i];
        buf_addf(to, "%s\"%s\":[", i ? "," : "", fields[i]);
        if (stored->len)
            buf_add(to, stored->data, stored->len);
        else if (add_import(root_fd, &f->config, folders[i], to, e))
            return -1;
        buf_add_char(to, ']');
    }
    buf_add_char(to, '}');
    return 0;
}

static int make_state(int root_fd, const struct facts *f, struct buf *to, struct err *e)
{
    buf_add_text(to, "{\"schema\":1,");
    add_ecus(to, f);
    buf_add_char(to, ',');
    if (add_roots(root_fd, f, to, e))
        return -1;
    if (f->memory.is_known) {
        buf_add_text(to, ",\"stored\":{");
        buf_add(to, f->memory.stored.data, f->memory.stored.len);
        buf_addf(to, "},\"pending_install\":%s", f->memory.has_pending ? "true" : "false");
    }
    buf_add_text(to, ",\"package_manager\":");
    json_add_string(to, f->config.packages);
    buf_addf(to, ",\"offline_updates\":%s", f->config.offline_updates ? "true" : "false");
    if (f->config.source) {
        buf_add_text(to, ",\"source\":");
        json_add_string(to, f->config.source);
    }
    buf_add_char(to, '}');
    return 0;
}

/* The device is made where it stays: its values point into it. */
static int make_device(int root_fd, const struct facts *f, struct device *ret, struct err *e)
{
    AUTO(buf) struct buf state = {0};
    if (make_state(root_fd, f, &state, e))
        return -1;
    return device_parse(state.data, state.len, ret, e) ? err_context(e, "what this device's files say of it")
                                                       : 0;
}

int facts_load(int root_fd, struct facts *ret, struct err *e)
{
    AUTO(facts) struct facts f = {0};
    if (client_config_load(root_fd, &f.config, e))
        return -1;
    if (client_memory_load(root_fd, &f.config, &f.memory, &f.hindrance) ||
        (f.memory.is_known && make_device(root_fd, &f, &ret->device, &f.hindrance))) {
        client_memory_free(&f.memory);
        f.memory = (struct client_memory){0};
    }
    if (!f.memory.is_known && make_device(root_fd, &f, &ret->device, e))
        return -1;
    ret->config = f.config;
    ret->memory = f.memory;
    ret->hindrance = f.hindrance;
    f = (struct facts){0};
    return 0;
}

void facts_free(struct facts *f)
{
    client_config_free(&f->config);
    client_memory_free(&f->memory);
    device_free(&f->device);
}
