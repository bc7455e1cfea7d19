/* SPDX-License-Identifier: Apache-2.0
 *
 * A manifest, a list of manifests, an image's config. What is chosen of a list is the only one of its grade.
 */
#include <stdint.h>
#include <stdlib.h>

#include "fetch/image_manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_choice(const struct image_manifest *m, const char *platform)
{
    const struct image_choice *choice;
    struct err e;
    if (image_manifest_choose(m, platform, &choice, &e))
        return;
    unsigned best = image_platform_grade(platform, choice->platform);
    for (size_t i = 0; i < m->choice_count; i++)
        if (&m->choices[i] != choice && image_platform_grade(platform, m->choices[i].platform) >= best)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(image_manifest) struct image_manifest m = {0};
    uint8_t(*ids)[HASH_SIZE] = NULL;
    size_t count;
    struct err e;
    if (image_config_diff_ids(bytes, len, &ids, &count, &e) == 0)
        free(ids);
    if (image_manifest_parse(bytes, len, &m, &e))
        return 0;
    if (m.is_list == (m.layers != NULL))
        abort();
    check_choice(&m, "linux/arm64");
    check_choice(&m, "linux");
    check_choice(&m, "");
    return 0;
}
