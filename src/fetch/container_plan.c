/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/container_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fetch/compose_lines.h"
#include "fetch/image_name.h"

/* What devices run Torizon OS on, in their own words. */
static const char *const usual_platforms[] = {"linux/arm/v7", "linux/arm64"};

/* What a service names: a manifest or a list. */
struct named {
    struct repository *repository;
    struct image_manifest manifest;
};

struct planning {
    const struct container_request *request;
    struct container_plan plan;
    struct named *named; /* one per service */
};

static int name_all(struct planning *p, struct err *e);
static int choose_platforms(struct planning *p, struct err *e);
static int select_all(struct planning *p, struct err *e);

int container_plan_make(const struct container_request *r, const uint8_t compose[HASH_SIZE],
                        struct container_plan *ret, struct err *e)
{
    AUTO(buf) struct buf text = {0};
    struct planning p = {.request = r};
    if (store_get(r->store, compose, COMPOSE_BYTES_MAX, &text, e) ||
        compose_read(text.data, text.len, &p.plan.compose, e))
        return -1;
    size_t services = p.plan.compose.count;
    p.named = mem_zeroed(services, sizeof *p.named);
    int rc = name_all(&p, e) || choose_platforms(&p, e) || select_all(&p, e);
    for (size_t i = 0; i < services; i++)
        image_manifest_free(&p.named[i].manifest);
    free(p.named);
    if (rc) {
        container_plan_free(&p.plan);
        return -1;
    }
    *ret = p.plan;
    return 0;
}

void container_plan_free(struct container_plan *p)
{
    for (size_t i = 0; i < p->image_count; i++)
        image_manifest_free(&p->images[i].manifest);
    free(p->images);
    free(p->manifests);
    free(p->platforms);
    compose_free(&p->compose);
    *p = (struct container_plan){0};
}

/* ---- manifests ---- */

static void note_manifest(struct container_plan *plan, const uint8_t digest[HASH_SIZE], size_t size)
{
    for (size_t i = 0; i < plan->manifest_count; i++)
        if (!memcmp(plan->manifests[i].sha256, digest, HASH_SIZE))
            return;
    plan->manifests = mem_resize(plan->manifests, plan->manifest_count + 1, sizeof *plan->manifests);
    struct record_object *to = &plan->manifests[plan->manifest_count++];
    to->size = size;
    memcpy(to->sha256, digest, HASH_SIZE);
}

/* From the store where it is there: registries count who asks for manifests. */
static int get_manifest(struct planning *p, struct repository *repository, const uint8_t digest[HASH_SIZE],
                        struct image_manifest *ret, struct err *e)
{
    const struct store *s = p->request->store;
    AUTO(buf) struct buf bytes = {0};
    uint8_t stored[HASH_SIZE];
    char hex[HASH_HEX_SIZE];
    if (store_get(s, digest, IMAGE_JSON_MAX, &bytes, e) &&
        (repository_manifest(repository, digest, &bytes, e) ||
         store_put(s, bytes.data, bytes.len, stored, e)))
        return -1;
    hash_hex(digest, hex);
    if (image_manifest_parse(bytes.data, bytes.len, ret, e))
        return err_context(e, "manifest sha256:%s", hex);
    note_manifest(&p->plan, digest, bytes.len);
    return 0;
}

static int name_one(struct planning *p, const struct compose_service *service, struct named *ret,
                    struct err *e)
{
    AUTO(image_name) struct image_name name = {0};
    if (image_name_parse(service->image, strlen(service->image), &name, e) ||
        registries_find(p->request->registries, &name, &ret->repository, e))
        return -1;
    return get_manifest(p, ret->repository, service->digest, &ret->manifest, e);
}

static int name_all(struct planning *p, struct err *e)
{
    for (size_t i = 0; i < p->plan.compose.count; i++) {
        const struct compose_service *service = &p->plan.compose.services[i];
        if (name_one(p, service, &p->named[i], e))
            return err_context(e, "service '%s', image '%s'", service->name, service->image);
    }
    return 0;
}

/* ---- platforms ---- */

/* Does the device choose from the service's list by what it is itself? */
static bool is_open(const struct planning *p, size_t service)
{
    return p->named[service].manifest.is_list && !p->plan.compose.services[service].platform;
}

/* -1 where an image is not there for the platform, or there twice. */
static int try_platform(const struct planning *p, const char *platform, struct err *e)
{
    for (size_t i = 0; i < p->plan.compose.count; i++) {
        const struct compose_service *service = &p->plan.compose.services[i];
        const struct image_choice *choice;
        if (is_open(p, i) && image_manifest_choose(&p->named[i].manifest, platform, &choice, e))
            return err_context(e, "service '%s', image '%s'", service->name, service->image);
    }
    return 0;
}

/* A platform that was asked for must be there; of the usual ones, one is enough. */
static int choose_platforms(struct planning *p, struct err *e)
{
    const struct container_request *r = p->request;
    bool asked = r->platform_count > 0;
    size_t count = asked ? r->platform_count : COUNT_OF(usual_platforms);
    const char *const *platforms = asked ? r->platforms : usual_platforms;
    bool open = false;
    for (size_t i = 0; i < p->plan.compose.count; i++)
        open = open || is_open(p, i);
    if (!open)
        return 0; /* whoever wrote the compose file has chosen */
    p->plan.platforms = mem_zeroed(count, sizeof *p->plan.platforms);
    for (size_t i = 0; i < count; i++) {
        if (try_platform(p, platforms[i], e) == 0)
            p->plan.platforms[p->plan.platform_count++] = platforms[i];
        else if (asked || e->id != ERR_NO_SUCH_PLATFORM)
            return -1;
    }
    return p->plan.platform_count ? 0 : -1;
}

/* ---- images ---- */

/* The device loads a tarball once, under the name that the first of its services gives the image; a second
 * name would never be there. */
static int refuse_second_name(const struct planned_image *image, const struct compose_service *service,
                              struct err *e)
{
    if (!strcmp(image->service->image, service->image))
        return 0;
    err_set(
        e, ERR_COMPOSE_FORM,
        "the services '%s' and '%s' name one image in two ways, '%s' and '%s'; the device loads the first "
        "only",
        image->service->name, service->name, image->service->image, service->image);
    return err_hint(e, "name it the same in both");
}

static int add_image(struct planning *p, size_t service, const uint8_t digest[HASH_SIZE], struct err *e)
{
    struct container_plan *plan = &p->plan;
    const struct compose_service *s = &plan->compose.services[service];
    for (size_t i = 0; i < plan->image_count; i++)
        if (!memcmp(plan->images[i].digest, digest, HASH_SIZE))
            return refuse_second_name(&plan->images[i], s, e);
    plan->images = mem_resize(plan->images, plan->image_count + 1, sizeof *plan->images);
    struct planned_image *image = &plan->images[plan->image_count++];
    *image = (struct planned_image){.service = s, .repository = p->named[service].repository};
    memcpy(image->digest, digest, HASH_SIZE);
    if (get_manifest(p, image->repository, digest, &image->manifest, e))
        return -1;
    if (image->manifest.is_list)
        return err_set(e, ERR_BAD_MANIFEST, "the list names another list, where the device expects an image");
    return 0;
}

static int select_one(struct planning *p, size_t i, const char *platform, struct err *e)
{
    const struct image_choice *choice;
    return image_manifest_choose(&p->named[i].manifest, platform, &choice, e) ||
                   add_image(p, i, choice->manifest.sha256, e)
               ? -1
               : 0;
}

static int select_service(struct planning *p, size_t i, struct err *e)
{
    const struct compose_service *s = &p->plan.compose.services[i];
    if (!p->named[i].manifest.is_list)
        return add_image(p, i, s->digest, e);
    if (s->platform)
        return select_one(p, i, s->platform, e);
    for (size_t k = 0; k < p->plan.platform_count; k++)
        if (select_one(p, i, p->plan.platforms[k], e))
            return -1;
    return 0;
}

static int select_all(struct planning *p, struct err *e)
{
    for (size_t i = 0; i < p->plan.compose.count; i++) {
        const struct compose_service *s = &p->plan.compose.services[i];
        if (select_service(p, i, e))
            return err_context(e, "service '%s', image '%s'", s->name, s->image);
    }
    return 0;
}
