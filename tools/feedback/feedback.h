/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `postern feedback`: reports and logs are read here, where whoever types it has rights to read
 * them, and posternd gets what they say.
 */
#ifndef POSTERN_TOOLS_FEEDBACK_H
#define POSTERN_TOOLS_FEEDBACK_H

#include <jansson.h>
#include <stdbool.h>

#include "control/feedback/feedback.h"
#include "control/page/page_text.h"
#include "tools/live/live_client.h"

enum feedback_input { FEEDBACK_INPUT_ARF, FEEDBACK_INPUT_DSN, FEEDBACK_INPUT_LOG };

struct feedback_call {
	const char *socket;
	enum feedback_input input;
	bool json, dry_run, parse;
	struct live_client client;
	json_t *batch;           /* items on their way */
	size_t batch_size;       /* bytes of them */
	json_t *results;         /* how many of each; posternd's words */
	json_t *matches;         /* of items that are no log's; of `json` */
	json_t *unread;          /* mails that were none of what was asked for; of `json` */
	char **tags;             /* fields that are tenants' tags, NULL at the end; NULL: none */
	json_t *items;           /* of `parse`, with `json` */
	uint64_t mails, useless; /* read; that were none of what was asked for */
	uint64_t left_out;       /* recipients */
	json_t *log;             /* what was seen of a log; NULL */
	bool failed;
};

/* Reads `path`: a file, "-", or a folder with all that is in it. 0, or 1 after saying why. */
int feedback_read(struct feedback_call *call, const char *path);
/* The log is read as one over all files. */
int feedback_read_end(struct feedback_call *call);

/* An item on its way; what is waiting goes. false: posternd is not there any more. */
void feedback_send(void *call, const struct feedback_item *item);
bool feedback_flush(struct feedback_call *call);

void feedback_page(struct page_out *out, const struct feedback_call *call);
void feedback_page_match(struct page_out *out, const json_t *match);
void feedback_page_item(struct page_out *out, const struct feedback_item *item);

int feedback_main(int argc, char **argv);

#endif
