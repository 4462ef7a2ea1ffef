/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The capture reader over any bytes: what it hands out lies inside the input,
 * errors are worded, an end is final.
 */
#include "dataplane/capture/capture_reader.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char errbuf[CAPTURE_ERRBUF] = "";
	struct capture_reader *reader;
	struct capture_packet packet;
	int more;

	if (capture_open_bytes("fuzz", data, size, &reader, errbuf) < 0) {
		if (!errbuf[0])
			abort();
		return 0;
	}
	while ((more = capture_next(reader, &packet)) == 1) {
		if (packet.data < data || packet.caplen > CAPTURE_MAX_PACKET ||
		    packet.caplen > (size_t)(data + size - packet.data))
			abort();
	}
	if ((more < 0) != (capture_error(reader)[0] != '\0'))
		abort();
	if (capture_next(reader, &packet) != more)
		abort();
	capture_close(reader);
	return 0;
}
