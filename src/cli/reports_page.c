/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/reports_page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/out.h"

/* The policy holds even if an escape should be forgotten: a browser then loads and runs nothing. */
static const char head[] = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                           "style-src 'unsafe-inline'\">\n"
                           "<title>Reports of devices</title>\n<style>\n"
                           "body { font-family: sans-serif; margin: 2em; color: #222; }\n"
                           "table { border-collapse: collapse; }\n"
                           "th, td { text-align: left; vertical-align: top; padding: 0.2em 1em 0.2em 0; "
                           "border-bottom: 1px solid #ccc; }\n"
                           "td { overflow-wrap: anywhere; }\n"
                           "h2 { margin-top: 2em; font-size: 1.1em; }\n"
                           "</style>\n</head>\n<body>\n<h1>Reports of devices</h1>\n";

/* What the words mean stands on the page: whoever reads it has no manual. */
static const char foot[] = "<h2>What the words mean</h2>\n"
                           "<p>Only <em>verified</em> is signed by the device's own key. A name in quotes is "
                           "what a device calls itself, which "
                           "anybody can do. <em>Stale</em>: the device signed a later report. The journal is "
                           "signed by nobody. A device of "
                           "which no report is here may have installed, or failed, or not been reached: "
                           "nothing is known of it.</p>\n"
                           "</body>\n</html>\n";

/* Text from outside: what a terminal would obey is escaped as everywhere, then what HTML would. */
static void print_html(const char *text)
{
    static const char signs[] = "&<>\"'";
    static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    AUTO(buf) struct buf shown = {0};
    out_escape(&shown, text, strlen(text));
    for (const char *c = buf_text(&shown); *c; c++) {
        const char *sign = strchr(signs, *c);
        if (sign)
            fputs(names[sign - signs], stdout);
        else
            putchar(*c);
    }
}

static void print_cell(const char *text)
{
    fputs("<td>", stdout);
    print_html(text);
    fputs("</td>", stdout);
}

static void print_time(int64_t time)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format(time, text);
    print_cell(text);
}

static void print_row(const char *label, const char *text)
{
    printf("<tr><th>%s</th>", label);
    print_cell(text);
    puts("</tr>");
}

static void print_table_row(const struct reading *r)
{
    AUTO_FREE char *device = reports_device_text(r);
    AUTO_FREE char *lockbox = reports_lockbox_text(r);
    AUTO_FREE char *outcome = reports_outcome_text(r);
    AUTO_FREE char *proof = reports_proof_text(r);
    printf("<tr><td>%" PRId64 "</td>", r->id);
    print_time(r->seen_at);
    print_cell(device);
    print_cell(lockbox);
    print_cell(outcome);
    print_cell(proof);
    puts("</tr>");
}

static void print_ecu(const struct manifest_ecu *ecu)
{
    fputs("<tr>", stdout);
    print_cell(ecu->serial);
    print_cell(ecu->image);
    print_cell(ecu->sha256);
    print_cell(ecu->result.code ? ecu->result.code : "");
    print_cell(manifest_trust_text(ecu->trust));
    puts("</tr>");
}

static int print_sighting(void *ctx, const struct ledger_sighting *seen, struct err *e)
{
    char time[CLOCK_TEXT_SIZE];
    (void)ctx, (void)e;
    clock_format(seen->at, time);
    AUTO_FREE char *text = mem_format("%s, %s %s", time, seen->stick, seen->path);
    print_row("collected", text);
    return 0;
}

static int print_line(void *ctx, int64_t time_us, const char *service, const char *message, struct err *e)
{
    (void)ctx, (void)e;
    fputs("<tr>", stdout);
    if (time_us == INT64_MIN)
        print_cell("");
    else
        print_time(time_us / 1000000);
    print_cell(service);
    print_cell(message);
    puts("</tr>");
    return 0;
}

static int print_section(struct ledger *l, const struct reading *r, struct err *e)
{
    AUTO_FREE char *device = reports_device_text(r);
    AUTO_FREE char *outcome = reports_outcome_text(r);
    AUTO_FREE char *proof = reports_proof_text(r);
    printf("<h2>Report %" PRId64 ": ", r->id);
    print_html(device);
    puts("</h2>\n<table>");
    print_row("outcome", outcome);
    print_row("proof", proof);
    print_row("text", r->text);
    print_row("serial", r->serial);
    print_row("lockbox", r->correlation ? r->correlation : r->lockbox ? r->lockbox : "");
    if (ledger_each_sighting(l, r->id, print_sighting, NULL, e))
        return -1;
    puts("</table>");
    if (r->manifest.ecu_count)
        puts("<table>\n<tr><th>ECU</th><th>runs</th><th>SHA-256</th><th>result</th><th>proof</th></tr>");
    for (size_t i = 0; i < r->manifest.ecu_count; i++)
        print_ecu(&r->manifest.ecus[i]);
    if (r->manifest.ecu_count)
        puts("</table>");
    puts("<table>");
    int rc = ledger_each_line(l, r->id, print_line, NULL, e);
    puts("</table>");
    return rc;
}

static bool is_on_page(const struct reading *r, const struct reports_options *o, const char *word)
{
    return word ? r->id == strtoll(word, NULL, 10) : reports_is_wanted(r, o) && !r->replaced;
}

int reports_page_print(const struct app *app, struct ledger *l, const struct readings *all,
                       const struct reports_options *o, const char *word, size_t *ret_count, struct err *e)
{
    char time[CLOCK_TEXT_SIZE];
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        count += is_on_page(&all->list[i], o, word);
    *ret_count = count;
    if (word && !count)
        return 0;
    clock_format(app->now, time);
    fputs(head, stdout);
    printf("<p>Made by airlock %s at %s. Reports: %zu.</p>\n<table>\n", AIRLOCK_VERSION, time, count);
    puts("<tr><th>no.</th><th>collected</th><th>device</th><th>lockbox</th><th>outcome</th><th>proof</th></"
         "tr>");
    for (size_t i = 0; i < all->count; i++)
        if (is_on_page(&all->list[i], o, word))
            print_table_row(&all->list[i]);
    puts("</table>");
    for (size_t i = 0; i < all->count; i++)
        if (is_on_page(&all->list[i], o, word) && print_section(l, &all->list[i], e))
            return -1;
    fputs(foot, stdout);
    return 0;
}
