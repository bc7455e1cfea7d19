/* SPDX-License-Identifier: Apache-2.0 */
#include "report/await.h"

#include <time.h>
#include <unistd.h>

#include "net/link_watch.h"

#define PAUSE_FIRST_MS (15 * 1000)
#define PAUSE_MAX_MS (30 * 60 * 1000) /* for a cloud that is down while the network is up */
#define PAUSE_MIN_S 3

int await_open(struct await *a, struct err *e)
{
    a->pause_ms = PAUSE_FIRST_MS;
    return link_watch_open(&a->fd, e);
}

void await_free(struct await *a)
{
    if (a->fd >= 0)
        close(a->fd);
    *a = (struct await){.fd = -1};
}

bool await_helps(const struct err *why)
{
    switch (why->id) {
    case ERR_NETWORK:
    case ERR_NETWORK_STALLED:
    case ERR_TLS:
    case ERR_RATE_LIMITED:
        return true;
    default:
        return why->http_status >= 500;
    }
}

int await_rest(struct await *a, struct err *e)
{
    const struct timespec least = {.tv_sec = PAUSE_MIN_S};
    bool changed;
    clock_nanosleep(CLOCK_MONOTONIC, 0, &least, NULL);
    if (link_watch_wait(a->fd, a->pause_ms, &changed, e))
        return -1;
    a->pause_ms = changed ? PAUSE_FIRST_MS : 2 * a->pause_ms;
    if (a->pause_ms > PAUSE_MAX_MS)
        a->pause_ms = PAUSE_MAX_MS;
    return 0;
}
