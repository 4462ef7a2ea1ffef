/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the SIP parser and framer say, as lines of text: for spec documents, and
 * for comparing one way of cutting a stream with another.
 */
#ifndef POSTERN_TESTS_SPEC_SIP_LOG_H
#define POSTERN_TESTS_SPEC_SIP_LOG_H

#include "dataplane/proto/sip_frame.h"

#define SIP_LOG_SIZE  65536
#define SIP_LOG_BLOCK 10240 /* of the pool: what is kept of a message */

struct sip_log {
	struct proto_pool pool;
	int blocks; /* lent out */
	size_t len;
	char text[SIP_LOG_SIZE]; /* NUL-terminated; cut when full */
};

void sip_log_init(struct sip_log *log);
void sip_log_message(struct sip_log *log, enum sip_result result, const struct sip_message *msg);

/* A sink whose ctx is the log, and whose pool is the log's. */
extern const struct sip_sink sip_log_sink;

#endif
