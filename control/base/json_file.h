/* SPDX-License-Identifier: BSD-3-Clause */
/* Files of JSON that are replaced as a whole. Blocks until the disk has them. */
#ifndef POSTERN_CONTROL_JSON_FILE_H
#define POSTERN_CONTROL_JSON_FILE_H

#include <jansson.h>

/*
 * Beside the old one, onto the disk, and then in its place (rename(2) is all or nothing). `dir`: a
 * descriptor of the directory. 0 or -errno: the old one is still there.
 */
int json_file_replace(int dir, const char *name, const json_t *root);

/*
 * What is in it, the caller's; *rootp is NULL where there is no such file. 0, or -errno with words
 * of at most `size` bytes: where it is not JSON, the line and column.
 */
int json_file_read(int dir, const char *name, json_t **rootp, char *error, size_t size);

#endif
