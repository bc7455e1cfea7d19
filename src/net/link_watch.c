/* SPDX-License-Identifier: Apache-2.0 */
#include "net/link_watch.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

#define SETTLE_ROUNDS 10 /* a network that never settles is one that changed */

int link_watch_open(int *ret_fd, struct err *e)
{
    const struct sockaddr_nl address = {
        .nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE,
    };
    AUTO_FD int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address))
        return err_errno(e, ERR_NETWORK, "cannot hear of changes of the network");
    *ret_fd = steal_fd(&fd);
    return 0;
}

/* What came is not read into: that something came is enough. ENOBUFS: more came than the socket holds. */
static bool drain(int fd)
{
    char message[8192];
    bool any = false;
    for (;;) {
        ssize_t n = recv(fd, message, sizeof message, MSG_TRUNC);
        if (n < 0 && errno != ENOBUFS && errno != EINTR)
            return any;
        any = any || n >= 0 || errno == ENOBUFS;
    }
}

static int wait_readable(int fd, int64_t timeout_ms, bool *ret, struct err *e)
{
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    int n = poll(&watched, 1, (int)timeout_ms);
    if (n < 0 && errno != EINTR)
        return err_errno(e, ERR_NETWORK, "cannot hear of changes of the network");
    *ret = n > 0 && drain(fd);
    return 0;
}

int link_watch_wait(int fd, int64_t timeout_ms, bool *ret_changed, struct err *e)
{
    if (wait_readable(fd, timeout_ms, ret_changed, e))
        return -1;
    bool more = *ret_changed;
    for (unsigned i = 0; more && i < SETTLE_ROUNDS; i++)
        if (wait_readable(fd, LINK_SETTLE_MS, &more, e))
            return -1;
    return 0;
}
