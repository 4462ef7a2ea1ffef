/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * JSON in files by their descriptors, in few system calls: jansson's json_loadfd() asks the kernel
 * for each byte by itself, and json_dumpfd() writes a few at a time. Any thread; reads and writes.
 */
#ifndef POSTERN_CONTROL_JSON_FD_H
#define POSTERN_CONTROL_JSON_FD_H

#include <jansson.h>

/* All of a regular file, from its start, wherever its offset is. NULL, and why in *error. */
json_t *json_fd_read(int fd, size_t flags, json_error_t *error);

/* Where the offset is. 0, -ENOMEM, or what write() says. */
int json_fd_write(const json_t *root, int fd);

#endif
