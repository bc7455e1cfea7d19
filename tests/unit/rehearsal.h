/* SPDX-License-Identifier: Apache-2.0
 *
 * A rehearsal cloud for one test program: started by the group's setup in a temporary folder, steered by
 * `rehearsal ctl`, stopped by the teardown. Tests run in the source folder.
 */
#ifndef AIRLOCK_TESTS_REHEARSAL_H
#define AIRLOCK_TESTS_REHEARSAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

#define REHEARSAL "tests/cloud/rehearsal"

static char rehearsal_folder[] = "/tmp/airlock-test-XXXXXX";

/* Runs a shell command and returns what it printed; the test fails when the command does. */
static inline char *rehearsal_run(const char *command)
{
    struct buf out = {0};
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    for (size_t n = 1; n > 0;) {
        n = fread(buf_reserve(&out, 4096), 1, 4096, pipe);
        out.len += n;
    }
    if (pclose(pipe) != 0)
        fail_msg("failed: %s", command);
    buf_add(&out, "", 0);
    return buf_steal_text(&out);
}

/* `rehearsal ctl FOLDER <arguments>`; the answer is to be freed. */
__attribute__((format(printf, 1, 2))) static inline char *rehearsal_ask(const char *format, ...)
{
    AUTO(buf) struct buf command = {0};
    AUTO_FREE char *arguments = NULL;
    va_list args;
    va_start(args, format);
    assert_true(vasprintf(&arguments, format, args) >= 0);
    va_end(args);
    buf_addf(&command, REHEARSAL " ctl %s %s", rehearsal_folder, arguments);
    return rehearsal_run(buf_text(&command));
}

#define rehearsal_tell(...) free(rehearsal_ask(__VA_ARGS__))

/* A value of cloud.env, such as "REHEARSAL_CA"; to be freed. */
static inline char *rehearsal_value(const char *name)
{
    AUTO_FREE char *command = mem_format(". %s/cloud.env; printf %%s \"$%s\"", rehearsal_folder, name);
    char *value = rehearsal_run(command);
    assert_true(value[0]);
    return value;
}

static inline void rehearsal_start(const char *options)
{
    assert_non_null(mkdtemp(rehearsal_folder));
    AUTO_FREE char *command = mem_format(REHEARSAL " start %s %s", rehearsal_folder, options);
    free(rehearsal_run(command));
}

static inline void rehearsal_stop(void)
{
    AUTO_FREE char *command = mem_format(REHEARSAL " stop %s; rm -r %s", rehearsal_folder, rehearsal_folder);
    free(rehearsal_run(command));
}

/* The user agent of the present test: how its requests are told from those of the test before, whose last
 * ones may still be on their way to the log. */
static char rehearsal_agent[32];

/* Before each test: an honest cloud, and a user agent for this test. */
static inline void rehearsal_begin(void)
{
    static unsigned tests;
    snprintf(rehearsal_agent, sizeof rehearsal_agent, "airlock-test/%u.0", ++tests);
    rehearsal_tell("fault clear");
    rehearsal_tell("tamper clear");
}

/* How many requests of this test the log holds that match an extended regular expression. */
static inline int rehearsal_count(const char *pattern)
{
    AUTO_FREE char *command = mem_format(REHEARSAL " ctl %s log | grep -F '\"%s\"' | grep -cE '%s' || true",
                                         rehearsal_folder, rehearsal_agent, pattern);
    AUTO_FREE char *count = rehearsal_run(command);
    return atoi(count);
}

/* Expects n such requests; the log may lag a little behind the answers. */
#define rehearsal_expect(pattern, n)                                                                         \
    do {                                                                                                     \
        int count_ = -1;                                                                                     \
        for (int try_ = 0; try_ < 10 && (count_ = rehearsal_count(pattern)) < (n); try_++)                   \
            usleep(100000);                                                                                  \
        if (count_ != (n)) {                                                                                 \
            AUTO_FREE char *log_ = rehearsal_ask("log | grep -F %s", rehearsal_agent);                       \
            fputs(log_, stderr);                                                                             \
            fail_msg("%d requests like %s", count_, pattern);                                                \
        }                                                                                                    \
    } while (0)

#endif
