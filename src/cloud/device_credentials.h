/* SPDX-License-Identifier: Apache-2.0
 *
 * The ZIP that the cloud gives out when a device is made (`POST /devices`): with it one speaks to the device
 * gateway as that device. It is the operator's, who kept it.
 *
 *     AUTO(device_credentials) struct device_credentials c = {0};
 *     if (device_credentials_load(dirfd, "pump-7.zip", &c, e)) …
 *
 * The private key stands in memory while `c` lives, and nowhere else. What libarchive itself unpacks through
 * is freed, not wiped.
 */
#ifndef AIRLOCK_CLOUD_DEVICE_CREDENTIALS_H
#define AIRLOCK_CLOUD_DEVICE_CREDENTIALS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct device_credentials {
    char *uuid;                  /* of the device in the cloud, in lower case */
    struct buf certificate, key; /* client.pem, pkey.pem; they belong together */
    struct buf ca;               /* root.crt: who answers for the gateway; empty where the archive has none */
    char *gateway;               /* gateway.url; NULL where the archive has none */
};

/* ERR_BAD_CREDENTIALS also where info.json and the certificate name two devices; ERR_TOO_LARGE, and those of
 * fs_open_at(). */
must_check int device_credentials_load(int dirfd, const char *file, struct device_credentials *ret,
                                       struct err *e);
must_check int device_credentials_read(const void *zip, size_t len, struct device_credentials *ret,
                                       struct err *e);
void device_credentials_free(struct device_credentials *c); /* wipes the key */

/* Is it one: 36 digits and hyphens? */
bool device_uuid_check(const char *text);

#endif
