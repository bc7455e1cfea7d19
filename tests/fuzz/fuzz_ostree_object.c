/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects of an OSTree repository. The first byte says of which kind the rest is. A commit, a dirtree and a
 * dirmeta get the name that their bytes have, so that they are read; a file is cut into pieces in two ways,
 * which must come to the same.
 */
#include <stdlib.h>
#include <string.h>

#include "fetch/ostree_file.h"
#include "fetch/ostree_object.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static int visit(void *ctx, const struct ostree_name *name, struct err *e)
{
    (void)ctx, (void)e;
    char path[OSTREE_PATH_SIZE];
    struct ostree_name again;
    ostree_path(name, path);
    if (!ostree_path_parse(path, &again) || again.kind != name->kind)
        abort();
    return 0;
}

static bool is_file(const uint8_t *bytes, size_t len, size_t piece)
{
    static const uint8_t no_name[HASH_SIZE];
    struct ostree_file *f = ostree_file_new();
    struct err e = {0};
    bool whole = true;
    ostree_file_begin(f);
    for (size_t at = 0; whole && at < len; at += piece)
        whole = ostree_file_update(f, bytes + at, len - at < piece ? len - at : piece, &e) == 0;
    if (whole && ostree_file_end(f, no_name, &e) == 0)
        abort(); /* nobody finds bytes for that */
    ostree_file_delete(f);
    return whole && strstr(e.message, "checksum"); /* right but for its name */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const struct ostree_visitor visitor = {visit, NULL};
    struct err e;
    if (len == 0)
        return 0;
    struct ostree_name name = {.kind = (enum ostree_kind)(bytes[0] % 4)};
    bytes++, len--;
    if (name.kind == OSTREE_FILE) {
        if (is_file(bytes, len, len ? len : 1) != is_file(bytes, len, 3))
            abort();
        return 0;
    }
    ostree_is_dictionary(bytes, len);
    hash_of(bytes, len, name.checksum);
    if (ostree_metadata_read(&name, bytes, len, &visitor, &e) && e.id != ERR_BAD_OSTREE)
        abort();
    return 0;
}
