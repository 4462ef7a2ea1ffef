/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of postern-gen. */
#ifndef POSTERN_GEN_OPTIONS_H
#define POSTERN_GEN_OPTIONS_H

#include "tools/gen/gen_call.h"
#include "tools/gen/gen_mail.h"

struct gen_settings {
	uint64_t seed;
	uint64_t mails;
	uint64_t calls;
	uint64_t start_ns;    /* of the first flow, since 1970 */
	uint64_t duration_ns; /* within which flows begin */
	uint32_t mss;
	uint32_t vlan;
	uint32_t outer_vlan;
	bool pcap;
	bool truth; /* as JSON, on standard output */
	const char *output;
	struct gen_hosts hosts;
	struct gen_faults faults;
	struct gen_mail_options mail;
	struct gen_call_options call;
};

/* Exits after --help, or with a line about what is wrong. */
void options_parse(int argc, const char *const *argv, struct gen_settings *settings);
void options_free(struct gen_settings *settings);

#endif
