/* SPDX-License-Identifier: Apache-2.0
 *
 * The question before the drive, for whatever a person points at: a bundle, a plain lockbox directory, a
 * squashfs image of one, or a stick that carries several of them. Everything is read; nothing is written.
 */
#ifndef AIRLOCK_LOCKBOX_SURVEY_H
#define AIRLOCK_LOCKBOX_SURVEY_H

#include "base/progress.h"
#include "crypto/file_signer.h"
#include "lockbox/judge.h"
#include "lockbox/needs.h"
#include "store/signers.h"

enum survey_kind { SURVEY_BUNDLE, SURVEY_FOLDER, SURVEY_IMAGE };
/* "bundle", "plain", "squashfs". */
const char *survey_kind_word(enum survey_kind kind);

struct survey_options {
    struct judge judge;
    const struct bundle_elsewhere *elsewhere; /* for volumes that are not beside their head; NULL: nowhere */
    bool metadata_only;                       /* do not read the payload (inspect) */
    const struct file_verifier *image_key;    /* who must have signed an image; NULL: nobody */
    struct progress *progress;
};

struct survey_signer {
    uint8_t public_key[SIGN_PUBLIC_SIZE];
    char *comment;
    char *known_as; /* the name under which this computer trusts the key; NULL: it does not know it */
};

struct survey_item {
    char *path; /* as the person would name it */
    enum survey_kind kind;
    bool opened; /* false: not even that; the verdict holds the reason */
    struct verdict verdict;
    struct needs needs;
    struct survey_signer *signers; /* bundles */
    size_t signer_count;
    bool unknown_matters; /* this computer knows keys of others, so one that it does not know is news */
    uint64_t stored_bytes, raw_bytes; /* bundles: on the medium, and unpacked */
    size_t member_count;
};

struct survey {
    bool is_stick;
    struct survey_item *items; /* at least one */
    size_t count;
};

/* -1 only when the path holds nothing to check (ERR_NO_SUCH_PATH, ERR_NOT_A_LOCKBOX) or the machine fails;
 * what is wrong with an item stands in its verdict. */
must_check int survey_path(const char *path, const struct survey_options *options, struct survey *ret,
                           struct err *e);
#define SURVEY_THIS_COMPUTER "this computer" /* no name of a key: it has a blank */
/* Fills in known_as. `own`: this computer's key, or NULL. */
void survey_name_signers(struct survey *c, const struct signers *known, const struct sign_key *own);
/* Adds the problem `bundle-signer` unless it is a bundle that this key signed. */
void survey_require_signer(struct survey_item *item, const uint8_t key[SIGN_PUBLIC_SIZE]);
void survey_free(struct survey *c);

#endif
