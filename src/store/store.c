/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include "base/fs.h"

int store_open(const struct store_paths *paths, struct store *ret, struct err *e)
{
    struct store s = STORE_CLOSED;
    if (fs_make_dir(paths->cache, true, &s.cache_fd, e) || fs_make_dir(paths->state, true, &s.state_fd, e) ||
        fs_make_dir(paths->config, true, &s.config_fd, e) ||
        fs_open_dir_at(s.cache_fd, "objects", true, &s.objects_fd, e) ||
        fs_open_dir_at(s.cache_fd, "partial", true, &s.partial_fd, e)) {
        store_close(&s);
        return -1;
    }
    *ret = s;
    return 0;
}

int store_look(const struct store_paths *paths, struct store *ret, struct err *e)
{
    struct store s = STORE_CLOSED;
    struct {
        const char *path;
        int *fd;
    } folders[] = {{paths->cache, &s.cache_fd}, {paths->state, &s.state_fd}, {paths->config, &s.config_fd}};
    for (size_t i = 0; i < COUNT_OF(folders); i++)
        if (fs_open_dir(folders[i].path, folders[i].fd, e))
            *folders[i].fd = -1;
    *ret = s;
    return 0;
}

void store_close(struct store *s)
{
    cleanup_fd(&s->cache_fd);
    cleanup_fd(&s->state_fd);
    cleanup_fd(&s->config_fd);
    cleanup_fd(&s->objects_fd);
    cleanup_fd(&s->partial_fd);
    *s = STORE_CLOSED;
}
