/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/capture/capture_reader.h"
#include "dataplane/tcp/checksum.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"
#include "tools/gen/gen_run.h"

enum { MAX_STREAMS = 1024, MAX_STREAM = 256 * 1024 };

/* One direction of a TCP connection, put together: the first copy of a byte wins. */
struct stream {
	uint8_t key[36]; /* addresses, ports */
	uint32_t start;  /* sequence number of the first byte */
	size_t end;      /* where the FIN was, or 0 */
	size_t len;
	uint8_t *bytes;
	uint8_t *seen;
};

struct seen {
	struct stream streams[MAX_STREAMS];
	size_t stream_count;
	unsigned int frames, fragments, vlan, qinq, ipv6, differing;
	unsigned int invites, byes;
	/* of the packet in fragments, which come one right after another */
	uint8_t whole[65536];
	size_t whole_len;
};

static struct seen seen;

static void settings_from(struct gen_settings *settings, const char *const *args, int count)
{
	const char *argv[40] = {"postern-gen"};

	memcpy(argv + 1, args, (size_t)count * sizeof(*args));
	options_parse(count + 1, argv, settings);
}

#define GENERATE(counts, ...)                           \
	generate(counts, (const char *[]){__VA_ARGS__}, \
		 sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

static void generate(struct gen_counts *counts, const char *const *args, int count)
{
	struct gen_settings settings;

	*counts = (struct gen_counts){0};
	settings_from(&settings, args, count);
	assert_int_equal(gen_run(&settings, counts), 0);
	options_free(&settings);
}

static uint32_t be16(const uint8_t *p)
{
	return (uint32_t)(p[0] << 8 | p[1]);
}

static uint32_t be32(const uint8_t *p)
{
	return be16(p) << 16 | be16(p + 2);
}

static struct stream *stream_find(const uint8_t *key)
{
	struct stream *s;

	for (size_t i = 0; i < seen.stream_count; i++)
		if (memcmp(seen.streams[i].key, key, sizeof(seen.streams[i].key)) == 0)
			return &seen.streams[i];
	assert_in_range(seen.stream_count, 0, MAX_STREAMS - 1);
	s = &seen.streams[seen.stream_count++];
	memcpy(s->key, key, sizeof(s->key));
	s->bytes = calloc(2, MAX_STREAM);
	s->seen = s->bytes + MAX_STREAM;
	return s;
}

static void stream_put(struct stream *s, size_t at, const uint8_t *data, size_t len)
{
	bool differs = false;

	assert_in_range(at + len, 0, MAX_STREAM);
	for (size_t i = 0; i < len; i++) {
		differs |= s->seen[at + i] && s->bytes[at + i] != data[i];
		if (!s->seen[at + i])
			s->bytes[at + i] = data[i];
		s->seen[at + i] = 1;
	}
	seen.differing += differs;
	if (len && at + len > s->len)
		s->len = at + len;
}

static void check_tcp(const uint8_t *key, const uint8_t *p, size_t len)
{
	struct stream *s = stream_find(key);
	size_t header = (size_t)(p[12] >> 4) * 4;

	assert_in_range(header, 20, len);
	if (p[13] & 2)
		s->start = be32(p + 4) + 1;
	stream_put(s, p[13] & 2 ? 0 : be32(p + 4) - s->start, p + header, len - header);
	if (p[13] & 1)
		s->end = be32(p + 4) - s->start;
}

static void check_udp(const uint8_t *p, size_t len)
{
	assert_int_equal(be16(p + 4), len);
	assert_int_not_equal(be16(p + 6), 0);
	seen.invites += len > 15 && memcmp(p + 8, "INVITE ", 7) == 0;
	seen.byes += len > 15 && memcmp(p + 8, "BYE ", 4) == 0;
}

static void check_transport(const uint8_t *from, const uint8_t *to, size_t address_len,
			    uint8_t protocol, const uint8_t *p, size_t len)
{
	uint8_t key[36] = {0};
	uint64_t pseudo = address_len == 4
				  ? checksum_pseudo_ipv4(from, to, protocol, (uint16_t)len)
				  : checksum_pseudo_ipv6(from, to, protocol, (uint32_t)len);

	assert_true(protocol == 6 || protocol == 17);
	assert_true(checksum_tcp_ok(pseudo, p, len));
	memcpy(key, from, address_len);
	memcpy(key + 16, to, address_len);
	memcpy(key + 32, p, 4);
	if (protocol == 6)
		check_tcp(key, p, len);
	else
		check_udp(p, len);
}

/* Pieces come in order, one packet's after the other's. */
static bool gather(size_t offset, bool more, const uint8_t **p, size_t *len)
{
	if (!offset && !more)
		return true;
	seen.fragments++;
	assert_int_equal(offset, offset ? seen.whole_len : 0);
	assert_true(!more || *len % 8 == 0);
	memcpy(seen.whole + offset, *p, *len);
	seen.whole_len = offset + *len;
	*p = seen.whole;
	*len = seen.whole_len;
	return !more;
}

static void check_ipv4(const uint8_t *ip, size_t len)
{
	const uint8_t *p = ip + 20;
	size_t rest = len - 20;

	assert_int_equal(ip[0], 0x45);
	assert_int_equal(be16(ip + 2), len);
	assert_true(checksum_ipv4_header_ok(ip, 20));
	if (gather((be16(ip + 6) & 0x1fff) * 8, be16(ip + 6) & 0x2000, &p, &rest))
		check_transport(ip + 12, ip + 16, 4, ip[9], p, rest);
}

static void check_ipv6(const uint8_t *ip, size_t len)
{
	const uint8_t *p = ip + 40;
	uint8_t protocol = ip[6];
	size_t rest = len - 40;
	bool whole = true;

	seen.ipv6++;
	assert_int_equal(be16(ip + 4), rest);
	if (protocol == 44) {
		protocol = p[0];
		rest -= 8;
		p += 8;
		whole = gather(be16(p - 6) & ~7u, p[-5] & 1, &p, &rest);
	}
	if (whole)
		check_transport(ip + 8, ip + 24, 16, protocol, p, rest);
}

static void check_frame(const struct capture_packet *packet)
{
	const uint8_t *p = packet->data + 12;
	size_t len = packet->caplen - 12;

	seen.frames++;
	assert_int_equal(packet->caplen, packet->wirelen);
	if (be16(p) == 0x88a8) {
		seen.qinq++;
		p += 4;
		len -= 4;
	}
	if (be16(p) == 0x8100) {
		seen.vlan++;
		p += 4;
		len -= 4;
	}
	if (be16(p) == 0x0800)
		check_ipv4(p + 2, len - 2);
	else if (be16(p) == 0x86dd)
		check_ipv6(p + 2, len - 2);
	else
		fail_msg("ethertype 0x%04x", be16(p));
}

static void check_capture(const char *path)
{
	char errbuf[CAPTURE_ERRBUF];
	struct capture_reader *reader;
	struct capture_packet packet;
	uint64_t last = 0;

	for (size_t i = 0; i < seen.stream_count; i++)
		free(seen.streams[i].bytes);
	memset(&seen, 0, sizeof(seen));
	if (capture_open(path, &reader, errbuf))
		fail_msg("%s", errbuf);
	while (capture_next(reader, &packet) == 1) {
		assert_true(packet.ts_ns >= last);
		last = packet.ts_ns;
		check_frame(&packet);
	}
	assert_string_equal(capture_error(reader), "");
	capture_close(reader);
}

/* Every byte from SYN to FIN is there. */
static void streams_are_whole(void)
{
	for (size_t i = 0; i < seen.stream_count; i++) {
		struct stream *s = &seen.streams[i];

		assert_int_equal(s->len, s->end);
		assert_null(memchr(s->seen, 0, s->len));
	}
}

static unsigned int streams_with(const char *text)
{
	unsigned int count = 0;

	for (size_t i = 0; i < seen.stream_count; i++)
		count += memmem(seen.streams[i].bytes, seen.streams[i].len, text, strlen(text)) !=
			 NULL;
	return count;
}

static void packets_are_well_formed_and_counted(void **state)
{
	const char *path = scratch_path("mix");
	struct gen_counts counts;

	GENERATE(&counts, "mix", "--mails", "30", "--calls", "60", "--size", "9K", path);
	check_capture(path);
	streams_are_whole();
	assert_int_equal(seen.frames, counts.packets);
	assert_int_equal(seen.stream_count, 2 * counts.tcp_flows);
	assert_int_equal(seen.differing, 0);
	assert_int_equal(counts.messages_attempted, 30);
	assert_int_equal(counts.calls_attempted, 60);
	assert_int_equal(streams_with("EHLO out"), counts.smtp_sessions);
	assert_int_equal(streams_with("\r\nQUIT\r\n"), counts.smtp_sessions);
	assert_int_equal(seen.invites + streams_with("INVITE sip:+1"), 60);
}

static void the_same_seed_gives_the_same_bytes(void **state)
{
	static char a[1 << 20], b[1 << 20];
	struct gen_counts counts;
	FILE *f;

	GENERATE(&counts, "mix", "--mails", "20", "--calls", "20", "--size", "8K", "--reorder",
		 "5%", scratch_path("one"));
	GENERATE(&counts, "mix", "--mails", "20", "--calls", "20", "--size", "8K", "--reorder",
		 "5%", scratch_path("two"));
	GENERATE(&counts, "mix", "--mails", "20", "--calls", "20", "--size", "8K", "--reorder",
		 "5%", "--seed", "2", scratch_path("other"));
	for (int i = 0; i < 2; i++) {
		memset(a, 0, sizeof(a));
		memset(b, 0, sizeof(b));
		f = fopen(scratch_path("one"), "r");
		assert_in_range(fread(a, 1, sizeof(a), f), 1000, sizeof(a) - 1);
		fclose(f);
		f = fopen(scratch_path(i ? "other" : "two"), "r");
		assert_in_range(fread(b, 1, sizeof(b), f), 1000, sizeof(b) - 1);
		fclose(f);
		assert_int_equal(memcmp(a, b, sizeof(a)) != 0, i);
	}
}

static void faults_keep_every_byte_true(void **state)
{
	const char *path = scratch_path("faults");
	struct gen_counts counts;

	GENERATE(&counts, "mix", "--mails", "40", "--calls", "60", "--size", "9K", "--retransmit",
		 "5%", "--reorder", "5%", "--overlap", "5%", "--fragment", "10%", "--ipv6", "0.4",
		 "--sip-tcp", "0.5", "--bdat", "0.5", "--tls", "0.2", path);
	check_capture(path);
	streams_are_whole();
	assert_int_equal(seen.differing, 0);
	assert_true(counts.retransmitted && counts.reordered && counts.overlapped);
	assert_in_range(seen.fragments, 2 * counts.fragmented, 4 * counts.fragmented);
	assert_true(counts.fragmented > 0 && counts.smtp_starttls > 0);
	assert_int_equal(streams_with("STARTTLS\r\n\x16\x03\x01"), counts.smtp_starttls);
}

static void a_decoy_is_a_second_copy_that_differs(void **state)
{
	const char *path = scratch_path("decoy");
	struct gen_counts counts;

	GENERATE(&counts, "mail", "--count", "20", "--size", "8K", "--decoy", "10%", path);
	check_capture(path);
	streams_are_whole();
	assert_true(counts.decoys > 0);
	assert_in_range(seen.differing, 1, counts.decoys);
	assert_int_equal(streams_with("EHLO out"), counts.smtp_sessions);
}

static void tags_and_pcap_and_prefixes_as_asked(void **state)
{
	const char *path = scratch_path("tags");
	static const uint8_t v4[3] = {192, 0, 2}, v6[4] = {0x20, 0x01, 0x0d, 0xb9};
	struct gen_counts counts;

	GENERATE(&counts, "call", "--count", "40", "--sip-tcp", "1", "--pcap", "--vlan", "7",
		 "--outer-vlan", "8", "--prefix", "192.0.2.0/28", "--prefix", "2001:db9::/32",
		 path);
	check_capture(path);
	assert_int_equal(seen.vlan, seen.frames);
	assert_int_equal(seen.qinq, seen.frames);
	assert_in_range(seen.ipv6, 1, seen.frames - 1);
	for (size_t i = 0; i < seen.stream_count; i += 2)
		assert_true(!memcmp(seen.streams[i].key, v4, 3) ||
			    !memcmp(seen.streams[i].key, v6, 4));
}

static void shares_mean_what_they_say(void **state)
{
	struct gen_counts counts;

	GENERATE(&counts, "call", "--count", "4000", "--answered", "50%", "--short", "0.25",
		 "--emergency", "10%", "--opt-out", "0.1", "--unfinished", "0", "/dev/null");
	assert_in_range(counts.calls_answered, 1900, 2100);
	assert_in_range(counts.calls_short, counts.calls_answered / 5, counts.calls_answered / 3);
	assert_int_equal(counts.calls_completed, counts.calls_answered);
	assert_in_range(counts.calls_emergency, 340, 460);
	assert_in_range(counts.calls_opted_out, 300, 430);
	GENERATE(&counts, "mail", "--count", "1000", "--size", "2K", "--spam", "0.5", "--refused",
		 "0.1", "--recipients", "5", "/dev/null");
	assert_in_range(counts.messages_spam, 440, 560);
	assert_in_range(counts.messages_refused, 70, 130);
	assert_int_equal(counts.messages_accepted + counts.messages_refused, 1000);
	assert_in_range(counts.recipients_attempted, 4000, 5500);
}

static void sizes_have_the_mean_that_was_asked_for(void **state)
{
	struct gen_random random = {1};
	uint64_t sum = 0;

	for (int i = 0; i < 100000; i++)
		sum += random_size(&random, 50000);
	assert_in_range(sum / 100000, 49500, 50500);
	assert_int_equal(random_size(&random, 0), 1);
}

static void wireshark_finds_nothing_malformed(void **state)
{
	const char *path = scratch_path("shark");
	char command[512], out[4096];
	struct gen_counts counts;

	if (!is_installed("tshark"))
		skip();
	GENERATE(&counts, "mix", "--mails", "60", "--calls", "100", "--size", "12K", "--tls", "0.2",
		 "--ipv6", "0.3", "--fragment", "2%", "--sip-tcp", "0.3", path);
	snprintf(command, sizeof(command),
		 "tshark -r %s -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE "
		 "-o ip.check_checksum:TRUE -Y '_ws.malformed || tcp.checksum.status == 0 || "
		 "udp.checksum.status == 0 || ip.checksum.status == 0 || tcp.analysis.flags || "
		 "_ws.expert.severity >= 6291456' 2>/dev/null",
		 path);
	assert_int_equal(shell_output(command, out, sizeof(out)), 0);
	assert_string_equal(out, "");
	snprintf(
		command, sizeof(command),
		"tshark -r %s -Y 'sip.CSeq.method == INVITE && sip.Status-Code == 200' 2>/dev/null "
		"| wc -l",
		path);
	assert_int_equal(shell_output(command, out, sizeof(out)), 0);
	assert_int_equal(atoi(out), counts.calls_answered);
}

static int teardown(void **state)
{
	for (size_t i = 0; i < seen.stream_count; i++)
		free(seen.streams[i].bytes);
	return scratch_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_are_well_formed_and_counted),
		cmocka_unit_test(the_same_seed_gives_the_same_bytes),
		cmocka_unit_test(faults_keep_every_byte_true),
		cmocka_unit_test(a_decoy_is_a_second_copy_that_differs),
		cmocka_unit_test(tags_and_pcap_and_prefixes_as_asked),
		cmocka_unit_test(shares_mean_what_they_say),
		cmocka_unit_test(sizes_have_the_mean_that_was_asked_for),
		cmocka_unit_test(wireshark_finds_nothing_malformed),
	};

	return cmocka_run_group_tests(tests, scratch_setup, teardown);
}
