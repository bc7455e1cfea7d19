/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud/device_credentials.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "cloud/zip_entries.h"
#include "crypto/certificate.h"

#define UUID_LEN 36u

static int read_entries(const void *zip, size_t len, struct device_credentials *c, struct buf *info,
                        struct buf *gateway, struct err *e);
static int find_uuid(const struct buf *info, struct device_credentials *c, struct err *e);
static int interpret_info(const struct buf *info, char **ret, struct err *e);

int device_credentials_load(int dirfd, const char *file, struct device_credentials *ret, struct err *e)
{
    AUTO_FD int fd = -1;
    struct stat st;
    if (fs_open_at(dirfd, file, O_RDONLY, 0, &fd, e))
        return -1;
    if (fstat(fd, &st))
        return err_errno(e, ERR_SYSTEM, "cannot stat '%s'", file);
    if (st.st_size > (off_t)ZIP_MAX)
        return err_set(e, ERR_TOO_LARGE, "'%s' is larger than %u bytes", file, ZIP_MAX);
    struct buf zip = {0};
    size_t len = (size_t)st.st_size;
    int rc =
        fs_read_all(fd, buf_reserve(&zip, len), len, 0, e) || device_credentials_read(zip.data, len, ret, e)
            ? -1
            : 0;
    buf_wipe(&zip);
    return rc ? err_context(e, "'%s'", file) : 0;
}

int device_credentials_read(const void *zip, size_t len, struct device_credentials *ret, struct err *e)
{
    AUTO(device_credentials) struct device_credentials c = {0};
    AUTO(buf) struct buf info = {0};
    AUTO(buf) struct buf gateway = {0};
    if (read_entries(zip, len, &c, &info, &gateway, e) || find_uuid(&info, &c, e))
        return -1;
    if (gateway.data)
        c.gateway = mem_strndup(gateway.data, strcspn(buf_text(&gateway), " \t\r\n"));
    *ret = c;
    c = (struct device_credentials){0};
    return 0;
}

void device_credentials_free(struct device_credentials *c)
{
    free(c->uuid);
    buf_free(&c->certificate);
    buf_wipe(&c->key);
    buf_free(&c->ca);
    free(c->gateway);
    *c = (struct device_credentials){0};
}

bool device_uuid_check(const char *text)
{
    return text && strlen(text) == UUID_LEN && strspn(text, "0123456789abcdefABCDEF-") == UUID_LEN;
}

static int read_entries(const void *zip, size_t len, struct device_credentials *c, struct buf *info,
                        struct buf *gateway, struct err *e)
{
    const struct zip_entry wanted[] = {
        {"client.pem", &c->certificate}, {"pkey.pem", &c->key}, {"root.crt", &c->ca}, {"info.json", info},
        {"gateway.url", gateway},
    };
    if (zip_entries_read(zip, len, wanted, COUNT_OF(wanted), e))
        return -1;
    if (!c->certificate.len || !c->key.len)
        return err_set(e, ERR_BAD_CREDENTIALS, "the archive has no %s",
                       c->certificate.len ? "pkey.pem" : "client.pem");
    return 0;
}

/* info.json names the device, and so does the certificate as a rule; where both do, it is the same one. */
static int find_uuid(const struct buf *info, struct device_credentials *c, struct err *e)
{
    AUTO_FREE char *certified = NULL;
    if (certificate_common_name(c->certificate.data, c->certificate.len, c->key.data, c->key.len, &certified,
                                e)) {
        e->id = ERR_BAD_CREDENTIALS;
        return -1;
    }
    if (info->data && interpret_info(info, &c->uuid, e))
        return -1;
    bool names_one = device_uuid_check(certified);
    if (c->uuid && names_one && strcasecmp(c->uuid, certified) != 0)
        return err_set(e, ERR_BAD_CREDENTIALS, "info.json names another device than the certificate");
    if (!c->uuid && !names_one)
        return err_set(e, ERR_BAD_CREDENTIALS, "neither info.json nor the certificate names a device");
    if (!c->uuid)
        c->uuid = steal_ptr(certified);
    for (char *p = c->uuid; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return 0;
}

static int interpret_info(const struct buf *info, char **ret, struct err *e)
{
    static const struct json_limits limits = {.bytes = ZIP_ENTRY_MAX, .depth = 8, .nodes = 1024};
    AUTO(json) struct json doc = {0};
    struct json_value uuid;
    if (json_parse(&doc, info->data, info->len, &limits, e)) {
        e->id = ERR_BAD_CREDENTIALS;
        return err_context(e, "info.json");
    }
    AUTO_FREE char *text =
        json_get_typed(json_root(&doc), "deviceUuid", JSON_STRING, &uuid) ? json_string_copy(uuid) : NULL;
    if (!device_uuid_check(text))
        return err_set(e, ERR_BAD_CREDENTIALS, "info.json has no 'deviceUuid'");
    *ret = steal_ptr(text);
    return 0;
}
