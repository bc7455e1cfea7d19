/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/beacon.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "usb-tools/device/say.h"
#include "usb-tools/device/tool.h"

/* The one global: a handler is given nothing else. */
static int led_fd = -1;

/* These are names of triggers, which every kernel with LEDs has. */
static bool set_led(const char *trigger)
{
    size_t len = strlen(trigger);
    return led_fd < 0 || write(led_fd, trigger, len) == (ssize_t)len;
}

/* systemd ends the unit of a stick that was pulled. */
static void go_dark(int number)
{
    (void)set_led("none");
    _exit(128 + number);
}

void beacon_begin(const struct arguments *a)
{
    struct err e;
    if (!a->led)
        return;
    AUTO_FREE char *path = mem_format("%s/sys/class/leds/%s/trigger", a->root, a->led);
    led_fd = open(path, O_WRONLY | O_CLOEXEC);
    if (led_fd < 0 || !set_led("timer")) {
        err_errno(&e, ERR_SYSTEM, "cannot let the LED '%s' blink", a->led);
        say_error(&e);
        return;
    }
    const struct sigaction action = {.sa_handler = go_dark};
    sigaction(SIGTERM, &action, NULL);
}

static void run_hook(const struct arguments *a, const char *result)
{
    const char *const argv[] = {BEACON_HOOK, a->stick, result, NULL};
    struct err e;
    if (tool_is_there(a->root, BEACON_HOOK) && tool_run(a->root, argv, NULL, &e))
        say_error(&e);
}

void beacon_end(const struct arguments *a, enum err_id result)
{
    (void)set_led(result == ERR_NONE ? "default-on" : "none");
    say_line("%s may be pulled", a->stick);
    run_hook(a, result == ERR_NONE ? "done" : err_name(result));
}
