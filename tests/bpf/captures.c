/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bpf/captures.h"

#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "dataplane/capture/capture_reader.h"

typedef void take_fn(void *ctx, const uint8_t *frame, uint32_t len);

static uint64_t capture_each(const char *path, take_fn *take, void *ctx)
{
	struct capture_reader *reader;
	struct capture_packet packet;
	char error[CAPTURE_ERRBUF];
	uint64_t frames = 0;

	if (capture_open(path, &reader, error) < 0)
		return 0;
	while (capture_next(reader, &packet) == 1)
		if (packet.linktype == CAPTURE_LINK_ETHERNET && packet.caplen) {
			take(ctx, packet.data, packet.caplen);
			frames++;
		}
	capture_close(reader);
	return frames;
}

uint64_t captures_each(const char *folder, take_fn *take, void *ctx)
{
	char *const roots[] = {(char *)(uintptr_t)folder, NULL};
	FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
	uint64_t frames = 0;
	FTSENT *entry;

	while (tree && (entry = fts_read(tree)))
		if ((entry->fts_info == FTS_F || entry->fts_info == FTS_NSOK) &&
		    strstr(entry->fts_name, ".pcap"))
			frames += capture_each(entry->fts_accpath, take, ctx);
	if (tree)
		fts_close(tree);
	return frames;
}
