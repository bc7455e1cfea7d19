/* SPDX-License-Identifier: Apache-2.0
 *
 * README.txt in the stick's airlock/ folder, for whoever finds the stick.
 */
#ifndef AIRLOCK_USB_README_H
#define AIRLOCK_USB_README_H

/* Writes it where it is missing or another version's. Where that cannot be done it is left: no update fails
 * for it. */
void readme_write(int airlock_dirfd);

#endif
