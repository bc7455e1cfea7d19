/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/device_file.h"

#include "base/fs.h"

/* What is no request is a state, or neither, as device_parse() then says. */
static int read_text(const struct buf *text, struct device_file *f, struct err *e)
{
    struct err none;
    if (report_file_parse(text->data, text->len, &f->request, &none) == 0) {
        if (f->request.type != REPORT_REQUEST)
            return err_set(e, ERR_USAGE,
                           "it is a report of a device, not its state; that is below requests/");
        f->is_request = true;
        return device_parse(f->request.state.data, f->request.state.len, &f->device, e);
    }
    if (none.id == ERR_BAD_SIGNATURE) {
        *e = none;
        return -1;
    }
    return device_parse(text->data, text->len, &f->device, e);
}

int device_file_read(const char *path, struct device_file *ret, struct err *e)
{
    AUTO(buf) struct buf text = {0};
    *ret = (struct device_file){0};
    if (fs_read_file(path, REPORT_FILE_MAX, &text, e) == 0 && read_text(&text, ret, e) == 0)
        return 0;
    device_file_free(ret);
    return -1;
}

void device_file_free(struct device_file *f)
{
    device_free(&f->device);
    report_file_free(&f->request);
    *f = (struct device_file){0};
}
