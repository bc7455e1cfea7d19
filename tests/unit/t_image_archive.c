/* SPDX-License-Identifier: Apache-2.0
 *
 * The tarball of an image, out of blobs of every packing; layer.h is tested along with it.
 */
#include <zlib.h>
#include <zstd.h>

#include "fetch/image_archive.h"
#include "store_fixture.h"

#define RAW_SIZE 100000u

static void fill(uint8_t *raw, size_t n, unsigned seed)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1103515245u + 12345;
        raw[i] = (uint8_t)(seed >> 16 & 15);
    }
}

static void add_gzip(struct buf *to, const void *raw, size_t n)
{
    z_stream z = {.next_in = (void *)raw, .avail_in = (uInt)n};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.avail_out = (uInt)deflateBound(&z, n);
    z.next_out = buf_reserve(to, z.avail_out);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    to->len += z.total_out;
    deflateEnd(&z);
}

/* As a pipe does it: without the size in the frame's header. */
static void add_zstd(struct buf *to, const void *raw, size_t n)
{
    ZSTD_CCtx *z = ZSTD_createCCtx();
    ZSTD_inBuffer in = {raw, n, 0};
    size_t room = ZSTD_compressBound(n) + 64;
    ZSTD_outBuffer out = {buf_reserve(to, room), room, 0};
    ZSTD_CCtx_setParameter(z, ZSTD_c_contentSizeFlag, 0);
    assert_int_equal(ZSTD_compressStream2(z, &out, &in, ZSTD_e_end), 0);
    to->len += out.pos;
    ZSTD_freeCCtx(z);
}

static void put_layer(const struct store_fixture *f, const struct buf *blob, const void *raw, size_t n,
                      struct record_layer *ret)
{
    struct err e;
    ret->blob.size = blob->len;
    assert_int_equal(store_put(&f->store, blob->data, blob->len, ret->blob.sha256, &e), 0);
    hash_of(raw, n, ret->diff_id);
}

static void put_config(const struct store_fixture *f, struct record_image *image)
{
    static const char text[] = "{\"rootfs\":{}}";
    struct err e;
    image->config.size = strlen(text);
    assert_int_equal(store_put(&f->store, text, strlen(text), image->config.sha256, &e), 0);
}

static void assert_measured(const struct store_fixture *f, struct record_image *image)
{
    struct err e;
    if (image_archive_measure(&f->store, image, NULL, &e))
        fail_msg("%s", e.message);
}

/* What is read of the archive is what was measured. */
static void assert_reads_as_measured(const struct store_fixture *f, const struct record_image *image)
{
    AUTO(image_archive) struct image_archive a = {0};
    AUTO(buf) struct buf all = {0};
    uint8_t digest[HASH_SIZE];
    struct err e;
    image_archive_make(&f->store, image, &a);
    for (size_t i = 0; i < a.count; i++) {
        void *stream;
        ssize_t n;
        size_t start = all.len;
        assert_int_equal(a.contents[i].source->open(a.contents[i].ctx, &stream, &e), 0);
        while ((n = a.contents[i].source->read(stream, buf_reserve(&all, 777), 777, &e)) > 0)
            all.len += (size_t)n;
        assert_int_equal(n, 0);
        a.contents[i].source->close(stream);
        assert_int_equal(all.len - start, a.contents[i].size);
        hash_of(all.data + start, all.len - start, digest);
        assert_memory_equal(digest, a.contents[i].sha256, HASH_SIZE);
    }
    assert_int_equal(all.len, image->tarball.size);
    assert_int_equal(all.len % 512, 0);
    hash_of(all.data, all.len, digest);
    assert_memory_equal(digest, image->tarball.sha256, HASH_SIZE);
}

static void every_packing_gives_the_same_tarball(void **state)
{
    const struct store_fixture *f = *state;
    static uint8_t raw[RAW_SIZE];
    uint8_t first[HASH_SIZE];
    fill(raw, RAW_SIZE, 1);
    for (int packing = 0; packing < 5; packing++) {
        AUTO(buf) struct buf blob = {0};
        struct record_layer layer = {0};
        struct record_image image = {
            .tag = (char *)"web:digest_sha256_0", .layers = &layer, .layer_count = 1};
        if (packing == 0) {
            buf_add(&blob, raw, RAW_SIZE);
        } else if (packing == 1) {
            add_gzip(&blob, raw, RAW_SIZE);
        } else if (packing == 2) { /* two members, of which the last one's size is a wrong guess */
            add_gzip(&blob, raw, 100);
            add_gzip(&blob, raw + 100, RAW_SIZE - 100);
        } else if (packing == 3) {
            add_zstd(&blob, raw, RAW_SIZE);
        } else {
            buf_add(&blob, "\x50\x2a\x4d\x18\x04\0\0\0skip", 12);
            add_zstd(&blob, raw, 100);
            add_zstd(&blob, raw + 100, RAW_SIZE - 100);
        }
        put_layer(f, &blob, raw, RAW_SIZE, &layer);
        put_config(f, &image);
        assert_measured(f, &image);
        assert_int_equal(layer.size, RAW_SIZE);
        assert_reads_as_measured(f, &image);
        if (packing == 0)
            memcpy(first, image.tarball.sha256, HASH_SIZE);
        assert_memory_equal(first, image.tarball.sha256, HASH_SIZE);
    }
}

static void a_layer_that_is_there_twice_is_one_file(void **state)
{
    const struct store_fixture *f = *state;
    AUTO(buf) struct buf blob = {0};
    struct record_layer layers[3] = {{.size = 0}};
    struct record_image image = {.tag = (char *)"web:digest_sha256_0", .layers = layers, .layer_count = 3};
    buf_add_text(&blob, "not even a tar");
    for (int i = 0; i < 3; i++)
        put_layer(f, &blob, blob.data, blob.len, &layers[i]);
    put_config(f, &image);
    assert_measured(f, &image);
    assert_reads_as_measured(f, &image);
    assert_int_equal(image.tarball.size, 512 + 512 + 512 + 512 + 512 + 512 + 1024);
}

static void an_image_may_have_no_layers(void **state)
{
    const struct store_fixture *f = *state;
    struct record_image image = {.tag = (char *)"scratch:digest_sha256_0"};
    put_config(f, &image);
    assert_measured(f, &image);
    assert_reads_as_measured(f, &image);
}

static void refused(const struct store_fixture *f, const struct buf *blob, const uint8_t diff_id[HASH_SIZE],
                    enum err_id id)
{
    struct record_layer layer = {0};
    struct record_image image = {.tag = (char *)"web:digest_sha256_0", .layers = &layer, .layer_count = 1};
    struct err e = {0};
    put_layer(f, blob, "", 0, &layer);
    memcpy(layer.diff_id, diff_id, HASH_SIZE);
    put_config(f, &image);
    assert_int_equal(image_archive_measure(&f->store, &image, NULL, &e), -1);
    assert_string_equal(err_name(e.id), err_name(id));
}

static void what_is_damaged_or_another_layer_is_refused(void **state)
{
    const struct store_fixture *f = *state;
    static uint8_t raw[RAW_SIZE];
    uint8_t right[HASH_SIZE], wrong[HASH_SIZE] = {0};
    AUTO(buf) struct buf gzip = {0}, zstd = {0};
    fill(raw, RAW_SIZE, 2);
    hash_of(raw, RAW_SIZE, right);
    add_gzip(&gzip, raw, RAW_SIZE);
    add_zstd(&zstd, raw, RAW_SIZE);
    refused(f, &gzip, wrong, ERR_WRONG_HASH);
    gzip.len -= 5;
    refused(f, &gzip, right, ERR_BAD_IMAGE);
    gzip.len += 5;
    buf_add_text(&gzip, "after its end");
    refused(f, &gzip, right, ERR_BAD_IMAGE);
    zstd.len -= 5;
    refused(f, &zstd, right, ERR_BAD_IMAGE);
}

static void a_bomb_is_stopped_at_its_limit(void **state)
{
    const struct store_fixture *f = *state;
    const uint8_t any[HASH_SIZE] = {0};
    AUTO(buf) struct buf zeros = {0}, gzip = {0};
    size_t part = 32u << 20;
    memset(buf_reserve(&zeros, part), 0, part);
    add_gzip(&gzip, zeros.data, part);
    size_t one = gzip.len;
    while (gzip.len < one * 12) { /* 384 MiB in all */
        buf_reserve(&gzip, one);
        buf_add(&gzip, gzip.data, one);
    }
    refused(f, &gzip, any, ERR_TOO_LARGE);
}

static void a_limit_never_overflows(void **state)
{
    (void)state;
    assert_int_equal(layer_limit(0), LAYER_GROWTH_FREE);
    assert_int_equal(layer_limit(1u << 20), LAYER_GROWTH_FREE + (uint64_t)LAYER_GROWTH_MAX * (1u << 20));
    assert_int_equal(layer_limit(UINT64_MAX), LAYER_RAW_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(every_packing_gives_the_same_tarball),
        store_test(a_layer_that_is_there_twice_is_one_file),
        store_test(an_image_may_have_no_layers),
        store_test(what_is_damaged_or_another_layer_is_refused),
        store_test(a_bomb_is_stopped_at_its_limit),
        cmocka_unit_test(a_limit_never_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
