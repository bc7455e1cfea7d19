/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/out.h"

#define SHOW_EVERY_MS 100 /* smooth for the eye, nothing for the processor */
#define BAR_CELLS 24

struct view {
    struct progress progress; /* first: a struct progress * is a struct view * */
    bool json;
    int64_t begun_ms, shown_ms;
};

static int64_t monotonic_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The mean since the phase began; what was there before has moved nothing. */
struct speed {
    bool known;
    double bytes_per_second, seconds_left;
};

static struct speed speed_of(const struct view *v, uint64_t done, int64_t now_ms)
{
    double seconds = (double)(now_ms - v->begun_ms) / 1000;
    uint64_t moved = done - atomic_load(&v->progress.skipped);
    uint64_t left = done < v->progress.total ? v->progress.total - done : 0;
    if (seconds <= 0.2 || moved == 0)
        return (struct speed){0};
    return (struct speed){true, (double)moved / seconds, seconds * (double)left / (double)moved};
}

static void show_json(const struct view *v, const char *event, uint64_t done, const struct speed *s)
{
    fprintf(stderr, "{\"event\":\"%s\",\"phase\":\"%s\",\"done\":%" PRIu64 ",\"total\":%" PRIu64, event,
            v->progress.phase, done, v->progress.total);
    if (s->known)
        fprintf(stderr, ",\"bytes_per_second\":%.0f", s->bytes_per_second);
    else
        fputs(",\"bytes_per_second\":null", stderr);
    if (s->known && v->progress.total)
        fprintf(stderr, ",\"seconds_left\":%.0f}\n", s->seconds_left);
    else
        fputs(",\"seconds_left\":null}\n", stderr);
}

static void show_bar(const struct view *v, bool ended, uint64_t done, const struct speed *s)
{
    uint64_t total = v->progress.total;
    uint64_t part = done > total ? total : done;
    char size[OUT_SIZE_TEXT], of[OUT_SIZE_TEXT], rate[OUT_SIZE_TEXT];
    char speed[OUT_SIZE_TEXT + 8] = "", left[32] = "";
    out_size(done, size);
    out_size(total, of);
    if (s->known) {
        out_size((uint64_t)s->bytes_per_second, rate);
        snprintf(speed, sizeof speed, ", %s/s", rate);
    }
    if (total == 0) { /* nobody knows how much there is */
        fprintf(stderr, "\r\033[K%-9s %s%s%s", v->progress.phase, size, speed, ended ? "\n" : "");
        return;
    }
    if (!ended && s->known)
        snprintf(left, sizeof left, ", %.0f s left", s->seconds_left);
    unsigned cells = (unsigned)(part * BAR_CELLS / total);
    fprintf(stderr, "\r\033[K%-9s [%.*s%*s] %3u%%  %s of %s%s%s%s", v->progress.phase, (int)cells,
            "########################", (int)(BAR_CELLS - cells), "", (unsigned)(part * 100 / total), size,
            of, speed, left, ended ? "\n" : "");
}

static void show(struct progress *p, const char *event)
{
    struct view *v = (struct view *)(void *)p;
    int64_t now_ms = monotonic_ms();
    bool begins = !strcmp(event, "begin"), ends = !strcmp(event, "end");
    if (begins)
        v->begun_ms = now_ms;
    else if (!ends && now_ms - v->shown_ms < SHOW_EVERY_MS)
        return;
    v->shown_ms = now_ms;
    uint64_t done = atomic_load(&p->done);
    struct speed speed = speed_of(v, done, now_ms);
    if (v->json)
        show_json(v, event, done, &speed);
    else
        show_bar(v, ends, done, &speed);
}

int progress_view_open(const struct global_options *g, struct progress **ret, struct err *e)
{
    const char *how = g->progress ? g->progress : "auto";
    bool json = !strcmp(how, "json"), bar = !strcmp(how, "bar"), automatic = !strcmp(how, "auto");
    if (!json && !bar && !automatic && strcmp(how, "none") != 0)
        return err_set(e, ERR_USAGE, "--progress '%s' is none of auto, bar, json and none", how);
    const char *term = getenv("TERM");
    bool terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    *ret = NULL;
    if ((automatic && (g->quiet || !terminal)) || (!json && !bar && !automatic))
        return 0;
    struct view *v = mem_zeroed(1, sizeof *v);
    *v = (struct view){.progress = {.show = show}, .json = json};
    *ret = &v->progress;
    return 0;
}

void progress_view_close(struct progress *p)
{
    free(p); /* the first member of a struct view */
}
