/* SPDX-License-Identifier: Apache-2.0
 *
 * What is left of a bundle, part by part: each kind of damage costs the frames that it hits and the members
 * in them, and nothing else.
 */
#include "bundle_fixture.h"

#include "bundle-format/examine.h"
#include "bundle-format/head.h"
#include "bundle-format/volume.h"

static struct fixture fixture; /* too large for a stack */
#define NOISE 1500000u         /* of each image: more than a frame of the writer's, less than two */

/* Two volumes: "a" and "b" in the first, "c" in the second, which begins with the end of "b" or after it. */
static void write_bundle(bool single)
{
    const struct bundle_options options = {.keep_cache = true, .single = single, .volume_bytes = 3500000};
    static const char *const images[] = {"images/a", "images/b", "images/c"};
    fixture_open(&fixture);
    fixture_add(&fixture, "metadata/root.json", "{}", 2);
    for (size_t i = 0; i < COUNT_OF(images); i++) {
        AUTO(buf) struct buf noise = {0};
        fixture_noise(&noise, NOISE, i + 1);
        fixture_add(&fixture, images[i], noise.data, noise.len);
    }
    fixture_write(&fixture, &options);
}

static void read_whole(const char *name, struct buf *ret)
{
    struct err e;
    assert_return_code(fs_read_at(fixture.dirfd, name, 16u << 20, ret, &e), 0);
}

static void write_whole(const char *name, const void *bytes, size_t n)
{
    struct err e;
    assert_return_code(fs_replace_at(fixture.dirfd, name, bytes, n, 0644, &e), 0);
}

/* Examines, and compares with what each frame must be; members follow from frames. */
static void assert_states(enum part_state bundle, enum part_state frame(const struct part_frame *f))
{
    struct examination x;
    bundle_examine(fixture.dirfd, FIXTURE_NAME, NULL, &x);
    assert_string_equal(part_state_word(x.state), part_state_word(bundle));
    assert_int_equal(x.member_count, 4);
    assert_in_range(x.frame_count, 4, 100);
    for (size_t i = 0; i < x.frame_count; i++)
        if (x.frames[i].state != frame(&x.frames[i]))
            fail_msg("the frame at %llu of volume %u is %s", (unsigned long long)x.frames[i].offset,
                     x.frames[i].volume, part_state_word(x.frames[i].state));
    examination_free(&x);
}

static void assert_members(const enum part_state expected[4])
{
    struct examination x;
    bundle_examine(fixture.dirfd, FIXTURE_NAME, NULL, &x);
    for (size_t i = 0; i < x.member_count; i++) {
        assert_string_equal(x.members[i].path, fixture.members[i].path);
        if (x.members[i].state != expected[i])
            fail_msg("'%s' is %s", x.members[i].path, part_state_word(x.members[i].state));
    }
    examination_free(&x);
}

static enum part_state all_ok(const struct part_frame *f)
{
    (void)f;
    return PART_OK;
}

static uint64_t damaged_at; /* a byte of volume 1 */
static enum part_state damaged_there(const struct part_frame *f)
{
    bool hit = f->volume == 1 && f->offset <= damaged_at && damaged_at < f->offset + f->stored;
    return hit ? PART_DAMAGED : PART_OK;
}

static enum part_state second_missing(const struct part_frame *f)
{
    return f->volume == 2 ? PART_MISSING : PART_OK;
}

static enum part_state second_foreign(const struct part_frame *f)
{
    return f->volume == 2 ? PART_FOREIGN : PART_OK;
}

static uint64_t ends_at; /* of volume 1 */
static enum part_state missing_from_there(const struct part_frame *f)
{
    return f->volume == 1 && f->offset + f->stored > ends_at ? PART_MISSING : PART_OK;
}

static void a_good_bundle_is_ok_throughout(void **state)
{
    (void)state;
    for (unsigned single = 0; single < 2; single++) {
        write_bundle(single);
        assert_states(PART_OK, all_ok);
        assert_members((enum part_state[]){PART_OK, PART_OK, PART_OK, PART_OK});
        fixture_close(&fixture);
    }
}

static void a_damaged_frame_costs_its_members(void **state)
{
    (void)state;
    AUTO(buf) struct buf volume = {0};
    write_bundle(false);
    read_whole(FIXTURE_NAME ".001", &volume);
    damaged_at = VOLUME_SIZE;
    volume.data[damaged_at] ^= 1;
    write_whole(FIXTURE_NAME ".001", volume.data, volume.len);
    assert_states(PART_DAMAGED, damaged_there);
    assert_members((enum part_state[]){PART_OK, PART_DAMAGED, PART_OK, PART_OK});
    volume.data[damaged_at] ^= 1;
    damaged_at = volume.len - 1;
    volume.data[damaged_at] ^= 1;
    write_whole(FIXTURE_NAME ".001", volume.data, volume.len);
    assert_states(PART_DAMAGED, damaged_there);
    fixture_close(&fixture);
}

static void a_frame_with_two_members_costs_both(void **state)
{
    (void)state;
    AUTO(buf) struct buf volume = {0};
    write_bundle(false);
    read_whole(FIXTURE_NAME ".001", &volume);
    damaged_at = VOLUME_SIZE + NOISE; /* the frame there ends "a" and begins "b" */
    volume.data[damaged_at] ^= 1;
    write_whole(FIXTURE_NAME ".001", volume.data, volume.len);
    assert_states(PART_DAMAGED, damaged_there);
    assert_members((enum part_state[]){PART_OK, PART_DAMAGED, PART_DAMAGED, PART_OK});
    fixture_close(&fixture);
}

static void a_lost_and_a_foreign_volume_are_told_apart(void **state)
{
    (void)state;
    AUTO(buf) struct buf volume = {0};
    write_bundle(false);
    read_whole(FIXTURE_NAME ".002", &volume);
    assert_return_code(unlinkat(fixture.dirfd, FIXTURE_NAME ".002", 0), 0);
    assert_states(PART_MISSING, second_missing);
    volume.data[20] ^= 1; /* in its id */
    write_whole(FIXTURE_NAME ".002", volume.data, volume.len);
    assert_states(PART_FOREIGN, second_foreign);
    fixture_close(&fixture);
}

static void behind_an_early_end_frames_are_missing(void **state)
{
    (void)state;
    AUTO(buf) struct buf volume = {0};
    write_bundle(false);
    read_whole(FIXTURE_NAME ".001", &volume);
    ends_at = volume.len / 2;
    write_whole(FIXTURE_NAME ".001", volume.data, ends_at);
    assert_states(PART_DAMAGED, missing_from_there);
    fixture_close(&fixture);
}

static void a_head_that_is_not_good_names_nothing(void **state)
{
    (void)state;
    AUTO(buf) struct buf head = {0};
    struct examination x;
    write_bundle(false);
    read_whole(FIXTURE_NAME, &head);
    head.data[head.len / 2] ^= 1;
    write_whole(FIXTURE_NAME, head.data, head.len);
    bundle_examine(fixture.dirfd, FIXTURE_NAME, NULL, &x);
    assert_int_not_equal(x.state, PART_OK);
    assert_int_equal(x.frame_count + x.member_count, 0);
    examination_free(&x);
    bundle_examine(fixture.dirfd, "none.lockbox", NULL, &x);
    assert_int_not_equal(x.state, PART_OK);
    assert_int_equal(x.reason.id, ERR_NO_SUCH_PATH);
    examination_free(&x);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_bundle_is_ok_throughout),
        cmocka_unit_test(a_damaged_frame_costs_its_members),
        cmocka_unit_test(a_frame_with_two_members_costs_both),
        cmocka_unit_test(a_lost_and_a_foreign_volume_are_told_apart),
        cmocka_unit_test(behind_an_early_end_frames_are_missing),
        cmocka_unit_test(a_head_that_is_not_good_names_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
