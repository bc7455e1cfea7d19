/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/client_call.h"

#include <string.h>

#include "usb-tools/device/tool.h"

#define BUSCTL "usr/bin/busctl"
#define SERVICE "org.uptane.Aktualizr"
#define OBJECT "/org/uptane/aktualizr"
#define METHOD "OfflineUpdate"

bool client_takes_calls(const char *root)
{
    const char *const argv[] = {BUSCTL, "--system", "introspect", SERVICE, OBJECT, NULL};
    AUTO(buf) struct buf said = {0};
    struct err why;
    return tool_is_there(root, BUSCTL) && tool_run(root, argv, &said, &why) == 0 &&
           strstr(buf_text(&said), "." METHOD " ") != NULL;
}

int client_call(const char *root, const char *directory, struct err *e)
{
    const char *const argv[] = {BUSCTL,  "--system", "call", SERVICE,   OBJECT,
                                SERVICE, METHOD,     "s",    directory, NULL};
    AUTO(buf) struct buf answer = {0};
    return tool_run(root, argv, &answer, e) ? err_context(e, "the client did not take the call") : 0;
}
