/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define WORKERS_MAX 64

struct pool {
    size_t n;
    atomic_size_t next;
    void (*work)(void *ctx, size_t i);
    void *ctx;
};

unsigned parallel_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set))
        return 1;
    int n = CPU_COUNT(&set);
    return n < 1 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : (unsigned)n;
}

static void *take_items(void *arg)
{
    struct pool *p = arg;
    for (size_t i; (i = atomic_fetch_add(&p->next, 1)) < p->n;)
        p->work(p->ctx, i);
    return NULL;
}

void parallel_for(size_t n, unsigned workers, void (*work)(void *ctx, size_t i), void *ctx)
{
    struct pool pool = {.n = n, .work = work, .ctx = ctx};
    pthread_t threads[WORKERS_MAX];
    unsigned started = 0;
    if (workers == 0)
        workers = parallel_cores();
    if (workers > WORKERS_MAX)
        workers = WORKERS_MAX;
    /* the calling thread is one of the workers; where no more can be had it does the work alone */
    while (started + 1 < workers && started + 1 < n &&
           pthread_create(&threads[started], NULL, take_items, &pool) == 0)
        started++;
    take_items(&pool);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}
