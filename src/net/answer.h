/* SPDX-License-Identifier: Apache-2.0
 *
 * The head of an HTTP answer, as far as this program cares: filled line by line as it arrives. Header values
 * are hostile: one that is malformed or longer than its place counts as absent.
 */
#ifndef AIRLOCK_NET_ANSWER_H
#define AIRLOCK_NET_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#define ANSWER_ETAG_SIZE 256
#define ANSWER_TEXT_SIZE 64
#define ANSWER_CHALLENGE_SIZE 2048

enum answer_range {
    RANGE_NONE,
    RANGE_PART,  /* "bytes first-last/total" */
    RANGE_TOTAL, /* "bytes *" "/total", with 416 */
};

struct answer {
    int status;      /* 0 until the status line has come */
    uint64_t length; /* Content-Length, or HTTP_LENGTH_UNKNOWN */
    enum answer_range range;
    uint64_t range_first, range_last;
    uint64_t range_total;        /* HTTP_LENGTH_UNKNOWN for '*' */
    char etag[ANSWER_ETAG_SIZE]; /* with its quotes; "" when absent or weak (RFC 9110, 13.1.5) */
    char retry_after[ANSWER_TEXT_SIZE];
    char date[ANSWER_TEXT_SIZE];
    char challenge[ANSWER_CHALLENGE_SIZE]; /* of every WWW-Authenticate, ", " between them */
};

void answer_begin(struct answer *a);
/* One line of the head; its line end may be there. A status line begins anew, so that an interim answer (1xx)
 * leaves nothing behind. */
void answer_add_line(struct answer *a, const char *line, size_t len);

#endif
