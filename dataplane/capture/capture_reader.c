/* SPDX-License-Identifier: BSD-3-Clause */
/* Opens a capture, tells its format, and words its errors. */
#include "dataplane/capture/capture_internal.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Files that people take for captures, by their first bytes. */
static const struct {
	const char *magic;
	size_t len;
	const char *what;
} strangers[] = {
	{"\x1f\x8b", 2, "compressed by gzip: gunzip it first"},
	{"\x28\xb5\x2f\xfd", 4, "compressed by zstd: unzstd it first"},
	{"\xfd"
	 "7zXZ",
	 5, "compressed by xz: unxz it first"},
	{"BZh", 3, "compressed by bzip2: bunzip2 it first"},
	{"\x04\x22\x4d\x18", 4, "compressed by lz4: unlz4 it first"},
	{"PK\x03\x04", 4, "a zip archive: unzip it first"},
	{"snoop\0\0\0", 8, "a snoop capture: convert it with editcap"},
	{"\x7f"
	 "ELF",
	 4, "an ELF program"},
};

int capture_fail(struct capture_reader *reader, uint64_t offset, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(reader->error, sizeof(reader->error),
		 "%.160s: offset %" PRIu64 ": %s (%" PRIu64 " packets read before)", reader->name,
		 offset, what, reader->count);
	return -1;
}

bool capture_need(struct capture_reader *reader, size_t want, const char *what)
{
	struct capture_source *source = &reader->source;
	size_t have = source_peek(source, want);

	if (have == want)
		return true;
	if (source->error)
		capture_fail(reader, source->offset + have, "reading %s failed: %s", what,
			     strerror(source->error));
	else
		capture_fail(reader, source->offset, "the file ends inside %s: %zu of %zu bytes",
			     what, have, want);
	return false;
}

/* The first bytes for a person: in hex, and as text where they are text. */
static void describe_bytes(const uint8_t *p, size_t len, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%02x", i ? " " : "", p[i]);
	used += (size_t)snprintf(out + used, size - used, " \"");
	for (size_t i = 0; i < len; i++)
		used += (size_t)snprintf(out + used, size - used, "%c", isprint(p[i]) ? p[i] : '.');
	snprintf(out + used, size - used, "\"");
}

static int fail_stranger(struct capture_reader *reader, size_t have)
{
	const uint8_t *p = reader->source.window;
	char found[64];

	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		if (have >= strangers[i].len && !memcmp(p, strangers[i].magic, strangers[i].len))
			return capture_fail(reader, 0, "not a pcap or pcapng capture: %s",
					    strangers[i].what);
	}
	describe_bytes(p, have, found, sizeof(found));
	return capture_fail(reader, 0, "not a pcap or pcapng capture: it begins with %s", found);
}

static bool is_pcap_magic(uint32_t magic)
{
	return magic == PCAP_MAGIC_US || magic == PCAP_MAGIC_NS || magic == PCAP_MAGIC_MODIFIED;
}

static int reader_start(struct capture_reader *reader)
{
	struct capture_source *source = &reader->source;
	size_t have = source_peek(source, 8);
	uint32_t magic;

	if (source->error)
		return capture_fail(reader, have, "reading failed: %s", strerror(source->error));
	if (have == 0)
		return capture_fail(reader, 0, "the file is empty");
	if (have < 4)
		return fail_stranger(reader, have);
	magic = get32(reader, source->window);
	if (magic == PCAPNG_SHB)
		return pcapng_start(reader);
	if (is_pcap_magic(magic))
		return pcap_start(reader);
	reader->swapped = true;
	if (is_pcap_magic(bswap_32(magic)))
		return pcap_start(reader);
	return fail_stranger(reader, have);
}

static struct capture_reader *reader_new(const char *name)
{
	struct capture_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	reader->name = strdup(name);
	if (!reader->name) {
		free(reader);
		return NULL;
	}
	reader->source.fd = -1;
	reader->state = 1;
	return reader;
}

static int reader_finish_open(struct capture_reader *reader, struct capture_reader **out,
			      char errbuf[CAPTURE_ERRBUF])
{
	if (reader_start(reader) < 0) {
		int err = reader->source.error ? -reader->source.error : -EINVAL;

		memcpy(errbuf, reader->error, CAPTURE_ERRBUF);
		capture_close(reader);
		return err;
	}
	*out = reader;
	return 0;
}

int capture_open(const char *path, struct capture_reader **out, char errbuf[CAPTURE_ERRBUF])
{
	struct capture_reader *reader = reader_new(strcmp(path, "-") ? path : "standard input");
	int err;

	if (!reader) {
		snprintf(errbuf, CAPTURE_ERRBUF, "%.160s: out of memory", path);
		return -ENOMEM;
	}
	err = source_open(&reader->source, path);
	if (err) {
		snprintf(errbuf, CAPTURE_ERRBUF, "%.160s: %s", path, strerror(-err));
		capture_close(reader);
		return err;
	}
	return reader_finish_open(reader, out, errbuf);
}

int capture_open_bytes(const char *name, const void *data, size_t len, struct capture_reader **out,
		       char errbuf[CAPTURE_ERRBUF])
{
	struct capture_reader *reader = reader_new(name);

	if (!reader) {
		snprintf(errbuf, CAPTURE_ERRBUF, "%.160s: out of memory", name);
		return -ENOMEM;
	}
	source_open_bytes(&reader->source, data, len);
	return reader_finish_open(reader, out, errbuf);
}

void capture_close(struct capture_reader *reader)
{
	if (!reader)
		return;
	source_close(&reader->source);
	free(reader->interfaces);
	free(reader->name);
	free(reader);
}

int capture_next(struct capture_reader *reader, struct capture_packet *packet)
{
	if (reader->state == 1)
		reader->state = reader->next(reader, packet);
	if (reader->state == 1)
		reader->count++;
	return reader->state;
}

const char *capture_error(const struct capture_reader *reader)
{
	return reader->error;
}

const char *capture_name(const struct capture_reader *reader)
{
	return reader->name;
}

uint64_t capture_count(const struct capture_reader *reader)
{
	return reader->count;
}
