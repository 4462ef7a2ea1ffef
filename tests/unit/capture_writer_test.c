/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/capture/capture_writer.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

#include <errno.h>

static const struct {
	uint64_t ts_ns;
	const char *data;
	uint32_t caplen, wirelen;
	const char *interface;
	uint16_t linktype;
	const char *comment;
} packets[] = {
	{1700000000123456789, "", 0, 60, "inside", CAPTURE_LINK_ETHERNET, NULL},
	{1700000000123456790, "a", 1, 1, "outside", CAPTURE_LINK_ETHERNET, "reason: spoofed"},
	{5, "four", 4, 1500, "inside", CAPTURE_LINK_RAW, ""},
	{1700000001999999999, "13 bytes long", 13, 13, "inside", CAPTURE_LINK_ETHERNET, "x"},
};
enum { PACKETS = sizeof(packets) / sizeof(packets[0]) };

static struct capture_writer *writer_new(const char *path, enum capture_format format)
{
	struct capture_writer *writer;

	assert_int_equal(capture_writer_open(path, format, "postern test", "a comment", &writer),
			 0);
	return writer;
}

static void write_packets(const char *path, enum capture_format format)
{
	struct capture_writer *writer = writer_new(path, format);

	for (int i = 0; i < PACKETS; i++) {
		int id = capture_writer_interface(writer, packets[i].interface,
						  format == CAPTURE_FORMAT_PCAP
							  ? CAPTURE_LINK_ETHERNET
							  : packets[i].linktype);

		assert_true(id >= 0);
		assert_int_equal(capture_writer_packet(writer, id, packets[i].ts_ns,
						       packets[i].data, packets[i].caplen,
						       packets[i].wirelen, packets[i].comment),
				 0);
	}
	assert_int_equal(capture_writer_finish(writer), 0);
}

static void read_packets(const char *path, enum capture_format format)
{
	static const uint32_t interfaces[PACKETS] = {0, 1, 2, 0};
	char errbuf[CAPTURE_ERRBUF];
	struct capture_reader *reader;
	struct capture_packet p;

	if (capture_open(path, &reader, errbuf))
		fail_msg("%s", errbuf);
	for (int i = 0; i < PACKETS; i++) {
		assert_int_equal(capture_next(reader, &p), 1);
		assert_int_equal(p.ts_ns, packets[i].ts_ns);
		assert_int_equal(p.caplen, packets[i].caplen);
		assert_int_equal(p.wirelen, packets[i].wirelen);
		assert_memory_equal(p.data, packets[i].data, p.caplen);
		if (format == CAPTURE_FORMAT_PCAPNG) {
			assert_int_equal(p.interface, interfaces[i]);
			assert_int_equal(p.linktype, packets[i].linktype);
		}
	}
	assert_int_equal(capture_next(reader, &p), 0);
	capture_close(reader);
}

static void what_is_written_is_read_again(void **state)
{
	for (int format = CAPTURE_FORMAT_PCAPNG; format <= CAPTURE_FORMAT_PCAP; format++) {
		write_packets(scratch_path("round"), (enum capture_format)format);
		read_packets(scratch_path("round"), (enum capture_format)format);
	}
}

static void wireshark_reads_what_is_written(void **state)
{
	char command[512], out[4096];

	if (!is_installed("tshark") || !is_installed("capinfos"))
		skip();
	write_packets(scratch_path("shark"), CAPTURE_FORMAT_PCAPNG);
	snprintf(command, sizeof(command),
		 "tshark -r %s -T fields -E separator=, -e frame.time_epoch -e frame.cap_len "
		 "-e frame.len -e frame.interface_name -e frame.comment 2>/dev/null",
		 scratch_path("shark"));
	assert_int_equal(shell_output(command, out, sizeof(out)), 0);
	assert_string_equal(out, "1700000000.123456789,0,60,inside,\n"
				 "1700000000.123456790,1,1,outside,reason: spoofed\n"
				 "0.000000005,4,1500,inside,\n"
				 "1700000001.999999999,13,13,inside,x\n");
	snprintf(command, sizeof(command), "capinfos %s 2>/dev/null", scratch_path("shark"));
	assert_int_equal(shell_output(command, out, sizeof(out)), 0);
	assert_non_null(strstr(out, "Capture comment:     a comment\n"));
	write_packets(scratch_path("shark"), CAPTURE_FORMAT_PCAP);
	snprintf(command, sizeof(command), "capinfos -Mc -T -r %s 2>/dev/null",
		 scratch_path("shark"));
	assert_int_equal(shell_output(command, out, sizeof(out)), 0);
	assert_non_null(strstr(out, "\t4\n"));
}

static void a_file_without_packets_is_a_capture(void **state)
{
	for (int format = CAPTURE_FORMAT_PCAPNG; format <= CAPTURE_FORMAT_PCAP; format++) {
		char errbuf[CAPTURE_ERRBUF];
		struct capture_reader *reader;
		struct capture_packet p;

		assert_int_equal(capture_writer_finish(writer_new(scratch_path("none"),
								  (enum capture_format)format)),
				 0);
		assert_int_equal(capture_open(scratch_path("none"), &reader, errbuf), 0);
		assert_int_equal(capture_next(reader, &p), 0);
		capture_close(reader);
	}
}

/* Larger than the buffer, in pieces that straddle its end. */
static void many_packets_pass_through_the_buffer(void **state)
{
	enum { COUNT = 3000 };
	struct capture_writer *writer = writer_new(scratch_path("many"), CAPTURE_FORMAT_PCAPNG);
	int id = capture_writer_interface(writer, "inside", CAPTURE_LINK_ETHERNET);
	char errbuf[CAPTURE_ERRBUF];
	struct capture_reader *reader;
	struct capture_packet p;
	uint8_t data[1500];

	for (unsigned int i = 0; i < COUNT; i++) {
		memset(data, (int)i, sizeof(data));
		assert_int_equal(capture_writer_packet(writer, id, i, data, i % 1500, 1500, NULL),
				 0);
	}
	assert_int_equal(capture_writer_finish(writer), 0);
	assert_int_equal(capture_open(scratch_path("many"), &reader, errbuf), 0);
	for (unsigned int i = 0; i < COUNT; i++) {
		assert_int_equal(capture_next(reader, &p), 1);
		assert_int_equal(p.ts_ns, i);
		assert_int_equal(p.caplen, i % 1500);
		for (uint32_t at = 0; at < p.caplen; at++)
			assert_int_equal(p.data[at], (uint8_t)i);
	}
	assert_int_equal(capture_next(reader, &p), 0);
	capture_close(reader);
}

static void the_file_appears_when_it_is_finished(void **state)
{
	struct capture_writer *writer;

	scratch_files(true);
	writer = writer_new(scratch_path("late"), CAPTURE_FORMAT_PCAPNG);
	assert_int_not_equal(access(scratch_path("late"), F_OK), 0);
	assert_int_equal(capture_writer_finish(writer), 0);
	assert_int_equal(access(scratch_path("late"), F_OK), 0);
	assert_int_equal(scratch_files(false), 1);
	capture_writer_abort(writer_new(scratch_path("never"), CAPTURE_FORMAT_PCAPNG));
	assert_int_equal(scratch_files(false), 1);
}

static void a_full_disk_is_told(void **state)
{
	struct capture_writer *writer;
	static uint8_t data[65536];
	int id, err = 0;

	/* Seen at the end, when little was written … */
	assert_int_equal(capture_writer_finish(writer_new("/dev/full", CAPTURE_FORMAT_PCAPNG)),
			 -ENOSPC);
	/* … or when the buffer went out, and then again. */
	writer = writer_new("/dev/full", CAPTURE_FORMAT_PCAP);
	id = capture_writer_interface(writer, "x", CAPTURE_LINK_ETHERNET);
	for (int i = 0; i < 8; i++)
		err = capture_writer_packet(writer, id, 0, data, sizeof(data), 65536, NULL);
	assert_int_equal(err, -ENOSPC);
	assert_int_equal(capture_writer_finish(writer), -ENOSPC);
}

static void bad_requests_are_refused(void **state)
{
	struct capture_writer *writer;
	char name[16];

	assert_int_equal(
		capture_writer_open("/nonexistent/x", CAPTURE_FORMAT_PCAP, NULL, NULL, &writer),
		-ENOENT);
	writer = writer_new(scratch_path("bad"), CAPTURE_FORMAT_PCAP);
	assert_int_equal(capture_writer_interface(writer, "a", CAPTURE_LINK_ETHERNET), 0);
	assert_int_equal(capture_writer_interface(writer, "b", CAPTURE_LINK_RAW), -EINVAL);
	assert_int_equal(capture_writer_packet(writer, 0, 0, "", CAPTURE_MAX_PACKET + 1, 9, NULL),
			 -EMSGSIZE);
	capture_writer_abort(writer);
	writer = writer_new(scratch_path("bad"), CAPTURE_FORMAT_PCAPNG);
	for (int i = 0; i < CAPTURE_MAX_INTERFACES; i++) {
		snprintf(name, sizeof(name), "if%d", i);
		assert_int_equal(capture_writer_interface(writer, name, 1), i);
	}
	assert_int_equal(capture_writer_interface(writer, "if7", 1), 7);
	assert_int_equal(capture_writer_interface(writer, "if7", 101), -ENOSPC);
	capture_writer_abort(writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(wireshark_reads_what_is_written),
		cmocka_unit_test(a_file_without_packets_is_a_capture),
		cmocka_unit_test(many_packets_pass_through_the_buffer),
		cmocka_unit_test(the_file_appears_when_it_is_finished),
		cmocka_unit_test(a_full_disk_is_told),
		cmocka_unit_test(bad_requests_are_refused),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
