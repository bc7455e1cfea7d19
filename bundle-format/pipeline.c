/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/pipeline.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"

/* Numbers of slots in the order of production; slot n is slots[n % slot_count]. */
struct run {
    const struct pipeline *p;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t produced, taken, consumed;
    bool *worked; /* by place in slots */
    bool ended;   /* nothing more is produced */
    bool failed;
    struct err error; /* of who failed first */
};

struct worker {
    struct run *run;
    void *own;
};

/* Called with the lock held. */
static void fail(struct run *run, const struct err *e)
{
    if (!run->failed)
        run->error = *e;
    run->failed = true;
    pthread_cond_broadcast(&run->changed);
}

static void *producer_main(void *arg)
{
    struct run *run = arg;
    const struct pipeline *p = run->p;
    struct err e;
    pthread_mutex_lock(&run->lock);
    while (!run->failed && !run->ended) {
        if (run->produced - run->consumed == p->slot_count) {
            pthread_cond_wait(&run->changed, &run->lock);
            continue;
        }
        void *slot = p->slots[run->produced % p->slot_count];
        bool more = false;
        pthread_mutex_unlock(&run->lock);
        int rc = p->produce(p->ctx, slot, &more, &e);
        pthread_mutex_lock(&run->lock);
        if (rc)
            fail(run, &e);
        else if (more)
            run->produced++;
        else
            run->ended = true;
        pthread_cond_broadcast(&run->changed);
    }
    pthread_mutex_unlock(&run->lock);
    return NULL;
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct run *run = worker->run;
    const struct pipeline *p = run->p;
    struct err e;
    pthread_mutex_lock(&run->lock);
    while (!run->failed) {
        if (run->taken == run->produced) {
            if (run->ended)
                break;
            pthread_cond_wait(&run->changed, &run->lock);
            continue;
        }
        size_t place = (size_t)(run->taken++ % p->slot_count);
        pthread_mutex_unlock(&run->lock);
        int rc = p->work(worker->own, p->slots[place], &e);
        pthread_mutex_lock(&run->lock);
        if (rc)
            fail(run, &e);
        run->worked[place] = true;
        pthread_cond_broadcast(&run->changed);
    }
    pthread_mutex_unlock(&run->lock);
    return NULL;
}

static void consume_all(struct run *run)
{
    const struct pipeline *p = run->p;
    struct err e;
    pthread_mutex_lock(&run->lock);
    while (!run->failed && !(run->ended && run->consumed == run->produced)) {
        size_t place = (size_t)(run->consumed % p->slot_count);
        if (!run->worked[place]) {
            pthread_cond_wait(&run->changed, &run->lock);
            continue;
        }
        pthread_mutex_unlock(&run->lock);
        int rc = p->consume(p->ctx, p->slots[place], &e);
        pthread_mutex_lock(&run->lock);
        if (rc)
            fail(run, &e);
        run->worked[place] = false;
        run->consumed++;
        pthread_cond_broadcast(&run->changed);
    }
    pthread_mutex_unlock(&run->lock);
}

/* A thread, or a failed run. */
static bool start(struct run *run, pthread_t *ret, void *(*main)(void *), void *arg)
{
    errno = pthread_create(ret, NULL, main, arg);
    if (errno == 0)
        return true;
    struct err e;
    err_errno(&e, ERR_SYSTEM, "cannot start a thread");
    pthread_mutex_lock(&run->lock);
    fail(run, &e);
    pthread_mutex_unlock(&run->lock);
    return false;
}

int pipeline_run(const struct pipeline *p, struct err *e)
{
    struct run run = {.p = p, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    unsigned started = 0;
    AUTO_FREE bool *worked = mem_zeroed(p->slot_count, sizeof *worked);
    AUTO_FREE struct worker *workers = mem_zeroed(p->worker_count, sizeof *workers);
    AUTO_FREE pthread_t *threads = mem_zeroed(p->worker_count + 1, sizeof *threads);
    run.worked = worked;

    bool good = start(&run, &threads[0], producer_main, &run);
    started += good;
    for (unsigned i = 0; good && i < p->worker_count; i++) {
        workers[i] = (struct worker){.run = &run, .own = p->workers[i]};
        good = start(&run, &threads[started], worker_main, &workers[i]);
        started += good;
    }
    consume_all(&run);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (run.failed)
        *e = run.error;
    return run.failed ? -1 : 0;
}

unsigned pipeline_workers(unsigned wanted)
{
    cpu_set_t set;
    if (wanted)
        return wanted;
    if (sched_getaffinity(0, sizeof set, &set))
        return 1; /* more than 1024 processors */
    return (unsigned)CPU_COUNT(&set);
}
