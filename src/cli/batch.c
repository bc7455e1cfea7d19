/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/batch.h"

#include <cjson/cJSON.h>

struct batch batch_begin(const struct app *app, size_t count)
{
    return (struct batch){
        .app = app, .count = count, .done = cJSON_CreateArray(), .failed = cJSON_CreateArray()};
}

void batch_free(struct batch *b)
{
    cJSON_Delete(b->done);
    cJSON_Delete(b->failed);
    cJSON_Delete(b->pinned);
    b->done = b->failed = b->pinned = NULL;
}

void batch_fail(struct batch *b, const char *name, const char *to, const struct err *e)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "lockbox", name);
    if (to)
        cJSON_AddStringToObject(item, "to", to);
    cJSON_AddStringToObject(item, "id", err_name(e->id));
    cJSON_AddStringToObject(item, "message", e->message);
    cJSON_AddItemToArray(b->failed, item);
    b->failures++;
    b->error = *e;
    if (b->count > 1)
        app_print_failure(e);
}

int batch_end(struct batch *b, const char *key, int *exit_code, struct err *e)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "schema", 1);
    bool all_failed = b->failures && cJSON_GetArraySize(b->done) == 0;
    cJSON_AddItemToObject(answer, key, steal_ptr(b->done));
    cJSON_AddItemToObject(answer, "failed", steal_ptr(b->failed));
    if (b->pinned)
        cJSON_AddItemToObject(answer, "pinned", steal_ptr(b->pinned));
    if (b->app->global.json && !all_failed)
        app_print_json(answer);
    else
        cJSON_Delete(answer);
    if (b->failures)
        *exit_code = EXIT_SOME_FAILED;
    if (!all_failed)
        return 0;
    if (b->count == 1) {
        *e = b->error;
        return -1;
    }
    app_answer_error(b->app, &b->error);
    *exit_code = (int)err_exit_code(b->error.id);
    return 0;
}
