/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/image_archive.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bundle-format/tar.h"

/* ---- the list of contents ---- */

static void add_content(struct image_archive *a, const uint8_t sha256[HASH_SIZE], uint64_t size,
                        const struct content_source *source, void *ctx)
{
    struct content *c = &a->contents[a->count++];
    *c = (struct content){.size = size, .source = source, .ctx = ctx};
    memcpy(c->sha256, sha256, HASH_SIZE);
    a->size += size;
}

/* Takes the bytes over: headers and padding that were gathered between two larger pieces. */
static void add_bytes(struct image_archive *a, struct buf *bytes)
{
    uint8_t sha256[HASH_SIZE];
    struct content_bytes *b = &a->bytes[a->byte_count++];
    hash_of(bytes->data, bytes->len, sha256);
    *b = (struct content_bytes){.bytes = bytes->data, .len = bytes->len};
    *bytes = (struct buf){0};
    add_content(a, sha256, b->len, &content_from_bytes, b);
}

static void add_zeros(struct buf *to, size_t n)
{
    memset(buf_reserve(to, n), 0, n);
    to->len += n;
}

/* An image may hold the same layer twice, a tarball no file. */
static bool is_repeated(const struct record_image *image, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (!memcmp(image->layers[k].diff_id, image->layers[i].diff_id, HASH_SIZE))
            return true;
    return false;
}

static void add_layer(struct image_archive *a, const struct store *s, const struct record_layer *l,
                      struct buf *between)
{
    char hex[HASH_HEX_SIZE];
    struct layer *layer = &a->layers[a->byte_count];
    struct read_ahead *ahead = &a->ahead[a->byte_count];
    hash_hex(l->diff_id, hex);
    AUTO_FREE char *path = mem_format("%s/layer.tar", hex);
    tar_add_header(between, path, l->size);
    *layer = (struct layer){.store = s, .blob_size = l->blob.size, .limit = l->size};
    memcpy(layer->blob, l->blob.sha256, HASH_SIZE);
    *ahead = (struct read_ahead){&content_from_layer, layer};
    add_bytes(a, between);
    add_content(a, l->diff_id, l->size, &content_read_ahead, ahead);
    add_zeros(between, tar_padding(l->size));
}

static void add_config(struct image_archive *a, const struct store *s, const struct record_object *config,
                       struct buf *between)
{
    char hex[HASH_HEX_SIZE];
    hash_hex(config->sha256, hex);
    AUTO_FREE char *path = mem_format("%s.json", hex);
    tar_add_header(between, path, config->size);
    store_object_path(config->sha256, a->config_path);
    a->config = (struct content_file){.dirfd = s->cache_fd, .path = a->config_path};
    add_bytes(a, between);
    add_content(a, config->sha256, config->size, &content_from_file, &a->config);
    add_zeros(between, tar_padding(config->size));
}

/* Tag and hashes hold nothing that JSON would have to escape (image_name.h). */
static void add_manifest(struct image_archive *a, const struct record_image *image, struct buf *between)
{
    AUTO(buf) struct buf text = {0};
    char hex[HASH_HEX_SIZE];
    hash_hex(image->config.sha256, hex);
    buf_addf(&text, "[{\"Config\":\"%s.json\",\"RepoTags\":[\"%s\"],\"Layers\":[", hex, image->tag);
    for (size_t i = 0; i < image->layer_count; i++) {
        hash_hex(image->layers[i].diff_id, hex);
        buf_addf(&text, "%s\"%s/layer.tar\"", i ? "," : "", hex);
    }
    buf_add_text(&text, "]}]\n");
    tar_add_header(between, "manifest.json", text.len);
    buf_add(between, text.data, text.len);
    add_zeros(between, tar_padding(text.len) + TAR_END);
    add_bytes(a, between);
}

void image_archive_make(const struct store *s, const struct record_image *image, struct image_archive *ret)
{
    struct buf between = {0};
    *ret = (struct image_archive){
        .contents = mem_zeroed(2 * image->layer_count + 3, sizeof *ret->contents),
        .bytes = mem_zeroed(image->layer_count + 2, sizeof *ret->bytes),
        .layers = mem_zeroed(image->layer_count, sizeof *ret->layers),
        .ahead = mem_zeroed(image->layer_count, sizeof *ret->ahead),
    };
    for (size_t i = 0; i < image->layer_count; i++)
        if (!is_repeated(image, i))
            add_layer(ret, s, &image->layers[i], &between);
    add_config(ret, s, &image->config, &between);
    add_manifest(ret, image, &between);
}

void image_archive_free(struct image_archive *a)
{
    for (size_t i = 0; i < a->byte_count; i++)
        free((void *)a->bytes[i].bytes);
    free(a->bytes);
    free(a->layers);
    free(a->ahead);
    free(a->contents);
    *a = (struct image_archive){0};
}

/* ---- measuring ---- */

#define CHUNK (256u << 10) /* hashed twice while still in the processor's cache */

struct measuring {
    struct hash *tarball, *content;
    uint8_t *chunk;
    struct progress *progress;
};

/* Whatever comes, to its end. */
static int hash_content(struct measuring *m, const struct content *c, uint8_t ret_digest[HASH_SIZE],
                        uint64_t *ret_size, struct err *e)
{
    void *stream;
    ssize_t n;
    *ret_size = 0;
    if (c->source->open(c->ctx, &stream, e))
        return -1;
    while ((n = c->source->read(stream, m->chunk, CHUNK, e)) > 0) {
        hash_update(m->content, m->chunk, (size_t)n);
        hash_update(m->tarball, m->chunk, (size_t)n);
        *ret_size += (uint64_t)n;
        progress_add(m->progress, (uint64_t)n);
    }
    hash_final(m->content, ret_digest);
    c->source->close(stream);
    return n < 0 ? -1 : 0;
}

static void set_layer_size(struct record_image *image, const uint8_t diff_id[HASH_SIZE], uint64_t size)
{
    for (size_t i = 0; i < image->layer_count; i++)
        if (!memcmp(image->layers[i].diff_id, diff_id, HASH_SIZE))
            image->layers[i].size = size;
}

static int check_content(const struct content *c, const uint8_t digest[HASH_SIZE], struct err *e)
{
    char wanted[HASH_HEX_SIZE], got[HASH_HEX_SIZE];
    if (!memcmp(digest, c->sha256, HASH_SIZE))
        return 0;
    hash_hex(c->sha256, wanted);
    hash_hex(digest, got);
    err_set(e, ERR_WRONG_HASH, "a layer unpacks to sha256:%s, the image's config says sha256:%s", got,
            wanted);
    return err_hint(e, "the image is broken in its registry: build and push it again");
}

/* Hashes the tarball with the sizes that the image has now. *ret_right: they were right. */
static int measure_once(struct measuring *m, const struct store *s, struct record_image *image,
                        bool *ret_right, struct err *e)
{
    AUTO(image_archive) struct image_archive a = {0};
    image_archive_make(s, image, &a);
    for (size_t i = 0; i < image->layer_count; i++)
        a.layers[i].limit = 0; /* its size is not known yet */
    *ret_right = true;
    for (size_t i = 0; i < a.count; i++) {
        const struct content *c = &a.contents[i];
        bool is_layer = c->source == &content_read_ahead;
        uint8_t digest[HASH_SIZE];
        uint64_t size;
        if (hash_content(m, c, digest, &size, e) || check_content(c, digest, e))
            return -1;
        if (is_layer)
            set_layer_size(image, c->sha256, size);
        *ret_right = *ret_right && size == c->size;
    }
    hash_final(m->tarball, image->tarball.sha256);
    image->tarball.size = a.size;
    return 0;
}

/* A tar header gives the size before the content, so the tarball can be hashed in one pass only if the size
 * of each layer is guessed. The guess is almost always right; if not, a second pass follows. */
static void guess_sizes(const struct store *s, struct record_image *image)
{
    for (size_t i = 0; i < image->layer_count; i++) {
        struct record_layer *l = &image->layers[i];
        struct layer layer = {.store = s, .blob_size = l->blob.size};
        memcpy(layer.blob, l->blob.sha256, HASH_SIZE);
        if (!layer_guess_size(&layer, &l->size) || l->size > LAYER_RAW_MAX)
            l->size = 0;
    }
}

int image_archive_measure(const struct store *s, struct record_image *image, struct progress *progress,
                          struct err *e)
{
    struct measuring m = {
        .tarball = hash_new(), .content = hash_new(), .chunk = mem_zeroed(CHUNK, 1), .progress = progress};
    bool right = false;
    guess_sizes(s, image);
    int rc = measure_once(&m, s, image, &right, e);
    if (rc == 0 && !right)
        rc = measure_once(&m, s, image, &right, e);
    if (rc == 0 && !right)
        rc = err_set(e, ERR_INTERNAL, "a layer changes its size while it is read");
    hash_delete(m.tarball);
    hash_delete(m.content);
    free(m.chunk);
    return rc;
}
