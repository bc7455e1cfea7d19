/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A number that systemd leaves to nobody (its UIDS-GIDS document: 65520 to 65533 are unused): no account has
 * to be made for it, and no other service runs under it as under 'nobody'. */
#define NOBODYS 65526u

/* In memory that both processes see. */
struct parcel {
    int rc;
    bool returned;
    struct err e;
    max_align_t answer[];
};

static bool can_drop(void)
{
    return geteuid() == 0;
}

int sandbox_lend(int dirfd, struct err *e)
{
    if (can_drop() && fchown(dirfd, NOBODYS, NOBODYS))
        return err_errno(e, ERR_SYSTEM, "cannot lend a folder to the part that reads the stick");
    return 0;
}

/* ---- within ---- */

static int drop(struct err *e)
{
    const struct rlimit none = {0};
    if (setrlimit(RLIMIT_CORE, &none))
        return err_errno(e, ERR_SYSTEM, "cannot forbid a core file");
    if (can_drop() && (unshare(CLONE_NEWNET | CLONE_NEWIPC) || setgroups(0, NULL) ||
                       setresgid(NOBODYS, NOBODYS, NOBODYS) || setresuid(NOBODYS, NOBODYS, NOBODYS)))
        return err_errno(e, ERR_SYSTEM, "cannot give up the rights of root");
    /* a change of the user forgets the signal: it comes last */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL))
        return err_errno(e, ERR_SYSTEM, "cannot bind a process to this one");
    return 0;
}

static _Noreturn void run(int (*step)(void *, void *, struct err *), void *ctx, struct parcel *p)
{
    p->rc = drop(&p->e) || step(ctx, p->answer, &p->e) ? -1 : 0;
    p->returned = true;
    fflush(stdout);
    _exit(0);
}

/* ---- without ---- */

/* The child is the first process of a new PID namespace, with which all its children end. What this process
 * starts later belongs to its own again. */
static pid_t start(struct err *e)
{
    AUTO_FD int own = -1;
    if (can_drop()) {
        own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
        if (own < 0 || unshare(CLONE_NEWPID)) {
            err_errno(e, ERR_SYSTEM, "cannot make a namespace for the part that reads the stick");
            return -1;
        }
    }
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        err_errno(e, ERR_SYSTEM, "cannot start a process");
    } else if (child > 0 && own >= 0 && setns(own, CLONE_NEWPID)) {
        err_errno(e, ERR_SYSTEM, "cannot go back to the own namespace");
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        return -1;
    }
    return child;
}

static int receive(pid_t child, struct parcel *p, void *ret_answer, size_t size, struct err *e)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return err_errno(e, ERR_SYSTEM, "cannot wait for the part that reads the stick");
    if (WIFSIGNALED(status))
        return err_set(e, ERR_INTERNAL, "the part that reads the stick was ended by signal %d",
                       WTERMSIG(status));
    if (!p->returned)
        return err_set(e, ERR_INTERNAL, "the part that reads the stick ended without an answer");
    memcpy(ret_answer, p->answer, size);
    if (p->rc == 0)
        return 0;
    *e = p->e;
    e->message[sizeof e->message - 1] = e->hint[sizeof e->hint - 1] = '\0';
    if ((unsigned)e->id >= ERR_COUNT || e->id == ERR_NONE)
        e->id = ERR_INTERNAL;
    return -1;
}

int sandbox_run(int (*step)(void *ctx, void *ret_answer, struct err *e), void *ctx, void *ret_answer,
                size_t size, struct err *e)
{
    size_t whole = sizeof(struct parcel) + size;
    struct parcel *p = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return err_errno(e, ERR_SYSTEM, "cannot get memory");
    memcpy(p->answer, ret_answer, size);
    pid_t child = start(e);
    if (child == 0)
        run(step, ctx, p);
    int rc = child < 0 ? -1 : receive(child, p, ret_answer, size, e);
    munmap(p, whole);
    return rc;
}
