/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config/emergency_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/text_file.h"

/* Made of rules/emergency-numbers.conf by the build. */
static const char built_in[] =
#include "control/emergency_numbers.inc"
	;

#define NUMBERS_PER_COUNTRY 32
#define BLANKS              " \t"

/* -1: not a country's code. */
static int country_index(const char *word)
{
	if (strcmp(word, "*") == 0)
		return EMERGENCY_COUNTRIES;
	if (word[0] < 'A' || word[0] > 'Z' || word[1] < 'A' || word[1] > 'Z' || word[2])
		return -1;
	return (word[0] - 'A') * 26 + word[1] - 'A';
}

/* 0: not an emergency number. */
static uint64_t number_pack(const char *word)
{
	size_t len = strlen(word);
	uint64_t packed = 0;

	if (!len || len > sizeof(packed) || strspn(word, "0123456789") != len)
		return 0;
	memcpy(&packed, word, len);
	return packed;
}

static int number_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int append(struct policy_emergency *table, size_t *total, int country,
		  const uint64_t *numbers, size_t count)
{
	uint64_t *more = reallocarray(table->numbers, *total + count, sizeof(*more));

	if (!more)
		return -ENOMEM;
	table->numbers = more;
	memcpy(more + *total, numbers, count * sizeof(*numbers));
	table->country[country].first = *total;
	table->country[country].count = count;
	*total += count;
	return 0;
}

static int read_line(struct policy_emergency *table, size_t *total, char *entry,
		     const struct text_file *file, struct diag *diag)
{
	uint64_t numbers[NUMBERS_PER_COUNTRY];
	char *rest = NULL, *word = strtok_r(entry, BLANKS, &rest);
	int country = country_index(word);
	size_t count = 0;

	if (country < 0) {
		diag_error(diag, file->path, file->line,
			   "expected a country's two capital letters or \"*\", not \"%.20s\"",
			   word);
		return 0;
	}
	if (table->country[country].count) {
		diag_error(diag, file->path, file->line, "%s has a line already", word);
		return 0;
	}
	while ((word = strtok_r(NULL, BLANKS, &rest))) {
		uint64_t packed = number_pack(word);

		if (!packed)
			diag_error(diag, file->path, file->line,
				   "expected a number of 1 to 8 digits, not \"%.20s\"", word);
		else if (count == NUMBERS_PER_COUNTRY)
			diag_error(diag, file->path, file->line, "more than %d numbers",
				   NUMBERS_PER_COUNTRY);
		else
			numbers[count++] = packed;
	}
	if (!count) {
		diag_error(diag, file->path, file->line, "a country without numbers");
		return 0;
	}
	qsort(numbers, count, sizeof(numbers[0]), number_compare);
	return append(table, total, country, numbers, count);
}

int emergency_init(struct policy_emergency *table, const char *path, struct diag *diag)
{
	struct text_file file;
	size_t total = 0;
	char *entry;
	int err;

	memset(table, 0, sizeof(*table));
	err = path ? text_file_open(&file, path)
		   : text_file_open_memory(&file, "emergency-numbers.conf", built_in,
					   sizeof(built_in) - 1);
	if (err)
		return err;
	while (!err && (entry = text_file_next(&file, diag)))
		err = read_line(table, &total, entry, &file, diag);
	if (!err && !table->country[EMERGENCY_COUNTRIES].count)
		diag_error(diag, file.path, 0, "no line \"*\" for countries that are not listed");
	text_file_close(&file);
	if (err)
		emergency_fini(table);
	return err;
}

void emergency_fini(struct policy_emergency *table)
{
	free(table->numbers);
	memset(table, 0, sizeof(*table));
}
