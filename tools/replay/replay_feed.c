/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets out of capture files, in the order of their times. */
#include <stdlib.h>

#include "dataplane/capture/capture_merge.h"
#include "tools/replay/replay.h"

struct feed_files {
	struct replay_feed feed;
	struct capture_merge *merge;
	const struct checksum_survey *survey;
	bool ignore_checksums;
};

static int files_next(struct replay_feed *feed, struct capture_frame *frame)
{
	struct feed_files *f = (struct feed_files *)feed;
	struct merged_packet p;
	int rc = capture_merge_next(f->merge, &p);

	if (rc < 0)
		fprintf(stderr, "postern: %s\n", capture_merge_error(f->merge));
	if (rc <= 0)
		return rc;
	*frame = (struct capture_frame){
		.data = p.packet.data,
		.len = p.packet.caplen,
		.wirelen = p.packet.wirelen,
		.time = p.packet.ts_ns,
		.number = p.number,
		.link = p.packet.linktype,
	};
	if (f->ignore_checksums || (f->survey && checksum_survey_trusts(f->survey, frame)))
		frame->flags = PACKET_CHECKSUM_TRUSTED;
	return 1;
}

static void files_close(struct replay_feed *feed)
{
	struct feed_files *f = (struct feed_files *)feed;

	capture_merge_close(f->merge);
	free(f);
}

struct replay_feed *feed_files_open(const struct replay_options *o,
				    const struct checksum_survey *survey)
{
	struct feed_files *f = calloc(1, sizeof(*f));
	char error[CAPTURE_ERRBUF];

	if (!f)
		return NULL;
	f->feed = (struct replay_feed){files_next, NULL, files_close};
	f->survey = survey;
	f->ignore_checksums = o->checksums == CHECKSUMS_IGNORE;
	if (capture_merge_open(o->files, o->file_count, &f->merge, error) == 0)
		return &f->feed;
	fprintf(stderr, "postern: %s\n", error);
	free(f);
	return NULL;
}
