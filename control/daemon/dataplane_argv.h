/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of the dataplane, from the configuration. */
#ifndef POSTERN_CONTROL_DATAPLANE_ARGV_H
#define POSTERN_CONTROL_DATAPLANE_ARGV_H

#include <limits.h>

#include "control/config/config.h"

struct dataplane_argv {
	char *list[40]; /* into `text` and the configuration; NULL ends */
	char text[1024];
	char known[PATH_MAX]; /* the file of recipients that are known */
};

/* `socket` and `config` must outlive it. */
void dataplane_argv_make(const struct config *config, const char *socket,
			 struct dataplane_argv *argv);

/* The XDP program's object file: the configured one, or the installed one with room enough. */
const char *dataplane_xdp_program(const struct config_gate *gate);

#endif
