/* SPDX-License-Identifier: Apache-2.0
 *
 * Are the bytes still those that were written? Of what survey.h found, part by part. Whether a device would
 * install them is the survey's verdict and not asked here.
 */
#ifndef AIRLOCK_LOCKBOX_WHOLENESS_H
#define AIRLOCK_LOCKBOX_WHOLENESS_H

#include "bundle-format/examine.h"
#include "lockbox/survey.h"

/* A bundle by its frames; a directory, which has none, by the signed hashes. What is wrong stands in *ret. */
must_check int wholeness_examine(const struct survey_item *item, const struct survey_options *options,
                                 struct examination *ret, struct err *e);

#endif
