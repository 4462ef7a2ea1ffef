/* SPDX-License-Identifier: BSD-3-Clause */
/* Files that are replaced as a whole. Blocks until the disk has them. */
#ifndef POSTERN_CONTROL_FILE_REPLACE_H
#define POSTERN_CONTROL_FILE_REPLACE_H

#include <stddef.h>

/*
 * Beside the old one, onto the disk, and then in its place (rename(2) is all or nothing); mode
 * 0600. `dir`: a descriptor of the directory. 0 or -errno: the old one is still there.
 */
int file_replace(int dir, const char *name, const void *data, size_t size);

#endif
