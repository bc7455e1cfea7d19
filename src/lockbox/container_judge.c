/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/container_judge.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/out.h"
#include "fetch/compose.h"
#include "fetch/image_manifest.h"

/* What a device that runs Torizon OS may call itself (getDockerPlatform() of its client). */
static const char *const platforms[] = {"linux/arm/v7", "linux/arm64", "linux/amd64"};

/* An image that some device would load. */
struct image {
    uint8_t digest[HASH_SIZE];
    uint8_t config[HASH_SIZE];
    const struct compose_service *service; /* the first: the device takes its name */
};

struct judging {
    const struct container_files *files;
    const struct verdict_target *target;
    struct verdict *v;
    char compose_hex[HASH_HEX_SIZE];
    struct compose compose;
    struct image_manifest *named; /* by service: a manifest or a list */
    struct image *images;
    size_t image_count;
};

static void judge_services(struct judging *j);

/* Is it a matter of what is known of this one device? */
static bool is_of_the_device(const struct judging *j, enum err_id id)
{
    const struct device *device = j->v->device;
    return id == ERR_UNKNOWN_MEDIA_TYPE || (id == ERR_NO_SUCH_PLATFORM && device && device->platform);
}

static void add_problem(struct judging *j, const struct err *found, bool device_refuses)
{
    AUTO(buf) struct buf name = {0}, text = {0};
    out_escape(&name, j->target->name, strlen(j->target->name));
    out_escape(&text, found->message, strlen(found->message));
    if (is_of_the_device(j, found->id) && j->target->wanted)
        judge_add_refusal(j->v, found->id, "", "target '%s': %s", buf_text(&name), buf_text(&text));
    else if (!is_of_the_device(j, found->id))
        judge_add_problem(j->v, found->id, "", device_refuses && j->target->wanted, "target '%s': %s",
                          buf_text(&name), buf_text(&text));
}

void container_judge(const struct container_files *files, const struct verdict_target *t, struct verdict *v)
{
    AUTO(buf) struct buf text = {0};
    struct judging j = {.files = files, .target = t, .v = v};
    struct err e;
    hash_hex(t->sha256, j.compose_hex);
    if (files->compose(files->ctx, t, &text, &e))
        return; /* that it is missing, or another one, is a problem already */
    if (compose_read(text.data, text.len, &j.compose, &e))
        add_problem(&j, &e, true);
    else
        judge_services(&j);
    for (size_t i = 0; j.named && i < j.compose.count; i++)
        image_manifest_free(&j.named[i]);
    free(j.named);
    free(j.images);
    compose_free(&j.compose);
}

/* ---- manifests ---- */

/* Clients of before 2024 know Docker's types only. */
static int check_media_type(const struct judging *j, const struct image_manifest *m, struct err *e)
{
    const struct device *device = j->v->device;
    if (!device || !device->knows_media_types)
        return 0;
    for (size_t i = 0, n = json_count(device->media_types); i < n; i++)
        if (json_string_equals(json_at(device->media_types, i), m->media_type))
            return 0;
    return err_set(e, ERR_UNKNOWN_MEDIA_TYPE, "it is of type '%s'", m->media_type);
}

/* Missing is no error here, but told by *ret_there. */
static int read_manifest(const struct judging *j, const uint8_t digest[HASH_SIZE], struct image_manifest *ret,
                         bool *ret_there, struct err *e)
{
    char hex[HASH_HEX_SIZE];
    uint8_t found[HASH_SIZE];
    AUTO(buf) struct buf bytes = {0};
    hash_hex(digest, hex);
    AUTO_FREE char *path = mem_format(CONTAINER_MANIFESTS, j->compose_hex, hex);
    *ret_there = j->files->manifest(j->files->ctx, path, &bytes, e) == 0;
    if (!*ret_there)
        return e->id == ERR_MISSING_TARGET ? 0 : -1;
    hash_of(bytes.data, bytes.len, found);
    if (memcmp(found, digest, HASH_SIZE) != 0)
        return err_set(e, ERR_WRONG_HASH, "the manifest sha256:%s is another one", hex);
    if (image_manifest_parse(bytes.data, bytes.len, ret, e))
        return err_context(e, "the manifest sha256:%s", hex);
    if (check_media_type(j, ret, e)) {
        image_manifest_free(ret);
        *ret = (struct image_manifest){0};
        return err_context(e, "the manifest sha256:%s", hex);
    }
    return 0;
}

static int set_missing(const char *what, const uint8_t digest[HASH_SIZE], struct err *e)
{
    char hex[HASH_HEX_SIZE];
    hash_hex(digest, hex);
    return err_set(e, ERR_MISSING_TARGET, "the %s of image sha256:%s is not there", what, hex);
}

static int name_service(struct judging *j, size_t i, struct err *e)
{
    const struct compose_service *s = &j->compose.services[i];
    bool there;
    if (read_manifest(j, s->digest, &j->named[i], &there, e))
        return -1;
    return there ? 0 : set_missing("manifest", s->digest, e);
}

/* ---- images ---- */

static int add_image(struct judging *j, const struct compose_service *s, const uint8_t digest[HASH_SIZE],
                     const struct image_manifest *m, struct err *e)
{
    if (m->is_list)
        return err_set(e, ERR_BAD_MANIFEST, "a list of manifests names another list");
    for (size_t i = 0; i < j->image_count; i++)
        if (!memcmp(j->images[i].digest, digest, HASH_SIZE)) {
            const struct compose_service *first = j->images[i].service;
            return !strcmp(first->image, s->image)
                       ? 0
                       : err_set(
                             e, ERR_COMPOSE_FORM,
                             "services '%s' and '%s' name one image in two ways; the device loads the first "
                             "only",
                             first->name, s->name);
        }
    j->images = mem_resize(j->images, j->image_count + 1, sizeof *j->images);
    struct image *image = &j->images[j->image_count++];
    *image = (struct image){.service = s};
    memcpy(image->digest, digest, HASH_SIZE);
    memcpy(image->config, m->config.sha256, HASH_SIZE);
    return 0;
}

/* What a device of that platform takes from the service's list. *ret_there false: nothing, or it is not in
 * the lockbox. */
static int choose(struct judging *j, size_t service, const char *platform, bool add, bool *ret_there,
                  struct err *e)
{
    AUTO(image_manifest) struct image_manifest chosen = {0};
    const struct image_choice *choice;
    *ret_there = false;
    if (image_manifest_choose(&j->named[service], platform, &choice, e))
        return e->id == ERR_NO_SUCH_PLATFORM ? 0 : -1;
    if (read_manifest(j, choice->manifest.sha256, &chosen, ret_there, e))
        return -1;
    if (!*ret_there || !add)
        return 0;
    return add_image(j, &j->compose.services[service], choice->manifest.sha256, &chosen, e);
}

static bool is_open(const struct judging *j, size_t service)
{
    return j->named[service].is_list && !j->compose.services[service].platform;
}

/* The services whose image does not depend on the device. */
static int take_settled(struct judging *j, size_t i, struct err *e)
{
    const struct compose_service *s = &j->compose.services[i];
    bool there;
    if (!j->named[i].is_list)
        return add_image(j, s, s->digest, &j->named[i], e);
    if (choose(j, i, s->platform, true, &there, e))
        return -1;
    return there ? 0
                 : err_set(e, ERR_NO_SUCH_PLATFORM, "the image of service '%s' is not there for '%s'",
                           s->name, s->platform);
}

/* Are the manifests of all services there for this platform? An image that cannot be chosen counts as not
 * there: so it is for that device. */
static bool serves(struct judging *j, const char *platform)
{
    struct err ignored;
    for (size_t i = 0; i < j->compose.count; i++) {
        bool there;
        if (is_open(j, i) && (choose(j, i, platform, false, &there, &ignored) || !there))
            return false;
    }
    return true;
}

static int take_open(struct judging *j, const char *platform, struct err *e)
{
    for (size_t i = 0; i < j->compose.count; i++) {
        bool there;
        if (is_open(j, i) && choose(j, i, platform, true, &there, e))
            return -1;
    }
    return 0;
}

static int take_for_platforms(struct judging *j, struct err *e)
{
    const char *own = j->v->device ? j->v->device->platform : NULL;
    const char *const *wanted = own ? &own : platforms;
    size_t wanted_count = own ? 1 : COUNT_OF(platforms);
    AUTO(buf) struct buf served = {0};
    bool open = false;
    for (size_t i = 0; i < j->compose.count; i++)
        open = open || is_open(j, i);
    for (size_t k = 0; open && k < wanted_count; k++)
        if (serves(j, wanted[k])) {
            buf_addf(&served, "%s%s", served.len ? " or " : "", wanted[k]);
            if (take_open(j, wanted[k], e))
                return -1;
        }
    if (open && !served.len && own)
        return err_set(e, ERR_NO_SUCH_PLATFORM, "not all of its images are there for '%s'", own);
    if (open && !served.len)
        return err_set(e, ERR_NO_SUCH_PLATFORM, "there is no platform that all of its images are there for");
    if (open && !own) {
        AUTO(buf) struct buf name = {0};
        out_escape(&name, j->target->name, strlen(j->target->name));
        judge_assume(j->v, "the device runs on %s: the container images of '%s' are there for nothing else",
                     buf_text(&served), buf_text(&name));
    }
    return 0;
}

/* ---- tarballs ---- */

static int judge_found(const struct judging *j, const struct image *image, const struct archive_found *found,
                       struct err *e)
{
    char hex[HASH_HEX_SIZE];
    (void)j;
    hash_hex(image->digest, hex);
    AUTO_FREE char *tag = mem_format("%s:digest_sha256_%s", image->service->image, hex);
    if (found->wrong)
        return err_set(e, ERR_BAD_IMAGE, "the tarball of image sha256:%s: %s", hex, found->wrong);
    if (memcmp(found->config, image->config, HASH_SIZE) != 0)
        return err_set(e, ERR_BAD_IMAGE, "the tarball of image sha256:%s holds another image", hex);
    if (strcmp(found->tag, tag) != 0)
        return err_set(e, ERR_BAD_IMAGE,
                       "the tarball of image sha256:%s has the tag '%s', the device expects '%s'", hex,
                       found->tag, tag);
    return 0;
}

static void judge_tarball(struct judging *j, const struct image *image)
{
    AUTO(archive_found) struct archive_found found = {0};
    char hex[HASH_HEX_SIZE];
    struct err e;
    hash_hex(image->digest, hex);
    AUTO_FREE char *path = mem_format(CONTAINER_TARBALLS, j->compose_hex, hex);
    if (j->files->tarball(j->files->ctx, path, &found, &e)) {
        if (e.id == ERR_MISSING_TARGET)
            set_missing("tarball", image->digest, &e);
        add_problem(j, &e, true);
    } else if (judge_found(j, image, &found, &e)) {
        add_problem(j, &e, true);
    } else if (found.odd) {
        err_set(&e, ERR_BAD_IMAGE, "the tarball of image sha256:%s: %s", hex, found.odd);
        add_problem(j, &e, false);
    }
}

static int find_images(struct judging *j, struct err *e)
{
    j->named = mem_zeroed(j->compose.count, sizeof *j->named);
    for (size_t i = 0; i < j->compose.count; i++)
        if (name_service(j, i, e))
            return err_context(e, "service '%s'", j->compose.services[i].name);
    for (size_t i = 0; i < j->compose.count; i++)
        if (!is_open(j, i) && take_settled(j, i, e))
            return err_context(e, "service '%s'", j->compose.services[i].name);
    return take_for_platforms(j, e);
}

static void judge_services(struct judging *j)
{
    struct err e;
    if (find_images(j, &e))
        add_problem(j, &e, true);
    for (size_t i = 0; i < j->image_count; i++)
        judge_tarball(j, &j->images[i]);
}
