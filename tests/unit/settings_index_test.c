/* SPDX-License-Identifier: BSD-3-Clause */
/* A configuration as a flat list: names, one form of every value, where it stands. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/config/config.h"
#include "control/config/settings_index.h"
#include "tests/text_file.h"
#include "tests/unit/test.h"

static const char text[] =
	"tiers: { bulk: { messages = \"60/h burst 5\"; bytes = \"1M/s\"; shadow = "
	"[ \"messages\", \"opt_out\" ];\n"
	"    warmup = ( { days = 1; messages = \"1/h\"; } ); }; };\n"
	"tenants: ( { id = 7; name = \"acme\"; prefixes = [ \"10.0.0.0/8\", "
	"\"192.0.2.0/24\" ]; tier = \"bulk\";\n"
	"    limits: { calls = \"unlimited\"; recipients_per_message = 9; }; } );\n"
	"risk: { events: { trap: { points = 30; }; }; z = 2.5; };\n"
	"policy: { retry_after = \"60s\"; };\n";

static void build(struct settings_index *index)
{
	struct diag diag = {0};
	struct config *config = text_config(text, &diag);

	assert_non_null(config);
	assert_int_equal(diag.errors, 0);
	assert_int_equal(settings_index_build(config, index), 0);
	config_free(config);
	diag_fini(&diag);
}

static void expect(const struct settings_index *index, const char *path, const char *value,
		   unsigned line)
{
	const struct settings_row *row = settings_index_find(index, path);

	if (!value) {
		assert_null(row);
		return;
	}
	assert_non_null(row);
	assert_string_equal(settings_text(index, row->value), value);
	assert_int_equal(row->line, line);
	assert_true(!line == !*settings_text(index, row->file));
}

static void check(const struct settings_index *index)
{
	expect(index, "tiers.bulk.messages", "60/h burst 5", 1);
	expect(index, "tiers.bulk.bytes", "1M/s", 1);
	expect(index, "tiers.bulk.shadow", "messages, opt_out", 1);
	expect(index, "tiers.bulk.calls", NULL, 0);
	expect(index, "tenants.acme.id", "7", 3);
	expect(index, "tenants.acme.prefixes", "10.0.0.0/8, 192.0.2.0/24", 3);
	expect(index, "tenants.acme.limits.calls", "unlimited", 4);
	expect(index, "tenants.acme.limits.recipients_per_message", "9", 4);
	expect(index, "tenants.acme.limits.messages", NULL, 0);
	expect(index, "tenants.acme.emergency", "alert", 0);
	expect(index, "tenants.other.id", NULL, 0);
	expect(index, "risk.events.trap.points", "30", 5);
	expect(index, "risk.z", "2.5", 5);
	expect(index, "risk.watch", "25", 0);
	expect(index, "policy.retry_after", "1min", 6);
	expect(index, "policy.actions.opt_out", "reject", 0);
	expect(index, "policy.smtp_answers.rule", "550 5.7.1 Refused by policy", 0);
	expect(index, "inspect.sip", "5060 5080", 0);
	expect(index, "", NULL, 0);
	for (size_t i = 1; i < index->count; i++)
		assert_true(strcmp(settings_text(index, index->row[i - 1].path),
				   settings_text(index, index->row[i].path)) < 0);
}

static void every_value_has_a_name_one_form_and_a_place(void **state)
{
	struct settings_index index;

	build(&index);
	check(&index);
	assert_int_equal(settings_index_from(&index, ""), 0);
	assert_int_equal(settings_index_from(&index, "\x7f"), index.count);
	settings_index_fini(&index);
}

static int written(size_t *size)
{
	struct diag diag = {0};
	struct config *config = text_config(text, &diag);
	int fd = memfd_create("settings", MFD_CLOEXEC);
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(settings_index_write(config, fd), 0);
	assert_int_equal(fstat(fd, &st), 0);
	*size = (size_t)st.st_size;
	config_free(config);
	diag_fini(&diag);
	return fd;
}

static void it_survives_the_way_to_posternd(void **state)
{
	struct settings_index index;
	size_t size;
	int fd = written(&size);

	assert_int_equal(settings_index_map(fd, size, &index), 0);
	check(&index);
	settings_index_fini(&index);
	assert_int_equal(settings_index_map(-1, 0, &index), 0);
	expect(&index, "risk.z", NULL, 0);
	settings_index_fini(&index);
	close(fd);
}

static void what_is_cut_or_lies_is_refused(void **state)
{
	struct settings_index index;
	const uint64_t many = 1 << 20, rows = UINT64_MAX / 8;
	uint32_t far = UINT32_MAX;
	size_t size;
	int fd = written(&size);

	for (size_t cut = 0; cut < size; cut += cut < 64 ? 1 : 37)
		assert_int_equal(settings_index_map(fd, cut, &index), -EBADMSG);
	assert_int_equal(pwrite(fd, &far, sizeof(far), 16 + 4), sizeof(far));
	assert_int_equal(settings_index_map(fd, size, &index), -EBADMSG);
	assert_int_equal(pwrite(fd, &many, sizeof(many), 0), sizeof(many));
	assert_int_equal(settings_index_map(fd, size, &index), -EBADMSG);
	assert_int_equal(pwrite(fd, &rows, sizeof(rows), 0), sizeof(rows));
	assert_int_equal(settings_index_map(fd, size, &index), -EBADMSG);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_has_a_name_one_form_and_a_place),
		cmocka_unit_test(it_survives_the_way_to_posternd),
		cmocka_unit_test(what_is_cut_or_lies_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
