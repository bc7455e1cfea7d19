/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/survey.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "lockbox/content_check.h"
#include "usb-tools/export_squashfs.h"

const char *survey_kind_word(enum survey_kind kind)
{
    static const char *const words[] = {
        [SURVEY_BUNDLE] = "bundle", [SURVEY_FOLDER] = "plain", [SURVEY_IMAGE] = "squashfs"};
    return words[kind];
}

static struct survey_item *add_item(struct survey *c, enum survey_kind kind, const char *path)
{
    c->items = mem_resize(c->items, c->count + 1, sizeof *c->items);
    struct survey_item *item = &c->items[c->count++];
    *item = (struct survey_item){.kind = kind, .path = mem_strdup(path), .verdict.valid_until = INT64_MAX};
    return item;
}

/* What keeps an item from being judged at all. */
static void set_unreadable(struct survey_item *item, const struct err *e)
{
    item->verdict.outcome = VERDICT_REFUSE;
    judge_add_problem(&item->verdict, e->id, "", true, "%s", e->message);
}

static void take_signers(struct survey_item *item, const struct bundle *b)
{
    item->signer_count = bundle_signature_count(b);
    item->signers = mem_zeroed(item->signer_count, sizeof *item->signers);
    for (size_t i = 0; i < item->signer_count; i++) {
        struct bundle_signature s = bundle_signature_at(b, i);
        memcpy(item->signers[i].public_key, s.public_key, SIGN_PUBLIC_SIZE);
        item->signers[i].comment = mem_strdup(s.comment);
    }
}

static int judge_bundle(struct survey_item *item, struct bundle *b, const struct survey_options *o,
                        struct err *e)
{
    AUTO(roles) struct roles roles = {0};
    item->opened = true;
    item->member_count = bundle_member_count(b);
    bundle_sizes(b, &item->stored_bytes, &item->raw_bytes);
    take_signers(item, b);
    if (roles_from_bundle(b, &roles, e) || needs_from_bundle(b, &item->needs, e) ||
        judge_roles(&o->judge, &roles, NULL, &item->verdict, e))
        return -1;
    needs_judge(&item->needs, o->judge.device, &item->verdict);
    return content_check_bundle(b, &item->needs, &item->verdict,
                                o->metadata_only ? CONTENT_INDEX : CONTENT_ALL, o->progress, e);
}

static void assume_payload(struct survey_item *item, const struct survey_options *o)
{
    if (o->metadata_only && item->opened)
        judge_assume(&item->verdict,
                     "the packages are there and are what they should be: they were not read");
}

static void survey_bundle(struct survey *c, int dirfd, const char *name, const char *shown,
                          const struct survey_options *o)
{
    struct survey_item *item = add_item(c, SURVEY_BUNDLE, shown);
    struct bundle *b = NULL;
    struct err e;
    if (bundle_open_from(dirfd, name, o->elsewhere, &b, &e) || judge_bundle(item, b, o, &e))
        set_unreadable(item, &e);
    assume_payload(item, o);
    bundle_close(b);
}

static bool has_problem(const struct verdict *v, enum err_id id)
{
    for (size_t i = 0; i < v->problem_count; i++)
        if (v->problems[i].id == id)
            return true;
    return false;
}

/* The client polls one folder, by its name. */
static void check_source(int dirfd, const struct device *device, struct verdict *v)
{
    char link[64], path[PATH_MAX];
    AUTO_FREE char *source = device && device->source ? mem_strdup(device->source) : NULL;
    for (size_t end = source ? strlen(source) : 0; end > 1 && source[end - 1] == '/'; end--)
        source[end - 1] = '\0'; /* the client's own default ends in one */
    const char *wanted = source ? strrchr(source, '/') : NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (!wanted || !wanted[1] || len <= 0)
        return;
    path[len] = '\0';
    const char *name = strrchr(path, '/');
    if (name && strcmp(name, wanted) != 0)
        judge_add_unseen(v, "the device looks for a folder '%s', and this one is '%s'", wanted + 1, name + 1);
}

/* Without an image repository nothing vouches for the contents, and no device would look at them. */
static void survey_folder(struct survey *c, int dirfd, const char *shown, const struct survey_options *o)
{
    struct survey_item *item = add_item(c, SURVEY_FOLDER, shown);
    AUTO(roles) struct roles roles = {0};
    struct err e;
    if (roles_from_folder(dirfd, &roles, &e) || judge_roles(&o->judge, &roles, NULL, &item->verdict, &e)) {
        set_unreadable(item, &e);
        return;
    }
    item->opened = true;
    needs_from_folder(dirfd, &item->needs);
    needs_judge(&item->needs, o->judge.device, &item->verdict);
    if (!o->metadata_only && !has_problem(&item->verdict, ERR_MISSING_IMAGE_REPO))
        content_check_folder(dirfd, &item->needs, &item->verdict, o->progress);
    check_source(dirfd, o->judge.device, &item->verdict);
    assume_payload(item, o);
}

/* ---- an image ---- */

#define SIGNATURE_MAX 2048u /* of an RSA key of 16 384 bits */

static void check_image_signature(struct verdict *v, int dirfd, const char *image, int fd,
                                  const struct file_verifier *key)
{
    AUTO_FREE char *name = mem_format("%s.sig", image);
    AUTO(buf) struct buf signature = {0};
    struct err e;
    int rc = fs_read_at(dirfd, name, SIGNATURE_MAX, &signature, &e);
    if (!key && (rc == 0 || e.id != ERR_NO_SUCH_PATH))
        judge_assume(v, "the image's signature is right: no key was given to check it by");
    if (key && (rc || file_verifier_check(key, fd, signature.data, signature.len, &e)))
        judge_add_unmet(v, ERR_IMAGE_SIGNATURE, "", "the image's signature '%s': %s", name, e.message);
}

static int judge_image(struct survey_item *item, struct squashfs_image *image, const struct survey_options *o,
                       struct err *e)
{
    AUTO(roles) struct roles roles = {0};
    const struct bundle_taker take_roles = {roles_take, &roles}, take_needs = {needs_take, &item->needs};
    item->opened = true;
    if (squashfs_image_read_metadata(image, &take_roles, e) ||
        squashfs_image_read_metadata(image, &take_needs, e) ||
        judge_roles(&o->judge, &roles, NULL, &item->verdict, e))
        return -1;
    needs_judge(&item->needs, o->judge.device, &item->verdict);
    if (o->metadata_only || has_problem(&item->verdict, ERR_MISSING_IMAGE_REPO))
        return 0;
    return content_check_image(image, &item->needs, &item->verdict, o->progress, e);
}

static void survey_image(struct survey *c, int dirfd, const char *name, int fd, const char *shown,
                         const struct survey_options *o)
{
    struct survey_item *item = add_item(c, SURVEY_IMAGE, shown);
    struct squashfs_image *image = NULL;
    struct err e;
    if (squashfs_image_open(fd, &image, &e) || judge_image(item, image, o, &e))
        set_unreadable(item, &e);
    check_image_signature(&item->verdict, dirfd, name, fd, o->image_key);
    assume_payload(item, o);
    squashfs_image_close(image);
}

static bool has_folder(int dirfd, const char *name)
{
    struct stat st;
    return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* ---- a stick ---- */

struct stick {
    struct survey *survey;
    const struct survey_options *options;
    const char *path; /* of the folder that is looked through */
    int fd;
};

static bool ends_in(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len > end_len && !strcmp(text + len - end_len, end);
}

static int survey_stick_entry(void *ctx, const char *name, struct err *e)
{
    struct stick *s = ctx;
    (void)e;
    if (name[0] == '.' || !ends_in(name, ".lockbox"))
        return 0;
    AUTO_FREE char *shown = mem_format("%s/%s", s->path, name);
    survey_bundle(s->survey, s->fd, name, shown, s->options);
    return 0;
}

/* The bundles of airlock/, the bundles that lie beside it, the directory that a stock device reads, and its
 * image.
 */
static int survey_stick(struct survey *c, int dirfd, const char *path, const struct survey_options *o,
                        struct err *e)
{
    struct stick top = {.survey = c, .options = o, .path = path, .fd = dirfd};
    AUTO_FD int airlock = -1;
    AUTO_FD int update = -1;
    c->is_stick = true;
    if (has_folder(dirfd, "airlock")) {
        AUTO_FREE char *shown = mem_format("%s/airlock", path);
        struct stick inside = top;
        inside.path = shown;
        if (fs_open_dir_at(dirfd, "airlock", false, &airlock, e))
            return -1;
        inside.fd = airlock;
        if (fs_each(airlock, survey_stick_entry, &inside, e))
            return -1;
    }
    if (fs_each(dirfd, survey_stick_entry, &top, e))
        return -1;
    if (has_folder(dirfd, "update/metadata")) {
        AUTO_FREE char *shown = mem_format("%s/update", path);
        if (fs_open_dir_at(dirfd, "update", false, &update,
                           e)) /* a link, say: no reason to leave the others out */
            set_unreadable(add_item(c, SURVEY_FOLDER, shown), e);
        else
            survey_folder(c, update, shown, o);
    }
    if (faccessat(dirfd, SQUASHFS_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        AUTO_FREE char *shown = mem_format("%s/%s", path, SQUASHFS_NAME);
        AUTO_FD int image = -1;
        if (fs_open_at(dirfd, SQUASHFS_NAME, O_RDONLY, 0, &image, e))
            set_unreadable(add_item(c, SURVEY_IMAGE, shown), e);
        else
            survey_image(c, dirfd, SQUASHFS_NAME, image, shown, o);
    }
    if (c->count == 0)
        return err_set(e, ERR_NOT_A_LOCKBOX, "'%s' holds no lockbox", path);
    return 0;
}

static int survey_directory(struct survey *c, const char *path, const struct survey_options *o, struct err *e)
{
    AUTO_FD int fd = -1;
    if (fs_open_dir(path, &fd, e))
        return -1;
    if (!has_folder(fd, "metadata"))
        return survey_stick(c, fd, path, o, e);
    survey_folder(c, fd, path, o);
    return 0;
}

static int survey_file(struct survey *c, const char *path, const struct survey_options *o, struct err *e)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *folder = slash ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup(".");
    const char *name = slash ? slash + 1 : path;
    AUTO_FD int dirfd = -1;
    AUTO_FD int fd = -1;
    struct err none;
    if (fs_open_dir(folder, &dirfd, e))
        return -1;
    if (fs_open_at(dirfd, name, O_RDONLY, 0, &fd, &none) == 0 && squashfs_is_image(fd))
        survey_image(c, dirfd, name, fd, path, o);
    else
        survey_bundle(c, dirfd, name, path, o);
    return 0;
}

int survey_path(const char *path, const struct survey_options *options, struct survey *ret, struct err *e)
{
    struct stat st;
    AUTO(survey) struct survey c = {0};
    if (stat(path, &st))
        return err_errno(e, errno == ENOENT || errno == ENOTDIR ? ERR_NO_SUCH_PATH : ERR_SYSTEM, "'%s'",
                         path);
    if (S_ISDIR(st.st_mode) ? survey_directory(&c, path, options, e) : survey_file(&c, path, options, e))
        return -1;
    *ret = c;
    c = (struct survey){0};
    return 0;
}

void survey_name_signers(struct survey *c, const struct signers *known, const struct sign_key *own)
{
    for (size_t i = 0; i < c->count; i++) {
        c->items[i].unknown_matters = known->count > 0;
        for (size_t k = 0; k < c->items[i].signer_count; k++) {
            struct survey_signer *signer = &c->items[i].signers[k];
            const struct signer *found = signers_find(known, signer->public_key);
            bool is_own = own && !memcmp(own->public_key, signer->public_key, SIGN_PUBLIC_SIZE);
            if (found || is_own)
                signer->known_as = mem_strdup(found ? found->name : SURVEY_THIS_COMPUTER);
        }
    }
}

void survey_require_signer(struct survey_item *item, const uint8_t key[SIGN_PUBLIC_SIZE])
{
    for (size_t i = 0; i < item->signer_count; i++)
        if (!memcmp(item->signers[i].public_key, key, SIGN_PUBLIC_SIZE))
            return;
    judge_add_unmet(&item->verdict, ERR_BUNDLE_SIGNER, "",
                    item->kind == SURVEY_BUNDLE ? "the bundle is not packed by the required key"
                                                : "it is not a bundle, so nobody's key packed it");
}

void survey_free(struct survey *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct survey_item *item = &c->items[i];
        for (size_t k = 0; k < item->signer_count; k++) {
            free(item->signers[k].comment);
            free(item->signers[k].known_as);
        }
        free(item->signers);
        free(item->path);
        verdict_free(&item->verdict);
    }
    free(c->items);
    *c = (struct survey){0};
}
