/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of a device, from a file: its state as a person wrote it down (docs/device-state.md), or the
 * request in which its helper signed it (docs/report-format.md).
 */
#ifndef AIRLOCK_LOCKBOX_DEVICE_FILE_H
#define AIRLOCK_LOCKBOX_DEVICE_FILE_H

#include "uptane/device.h"
#include "usb-tools/report_file.h"

struct device_file {
    struct device device; /* it holds values of a document of its own: not to be moved */
    bool is_request;
    struct report_file
        request; /* intact, and signed by its public_key; whose that is, is for the caller to say */
};

/* The errors of device_parse(); ERR_BAD_SIGNATURE of a request that was changed. */
must_check int device_file_read(const char *path, struct device_file *ret, struct err *e);
void device_file_free(struct device_file *f);

#endif
