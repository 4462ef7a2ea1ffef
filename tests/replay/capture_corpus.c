/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reader over every capture of the corpus: packets, bytes on the wire and
 * the earliest time, against what tshark found (truth/NAME.json). Exits 77 where
 * there is no corpus. argv[1]: the corpus, unless POSTERN_CORPUS names another.
 */
#include "dataplane/capture/capture_reader.h"

#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Captures that tshark couldn't read to their end, and what we make of them. */
static const struct exception {
	const char *name;
	const char *error; /* after the path, or NULL: we read it whole */
	uint64_t packets;
	uint16_t linktype;
} exceptions[] = {
	{"sv__smtp-to-comma__10.7.29.101_49898-178.63.41.150_25.pcap",
	 ": offset 3695: a record claims 3925868813 bytes captured, and no packet has over 262144 "
	 "(18 packets read before)",
	 18, CAPTURE_LINK_ETHERNET},
	/* LINKTYPE_DSA_TAG_DSA: tshark 4.0 has no name for it. */
	{"tcpdump__dsa-high-vid.pcap", NULL, 4, 284},
};

struct totals {
	uint64_t packets;
	uint64_t wire_bytes;
	uint64_t earliest_ns;
	uint16_t linktype; /* of the last packet */
	char error[CAPTURE_ERRBUF];
};

static unsigned int failures;

__attribute__((format(printf, 2, 3))) static void complain(const char *name, const char *format,
							   ...)
{
	va_list args;

	failures++;
	printf("%s: ", name);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static void capture_total(const char *path, struct totals *totals)
{
	struct capture_reader *reader;
	struct capture_packet packet;

	*totals = (struct totals){0};
	if (capture_open(path, &reader, totals->error) < 0)
		return;
	while (capture_next(reader, &packet) == 1) {
		if (totals->packets++ == 0 || packet.ts_ns < totals->earliest_ns)
			totals->earliest_ns = packet.ts_ns;
		totals->wire_bytes += packet.wirelen;
		totals->linktype = packet.linktype;
	}
	snprintf(totals->error, sizeof(totals->error), "%s", capture_error(reader));
	capture_close(reader);
}

static const struct exception *exception_find(const char *name)
{
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++)
		if (strcmp(exceptions[i].name, name) == 0)
			return &exceptions[i];
	return NULL;
}

static void check_exception(const char *name, const char *path, const struct totals *totals,
			    const struct exception *expected)
{
	const char *error = totals->error;

	if (strncmp(error, path, strlen(path)) == 0)
		error += strlen(path);
	if (strcmp(error, expected->error ? expected->error : "") != 0)
		complain(name, "error \"%s\"", totals->error);
	if (totals->packets != expected->packets)
		complain(name, "%llu packets", (unsigned long long)totals->packets);
	if (totals->linktype != expected->linktype)
		complain(name, "link type %u", totals->linktype);
}

static void check_truth(const char *name, const struct totals *totals, json_t *frames)
{
	json_t *first = json_object_get(frames, "first_epoch");
	json_int_t count = json_integer_value(json_object_get(frames, "count"));
	json_int_t bytes = json_integer_value(json_object_get(frames, "wire_bytes"));

	if (totals->error[0])
		complain(name, "%s", totals->error);
	if (totals->packets != (uint64_t)count)
		complain(name, "%llu packets, tshark has %lld", (unsigned long long)totals->packets,
			 (long long)count);
	if (totals->wire_bytes != (uint64_t)bytes)
		complain(name, "%llu bytes, tshark has %lld",
			 (unsigned long long)totals->wire_bytes, (long long)bytes);
	/* The truth keeps microseconds, as a double. */
	if (json_is_number(first) &&
	    fabs((double)totals->earliest_ns / 1e9 - json_number_value(first)) > 2e-6)
		complain(name, "earliest packet at %llu ns, tshark has %.6f",
			 (unsigned long long)totals->earliest_ns, json_number_value(first));
}

static void check_capture(const char *corpus, const char *dir, const char *name)
{
	const struct exception *expected = exception_find(name);
	struct totals totals;
	json_error_t error;
	char path[1024];
	json_t *truth;

	snprintf(path, sizeof(path), "%s/truth/%s.json", corpus, name);
	truth = json_load_file(path, JSON_ALLOW_NUL, &error);
	if (!truth)
		complain(name, "%s: %s", path, error.text);
	snprintf(path, sizeof(path), "%s/pcap/%s/%s", corpus, dir, name);
	capture_total(path, &totals);
	if (expected)
		check_exception(name, path, &totals, expected);
	else if (truth)
		check_truth(name, &totals, json_object_get(truth, "frames"));
	json_decref(truth);
}

static unsigned int check_directory(const char *corpus, const char *dir)
{
	unsigned int captures = 0;
	struct dirent *entry;
	char path[1024];
	DIR *d;

	snprintf(path, sizeof(path), "%s/pcap/%s", corpus, dir);
	d = opendir(path);
	if (!d)
		return 0;
	while ((entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		check_capture(corpus, dir, entry->d_name);
		captures++;
	}
	closedir(d);
	return captures;
}

int main(int argc, char **argv)
{
	const char *corpus = getenv("POSTERN_CORPUS");
	unsigned int captures;

	if (!corpus && argc > 1)
		corpus = argv[1];
	if (!corpus)
		return EXIT_FAILURE;
	captures = check_directory(corpus, "smtp") + check_directory(corpus, "sip") +
		   check_directory(corpus, "other");
	if (!captures) {
		printf("skipped: no captures in %s/pcap\n", corpus);
		return 77;
	}
	printf("%u captures, %u failures\n", captures, failures);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
