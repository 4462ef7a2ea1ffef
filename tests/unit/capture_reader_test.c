/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/capture/capture_reader.h"
#include "tests/unit/capture_bytes.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

static char errbuf[CAPTURE_ERRBUF];

static struct capture_reader *open_image(const struct image *im)
{
	struct capture_reader *reader = NULL;

	if (capture_open_bytes("test", im->bytes, im->len, &reader, errbuf) != 0)
		fail_msg("%s", errbuf);
	return reader;
}

static void expect_packet(struct capture_reader *reader, uint64_t ts_ns, const char *data,
			  uint32_t wirelen, uint16_t linktype, uint32_t interface)
{
	struct capture_packet p;

	if (capture_next(reader, &p) != 1)
		fail_msg("no packet: %s", capture_error(reader));
	assert_int_equal(p.ts_ns, ts_ns);
	assert_int_equal(p.caplen, strlen(data));
	assert_memory_equal(p.data, data, p.caplen);
	assert_int_equal(p.wirelen, wirelen);
	assert_int_equal(p.linktype, linktype);
	assert_int_equal(p.interface, interface);
}

static void expect_end(struct capture_reader *reader)
{
	struct capture_packet p;

	assert_int_equal(capture_next(reader, &p), 0);
	assert_int_equal(capture_next(reader, &p), 0);
	capture_close(reader);
}

static void expect_error(struct capture_reader *reader, const char *text)
{
	struct capture_packet p;

	assert_int_equal(capture_next(reader, &p), -1);
	assert_string_equal(capture_error(reader), text);
	assert_int_equal(capture_next(reader, &p), -1);
	capture_close(reader);
}

static void expect_no_capture(const void *data, size_t len, const char *text)
{
	struct capture_reader *reader = NULL;

	assert_int_equal(capture_open_bytes("test", data, len, &reader, errbuf), -EINVAL);
	assert_string_equal(errbuf, text);
	assert_null(reader);
}

static void every_pcap_magic_in_both_byte_orders(void **state)
{
	static const struct {
		uint32_t magic;
		uint64_t frac;
	} kinds[] = {{0xa1b2c3d4, 1000}, {0xa1b23c4d, 1}, {0xa1b2cd34, 1000}};

	for (unsigned int i = 0; i < 6; i++) {
		uint32_t magic = kinds[i / 2].magic;
		struct image im = {.swapped = i % 2};
		struct capture_reader *reader;

		put_pcap_header(&im, magic, 1);
		for (uint32_t n = 0; n < 2; n++) {
			put_pcap_record(&im, 4000000000u, 7 + n, NULL, 0, 60);
			memcpy(im.bytes + im.len - 8, (uint32_t[]){im.swapped ? bswap_32(5) : 5},
			       4);
			if (magic == 0xa1b2cd34)
				put64(&im, 0x1234567800000000);
			put_bytes(&im, "hello", 5);
		}
		reader = open_image(&im);
		for (uint64_t n = 0; n < 2; n++)
			expect_packet(reader, 4000000000000000000u + (7 + n) * kinds[i / 2].frac,
				      "hello", 60, 1, 0);
		assert_int_equal(capture_count(reader), 2);
		expect_end(reader);
	}
}

static void pcap_link_type_is_without_its_frame_check_bits(void **state)
{
	struct image im = {0};
	struct capture_reader *reader;

	put_pcap_header(&im, 0xa1b2c3d4, 0x24000001);
	put_pcap_record(&im, 1, 0, "x", 1, 1);
	reader = open_image(&im);
	expect_packet(reader, 1000000000, "x", 1, 1, 0);
	expect_end(reader);
}

static void pcap_before_2_3_has_its_lengths_the_other_way_round(void **state)
{
	struct image im = {0};
	struct capture_reader *reader;

	put_pcap_header(&im, 0xa1b2c3d4, 101);
	memcpy(im.bytes + 6, (uint16_t[]){2}, 2);
	put_pcap_record(&im, 1, 0, NULL, 0, 3);
	memcpy(im.bytes + im.len - 8, (uint32_t[]){100}, 4);
	put_bytes(&im, "abc", 3);
	reader = open_image(&im);
	expect_packet(reader, 1000000000, "abc", 100, 101, 0);
	expect_end(reader);
}

static void odd_packets_pass(void **state)
{
	struct image im = {0};
	struct capture_reader *reader;

	put_pcap_header(&im, 0xa1b2c3d4, 65535);
	put_pcap_record(&im, 9, 0, "", 0, 0);
	put_pcap_record(&im, 5, 0, "cut", 3, 1500);
	put_pcap_record(&im, 7, 0, "long", 4, 2);
	reader = open_image(&im);
	expect_packet(reader, 9000000000, "", 0, 65535, 0);
	expect_packet(reader, 5000000000, "cut", 1500, 65535, 0);
	expect_packet(reader, 7000000000, "long", 2, 65535, 0);
	expect_end(reader);
}

static void pcap_without_packets_is_fine(void **state)
{
	struct image im = {0};

	put_pcap_header(&im, 0xa1b2c3d4, 1);
	expect_end(open_image(&im));
}

static void what_is_no_capture_says_what_it_is(void **state)
{
	struct capture_reader *reader;
	struct image im = {0};

	expect_no_capture("", 0, "test: offset 0: the file is empty (0 packets read before)");
	expect_no_capture("GET / HT", 8,
			  "test: offset 0: not a pcap or pcapng capture: it begins with "
			  "47 45 54 20 2f 20 48 54 \"GET / HT\" (0 packets read before)");
	expect_no_capture("\xd4\xc3", 2,
			  "test: offset 0: not a pcap or pcapng capture: it begins with "
			  "d4 c3 \"..\" (0 packets read before)");
	expect_no_capture("\x1f\x8b\x08\0\0\0", 6,
			  "test: offset 0: not a pcap or pcapng capture: compressed by gzip: "
			  "gunzip it first (0 packets read before)");
	put_pcap_header(&im, 0xa1b2c3d4, 1);
	im.bytes[4] = 3;
	im.bytes[5] = 0;
	expect_no_capture(im.bytes, im.len,
			  "test: offset 4: pcap version 3.4 is not known (2.0 to 2.4 are) "
			  "(0 packets read before)");
	assert_int_equal(capture_open("/nonexistent/x.pcap", &reader, errbuf), -ENOENT);
	assert_string_equal(errbuf, "/nonexistent/x.pcap: No such file or directory");
	assert_int_equal(capture_open("/", &reader, errbuf), -EISDIR);
	assert_string_equal(errbuf, "/: Is a directory");
}

static void a_record_cut_short_keeps_what_came_before(void **state)
{
	struct image im = {0};
	struct capture_reader *reader;

	put_pcap_header(&im, 0xa1b2c3d4, 1);
	put_pcap_record(&im, 1, 0, "abc", 3, 3);
	put_pcap_record(&im, 2, 0, "defgh", 5, 5);
	im.len -= 2;
	reader = open_image(&im);
	expect_packet(reader, 1000000000, "abc", 3, 1, 0);
	expect_error(reader, "test: offset 43: the file ends inside a packet's record: "
			     "19 of 21 bytes (1 packets read before)");
	im.len = 50;
	reader = open_image(&im);
	expect_packet(reader, 1000000000, "abc", 3, 1, 0);
	expect_error(reader, "test: offset 43: the file ends inside a record's header: "
			     "7 of 16 bytes (1 packets read before)");
}

static void an_absurd_length_is_refused(void **state)
{
	struct image im = {0};

	put_pcap_header(&im, 0xa1b2c3d4, 1);
	put_pcap_record(&im, 1, 0, NULL, 0, 3);
	memset(im.bytes + 32, 0xff, 4);
	expect_error(open_image(&im),
		     "test: offset 24: a record claims 4294967295 bytes captured, and no packet "
		     "has over 262144 (0 packets read before)");
}

static void pcapng_sections_interfaces_and_all_packet_blocks(void **state)
{
	struct image im = {0};
	struct capture_reader *reader;
	size_t block;

	put_section(&im);
	put_interface(&im, 1, 4);
	put_interface(&im, 101, 0);
	put_enhanced(&im, 1, 5, "five5", 5, 50);
	block = begin_block(&im, 0x40000bad); /* somebody's own */
	put_bytes(&im, "whatever it holds", 17);
	end_block(&im, block);
	block = begin_block(&im, 3);
	put32(&im, 9);
	put_bytes(&im, "simp", 4);
	end_block(&im, block);
	block = begin_block(&im, 2);
	put16(&im, 0);
	put16(&im, 77); /* drops */
	put32(&im, 1);
	put32(&im, 0);
	put32(&im, 3);
	put32(&im, 3);
	put_bytes(&im, "old", 3);
	end_block(&im, block);
	im.swapped = true;
	put_section(&im);
	put_interface(&im, 276, 0);
	put_enhanced(&im, 0, 6, "other order", 11, 11);

	reader = open_image(&im);
	expect_packet(reader, 5000, "five5", 50, 101, 1);
	expect_packet(reader, 5000, "simp", 9, 1, 0);
	expect_packet(reader, (uint64_t)1000 << 32, "old", 3, 1, 0);
	expect_packet(reader, 6000, "other order", 11, 276, 2);
	expect_end(reader);
}

static void pcapng_times_in_every_resolution(void **state)
{
	static const struct {
		uint8_t resolution;
		int64_t offset;
		uint64_t units, ns;
	} cases[] = {
		{6, 0, 1500000, 1500000000},
		{9, 0, 1500000001, 1500000001},
		{0, 0, 3, 3000000000},
		{3, 0, 1500, 1500000000},
		{12, 0, 1500000000999, 1500000000},
		{28, 0, UINT64_MAX, 1},
		{29, 0, UINT64_MAX, 0},
		{127, 0, UINT64_MAX, 0},
		{128, 0, 3, 3000000000},
		{128 + 1, 0, 3, 1500000000},
		{128 + 32, 0, (uint64_t)7 << 32 | 0x80000000, 7500000000},
		{255, 0, UINT64_MAX, 0},
		{6, 100, 1, 100000001000},
		{6, -1, 2000000, 1000000000},
		{6, -3, 2000000, 0},
		{0, 0, UINT64_MAX, UINT64_MAX},
		{0, INT64_MAX, UINT64_MAX, UINT64_MAX},
		{0, INT64_MIN, 0, 0},
	};

	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct image im = {.swapped = i % 2};
		struct capture_reader *reader;
		size_t block;
		uint64_t offset = (uint64_t)cases[i / 2].offset;

		put_section(&im);
		block = begin_block(&im, 1);
		put32(&im, im.swapped ? 1 << 16 : 1);
		memcpy(im.bytes + im.len - 4, (uint16_t[]){im.swapped ? bswap_16(1) : 1, 0}, 4);
		put32(&im, 0);
		put_option(&im, 2, "eth0", 4);
		put_option(&im, 9, &cases[i / 2].resolution, 1);
		offset = im.swapped ? bswap_64(offset) : offset;
		put_option(&im, 14, &offset, 8);
		put_option(&im, 0, NULL, 0);
		end_block(&im, block);
		put_enhanced(&im, 0, cases[i / 2].units, "t", 1, 1);
		reader = open_image(&im);
		expect_packet(reader, cases[i / 2].ns, "t", 1, 1, 0);
		expect_end(reader);
	}
}

static void pcapng_damage_is_told(void **state)
{
	struct image start = {0}, im;
	struct capture_reader *reader;
	size_t block;

	put_section(&start);
	put_interface(&start, 1, 0);
	put_enhanced(&start, 0, 1, "ok", 2, 2);

	im = start;
	put_enhanced(&im, 1, 2, "x", 1, 1);
	reader = open_image(&im);
	expect_packet(reader, 1000, "ok", 2, 1, 0);
	expect_error(reader, "test: offset 84: a packet of interface 1, and 1 are described "
			     "(1 packets read before)");

	im = start;
	put_enhanced(&im, 0, 2, "x", 1, 1);
	im.bytes[im.len - 4]++;
	reader = open_image(&im);
	expect_packet(reader, 1000, "ok", 2, 1, 0);
	expect_error(reader, "test: offset 84: a block of type 0x6 says 36 bytes at its start and "
			     "37 at its end (1 packets read before)");

	im = start;
	put_enhanced(&im, 0, 2, "x", 1, 1);
	im.bytes[start.len + 20] = 5; /* captured: one more than there is, padding included */
	reader = open_image(&im);
	expect_packet(reader, 1000, "ok", 2, 1, 0);
	expect_error(reader, "test: offset 84: a packet's block of 36 bytes claims 5 bytes "
			     "captured (1 packets read before)");

	im = start;
	put32(&im, 0x77);
	put32(&im, 0xfffffff0);
	reader = open_image(&im);
	expect_packet(reader, 1000, "ok", 2, 1, 0);
	expect_error(reader, "test: offset 84: the file ends inside a block of type 0x77: "
			     "8 of 4294967280 bytes (1 packets read before)");

	im = start;
	put32(&im, 6);
	put32(&im, 0xfffffff0);
	reader = open_image(&im);
	expect_packet(reader, 1000, "ok", 2, 1, 0);
	expect_error(reader, "test: offset 84: a packet's block claims 4294967280 bytes, over "
			     "16777216 (1 packets read before)");

	im = start;
	put32(&im, 0x77);
	put32(&im, 8);
	reader = open_image(&im);
	expect_packet(reader, 1000, "ok", 2, 1, 0);
	expect_error(reader, "test: offset 84: a block of type 0x77 says that it has 8 bytes, "
			     "under 12 (1 packets read before)");

	im = start;
	block = begin_block(&im, 1);
	put64(&im, 1);
	put16(&im, 9);
	put16(&im, 400);
	end_block(&im, block);
	reader = open_image(&im);
	expect_packet(reader, 1000, "ok", 2, 1, 0);
	expect_error(reader, "test: offset 84: option 9 of an interface (400 bytes) ends outside "
			     "it (1 packets read before)");

	im = start;
	im.bytes[12] = 2;
	expect_no_capture(im.bytes, im.len,
			  "test: offset 0: pcapng version 2.0 is not known "
			  "(0 packets read before)");
	im.bytes[8] = 0;
	expect_no_capture(im.bytes, im.len,
			  "test: offset 0: a section header without its byte-order mark: "
			  "00 3c 2b 1a (0 packets read before)");
}

/* Every cut of a capture is its whole packets and then an end, or an error that counts them. */
static void cut_everywhere(const struct image *im, unsigned int packets)
{
	unsigned int best = 0;

	for (size_t len = 0; len <= im->len; len++) {
		struct capture_reader *reader;
		struct capture_packet p;
		uint8_t *copy = malloc(len ? len : 1); /* its own block: ASan sees over-reads */
		char count[64];
		int more;

		memcpy(copy, im->bytes, len);
		if (capture_open_bytes("cut", copy, len, &reader, errbuf) == 0) {
			while ((more = capture_next(reader, &p)) == 1)
				;
			assert_in_range(capture_count(reader), best, packets);
			best = (unsigned int)capture_count(reader);
			snprintf(count, sizeof(count), "(%u packets read before)", best);
			if (more < 0)
				assert_non_null(strstr(capture_error(reader), count));
			capture_close(reader);
		} else {
			assert_int_equal(best, 0);
			assert_non_null(strstr(errbuf, "cut: offset 0: "));
		}
		free(copy);
	}
	assert_int_equal(best, packets);
}

static void a_file_cut_at_any_byte_ends_clearly(void **state)
{
	struct image im = {0};

	put_pcap_header(&im, 0xa1b2cd34, 1);
	for (int i = 0; i < 3; i++) {
		put_pcap_record(&im, 1, 0, NULL, 0, 3);
		memcpy(im.bytes + im.len - 8, (uint32_t[]){3}, 4);
		put64(&im, 0);
		put_bytes(&im, "abc", 3);
	}
	cut_everywhere(&im, 3);

	im = (struct image){.swapped = true};
	put_section(&im);
	put_interface(&im, 1, 0);
	put_enhanced(&im, 0, 1, "abc", 3, 3);
	put_section(&im);
	put_interface(&im, 1, 0);
	put_enhanced(&im, 0, 1, "abcdef", 6, 9);
	cut_everywhere(&im, 2);
}

/* A writer that is stopped and goes on has written less than it was to (signal(7)). */
static void write_all(int fd, const void *data, size_t size)
{
	for (const uint8_t *at = data; size;) {
		ssize_t n = write(fd, at, size);

		if (n <= 0)
			_exit(1);
		at += n;
		size -= (size_t)n;
	}
}

/* A pipe holds less than this capture and brings it in pieces of an odd size. */
static void a_pipe_reads_like_a_file(void **state)
{
	enum { PACKETS = 40, SIZE = 50000 };
	static uint8_t data[SIZE];
	struct capture_reader *reader;
	struct capture_packet p;
	struct image im = {0};
	int fds[2], status;
	char path[64];
	pid_t writer;

	for (int i = 0; i < SIZE; i++)
		data[i] = (uint8_t)(i * 31 >> 3);
	assert_int_equal(pipe(fds), 0);
	writer = fork();
	if (writer == 0) {
		put_pcap_header(&im, 0xa1b2c3d4, 1);
		write_all(fds[1], im.bytes, im.len);
		for (uint32_t i = 0; i < PACKETS; i++) {
			im.len = 0;
			put_pcap_record(&im, i, 0, NULL, 0, SIZE);
			memcpy(im.bytes + 8, (uint32_t[]){SIZE}, 4);
			write_all(fds[1], im.bytes, im.len);
			for (size_t at = 0; at < SIZE; at += 1000)
				write_all(fds[1], data + at, 1000);
		}
		_exit(0);
	}
	close(fds[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	assert_int_equal(capture_open(path, &reader, errbuf), 0);
	close(fds[0]);
	for (uint64_t i = 0; i < PACKETS; i++) {
		assert_int_equal(capture_next(reader, &p), 1);
		assert_int_equal(p.ts_ns, i * 1000000000);
		assert_int_equal(p.caplen, SIZE);
		assert_memory_equal(p.data, data, SIZE);
	}
	expect_end(reader);
	waitpid(writer, &status, 0);
	assert_int_equal(status, 0);
}

static void a_pipe_skips_blocks_larger_than_its_buffer(void **state)
{
	struct capture_reader *reader;
	struct image im = {0};
	int fds[2], status;
	char path[64];
	pid_t writer;

	assert_int_equal(pipe(fds), 0);
	writer = fork();
	if (writer == 0) {
		static uint8_t zeros[1 << 20];

		put_section(&im);
		put_interface(&im, 1, 0);
		put32(&im, 0x77);
		put32(&im, 12 + 20 * sizeof(zeros));
		write_all(fds[1], im.bytes, im.len);
		for (int i = 0; i < 20; i++)
			write_all(fds[1], zeros, sizeof(zeros));
		im.len = 0;
		put32(&im, 12 + 20 * sizeof(zeros));
		put_enhanced(&im, 0, 1, "after", 5, 5);
		write_all(fds[1], im.bytes, im.len);
		_exit(0);
	}
	close(fds[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	assert_int_equal(capture_open(path, &reader, errbuf), 0);
	close(fds[0]);
	expect_packet(reader, 1000, "after", 5, 1, 0);
	expect_end(reader);
	waitpid(writer, &status, 0);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pcap_magic_in_both_byte_orders),
		cmocka_unit_test(pcap_link_type_is_without_its_frame_check_bits),
		cmocka_unit_test(pcap_before_2_3_has_its_lengths_the_other_way_round),
		cmocka_unit_test(odd_packets_pass),
		cmocka_unit_test(pcap_without_packets_is_fine),
		cmocka_unit_test(what_is_no_capture_says_what_it_is),
		cmocka_unit_test(a_record_cut_short_keeps_what_came_before),
		cmocka_unit_test(an_absurd_length_is_refused),
		cmocka_unit_test(pcapng_sections_interfaces_and_all_packet_blocks),
		cmocka_unit_test(pcapng_times_in_every_resolution),
		cmocka_unit_test(pcapng_damage_is_told),
		cmocka_unit_test(a_file_cut_at_any_byte_ends_clearly),
		cmocka_unit_test(a_pipe_reads_like_a_file),
		cmocka_unit_test(a_pipe_skips_blocks_larger_than_its_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
