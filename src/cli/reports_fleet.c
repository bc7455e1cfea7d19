/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports beside the devices of the cloud, which may not answer.
 */
#include <string.h>

#include "account/session.h"
#include "base/clock.h"
#include "cli/reports.h"
#include "report/await.h"
#include "report/roster.h"

int reports_reach_cloud(struct app *app, struct cloud **ret, struct err *ret_why, struct err *e)
{
    *ret = NULL;
    if (session_knock(&app->store, app->profile, app->global.cacert, ret_why)) {
        *e = *ret_why;
        return await_helps(ret_why) || ret_why->id == ERR_NO_PROFILE ? 0 : -1;
    }
    if (session_open_stored(&app->store, app->profile, app->global.cacert, ret, e))
        return -1;
    if (cloud_has_api(*ret))
        return 0;
    cloud_close(*ret);
    *ret = NULL;
    err_set(ret_why, ERR_NO_PROFILE, "there is no API client");
    err_hint(ret_why, "airlock login --api-client");
    return 0;
}

/* Asks the cloud where what is known is of another day. */
static int load_fleet(struct app *app, struct roster *r, const char *fleet, struct roster_fleet *ret,
                      struct err *e)
{
    struct err why = {0};
    struct cloud *cloud;
    char asked[CLOCK_TEXT_SIZE];
    if (roster_load_fleet(r, fleet, false, ret, e) == 0) {
        if (ret->fleet.at >= r->now - ROSTER_KEPT_S)
            return 0;
    } else if (e->id != ERR_NO_SUCH_FLEET) {
        return -1;
    }
    if (reports_reach_cloud(app, &cloud, &why, e))
        return -1;
    if (!cloud && !ret->fleet.id) {
        *e = why;
        return err_context(e, "fleet '%s' was never asked for", fleet);
    }
    if (!cloud) {
        clock_format(ret->fleet.at, asked);
        app_note(app, "airlock: the cloud cannot be asked; fleet '%s' is shown as it was at %s", fleet,
                 asked);
        return 0;
    }
    roster_fleet_free(ret);
    r->cloud = cloud;
    int rc = roster_load_fleet(r, fleet, true, ret, e);
    for (size_t i = 0; i < ret->devices.count && rc == 0; i++)
        rc = roster_learn(r, &ret->devices.list[i], e);
    cloud_close(cloud);
    r->cloud = NULL;
    return rc;
}

int reports_keep_fleet(struct app *app, const struct reports_options *o, struct ledger *l,
                       struct readings *all, struct err *e)
{
    struct roster roster = {.ledger = l, .profile = app->profile, .now = app->now};
    AUTO(roster_fleet) struct roster_fleet fleet = {0};
    size_t kept = 0;
    if (!o->fleet || !l)
        return 0;
    if (load_fleet(app, &roster, o->fleet, &fleet, e))
        return -1;
    for (size_t i = 0; i < all->count; i++) {
        const struct cloud_device *device;
        if (roster_match(&roster, &fleet.devices, &all->list[i], &device, e))
            return -1;
        struct reading r = all->list[i];
        all->list[i] = (struct reading){0};
        if (device)
            all->list[kept++] = r;
        else
            reading_free(&r);
    }
    all->count = kept;
    return 0;
}
