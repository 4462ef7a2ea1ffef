/* SPDX-License-Identifier: BSD-3-Clause */
/* Any body: every span lies inside it, in its order, and media are no more than m= lines. */
#include "dataplane/proto/sdp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(const uint8_t *data, size_t size, struct bytes s)
{
	if (s.len && (s.p < data || s.len > size || (size_t)(s.p - data) > size - s.len))
		abort();
}

static uint32_t lines_check(const uint8_t *data, size_t size)
{
	struct sdp_lines lines = {.rest = {data, size}};
	const uint8_t *before = data;
	struct sdp_connection at;
	struct sdp_line line;

	while (sdp_line_next(&lines, &line)) {
		inside(data, size, line.value);
		if (line.value.p < before ||
		    (line.value.len && memchr(line.value.p, '\n', line.value.len)))
			abort();
		before = line.value.p + line.value.len;
		if (sdp_connection_read(line.value, &at))
			inside(data, size, at.host);
	}
	return lines.media;
}

static void media_check(const uint8_t *data, size_t size, uint32_t most)
{
	struct sdp_medias medias = {.lines = {.rest = {data, size}}};
	struct sdp_media m;
	uint32_t n = 0;

	while (sdp_media_next(&medias, &m)) {
		const struct bytes spans[] = {m.media, m.proto, m.formats, m.at.host};

		for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
			inside(data, size, spans[i]);
		if (!m.ports || (m.at.family && !m.at.host.len))
			abort();
		n++;
	}
	if (n > most)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes body = {data, size}, type = {data, size < 64 ? size : 64};

	media_check(data, size, lines_check(data, size));
	inside(data, size, sdp_in_body(type, body));
	inside(data, size, sdp_in_body(BYTES("multipart/mixed;boundary=b"), body));
	return 0;
}
