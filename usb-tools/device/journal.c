/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/journal.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "usb-tools/device/tool.h"

#define JOURNALCTL "usr/bin/journalctl"
#define LINE_MAX_BYTES (64u << 10)
#define TEXT_SHOWN 1000 /* bytes of a line in a report */

/* ---- a line ---- */

/* What comes after `start`; NULL: it does not begin so. */
static const char *after(const char *message, const char *start)
{
    size_t len = strlen(start);
    return strncmp(message, start, len) ? NULL : message + len;
}

/* Where a character ends. */
static char *cut(const char *text)
{
    size_t len = strnlen(text, TEXT_SHOWN);
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    return mem_strndup(text, len);
}

/* An end of the install. */
static bool is_result(const char *message, enum report_outcome *ret_what, char **ret_message)
{
    const char *result = after(message, "Event: AllInstallsComplete, Result - ");
    const char *fetched = after(message, "Event: AllDownloadsComplete, Result - ");
    if (result) {
        *ret_what = !strcmp(result, "OK")                ? OUTCOME_INSTALLED
                    : !strcmp(result, "NEED_COMPLETION") ? OUTCOME_UNKNOWN /* it waits for a reboot */
                                                         : OUTCOME_FAILED;
        *ret_message = cut(result);
    } else if (fetched && (!strcmp(fetched, "Error") || !strcmp(fetched, "Partial success"))) {
        *ret_what = OUTCOME_FAILED;
        *ret_message = mem_strdup("the packages could not be read");
    } else {
        return false;
    }
    return true;
}

/* That the client did not take the roles. It says the same of those that it did not get from the cloud. */
static bool is_complaint(const char *message)
{
    return after(message, "Director metadata update failed: ") ||
           after(message, "Failed to update Image repo metadata: ") ||
           after(message, "Inconsistency between Director metadata and available ECUs: ") ||
           after(message, "No matching target in Image repo Targets metadata for ");
}

/* NULL where there is none, or one that is no text. The caller's. */
static char *read_message(const char *line, size_t len)
{
    static const struct json_limits limits = {.bytes = LINE_MAX_BYTES, .depth = 4, .nodes = 10000};
    AUTO(json) struct json doc = {0};
    struct json_value message;
    struct err ignored;
    if (json_parse(&doc, line, len, &limits, &ignored) ||
        !json_get_typed(json_root(&doc), "MESSAGE", JSON_STRING, &message))
        return NULL;
    return json_string_copy(message);
}

/* ---- all lines ---- */

void journal_judge(const struct buf *lines, enum report_outcome *ret_what, char **ret_message)
{
    AUTO_FREE char *complaint = NULL;
    const char *at = (const char *)lines->data, *end = at + lines->len;
    *ret_what = OUTCOME_UNKNOWN;
    *ret_message = NULL;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        AUTO_FREE char *message = read_message(at, (size_t)((stop ? stop : end) - at));
        if (message && is_result(message, ret_what, ret_message))
            return;
        if (message && !complaint && is_complaint(message))
            complaint = cut(message);
        at = stop ? stop + 1 : end;
    }
    *ret_message = steal_ptr(complaint);
}

int journal_read(const char *root, int64_t since, enum report_outcome *ret_what, char **ret_message,
                 struct err *e)
{
    AUTO(buf) struct buf lines = {0};
    AUTO_FREE char *from = mem_format("--since=@%" PRId64, since);
    AUTO_FREE char *below = mem_format("--root=%s", root);
    const char *const argv[] = {JOURNALCTL,
                                "--quiet",
                                "--no-pager",
                                "--reverse",
                                "--lines=400",
                                "--output=json",
                                "--unit=aktualizr*",
                                "--output-fields=MESSAGE",
                                from,
                                strcmp(root, "/") ? below : NULL,
                                NULL};
    if (!tool_is_there(root, JOURNALCTL))
        return err_set(e, ERR_NO_SUCH_PATH, "the device has no '/" JOURNALCTL "'");
    if (tool_run(root, argv, &lines, e))
        return -1;
    journal_judge(&lines, ret_what, ret_message);
    return 0;
}
