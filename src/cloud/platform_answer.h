/* SPDX-License-Identifier: Apache-2.0
 *
 * One request to the platform API and its answer, for the files of cloud/ that ask it.
 */
#ifndef AIRLOCK_CLOUD_PLATFORM_ANSWER_H
#define AIRLOCK_CLOUD_PLATFORM_ANSWER_H

#include "base/json.h"
#include "cloud/cloud_internal.h"

/* An answer and its parsed form, which points into it. */
struct platform_answer {
    struct buf body;
    struct json doc;
};
void platform_answer_free(struct platform_answer *a);

/* GET of a path of the API ("/devices?limit=5"). The errors of platform.h. */
must_check int platform_get(struct cloud *c, const char *path, struct platform_answer *ret, struct err *e);
/* A page of a list: `path` ends where its query goes on ("/devices?"). *ret_values points into the answer;
 * ERR_BAD_ANSWER also where *ret_total, of all pages, is more than `max`. */
must_check int platform_get_page(struct cloud *c, const char *path, size_t offset, size_t max,
                                 struct platform_answer *ret, struct json_value *ret_values,
                                 int64_t *ret_total, struct err *e);
/* PUT of a JSON text; the answer's body does not matter. */
must_check int platform_put(struct cloud *c, const char *path, const char *json, struct err *e);
/* POST of a JSON text, sent once; the answer's body as it came. */
must_check int platform_post(struct cloud *c, const char *path, const char *json, struct buf *ret_body,
                             struct err *e);
/* ERR_BAD_ANSWER. */
int platform_bad_answer(const char *path, struct err *e);
/* A copy; NULL where there is no such member or it is no string. */
char *platform_text(struct json_value object, const char *key);

#endif
