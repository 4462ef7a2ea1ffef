/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rules/rule_dataset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "bpf/siphash.h"
#include "control/lists/hashset_build.h"

static const struct {
	const char *name;
	size_t digits; /* of a value, in hex; 0: base64 of any bytes */
} types[] = {[DATASET_STRING] = {"string", 0},
	     [DATASET_MD5] = {"md5", 32},
	     [DATASET_SHA256] = {"sha256", 64}};

#define DATASET_FILE_MAX (256u << 20) /* bytes */
#define LINE_MAX_BYTES   65536

enum rule_dataset_type rule_dataset_type_find(struct rule_word name)
{
	unsigned i;

	for (i = 0; i < DATASET_TYPES && !rule_word_is(name, types[i].name); i++)
		;
	return (enum rule_dataset_type)i;
}

char *rule_dataset_path(struct arena *arena, const char *rules, struct rule_word file)
{
	const char *slash = strrchr(rules, '/');

	if (!file.len || file.p[0] == '/' || memmem(file.p, file.len, "..", 2))
		return NULL;
	return arena_printf(arena, "%.*s%.*s", slash ? (int)(slash + 1 - rules) : 0, rules,
			    (int)file.len, file.p);
}

static int digit_of(const char *digits, char c)
{
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool read_hex(const char *p, size_t len, uint8_t *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		int value =
			digit_of(digits, p[i] >= 'A' && p[i] <= 'F' ? (char)(p[i] | 0x20) : p[i]);

		if (value < 0)
			return false;
		out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | value : value << 4);
	}
	return true;
}

/* RFC 4648 4, padded. */
static bool read_base64(const char *p, size_t len, uint8_t *out, size_t *out_len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = 0, pad = 0;
	uint32_t bits = 0;

	if (!len || len % 4)
		return false;
	while (pad < 2 && p[len - 1 - pad] == '=')
		pad++;
	for (size_t i = 0; i < len - pad; i++) {
		int value = digit_of(digits, p[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		if (i % 4)
			out[n++] = (uint8_t)(bits >> (6 - i % 4 * 2));
	}
	*out_len = n;
	return true;
}

static bool read_value(enum rule_dataset_type type, struct rule_word line, uint8_t *out,
		       size_t *len)
{
	if (!types[type].digits)
		return line.len <= LINE_MAX_BYTES && read_base64(line.p, line.len, out, len);
	*len = line.len / 2;
	return line.len == types[type].digits && read_hex(line.p, line.len, out);
}

static struct rule_word next_line(const char **p, const char *end)
{
	const char *eol = memchr(*p, '\n', (size_t)(end - *p));
	struct rule_word line = {*p, (size_t)((eol ? eol : end) - *p)};

	*p = eol ? eol + 1 : end;
	if (line.len && line.p[line.len - 1] == '\r')
		line.len--;
	return rule_trim(line);
}

/* 0, -errno, or the number of the line that is no value. */
static long read_values(enum rule_dataset_type type, const char *text, size_t size,
			const uint64_t key[2], struct hash_list *list)
{
	uint8_t *value = malloc(LINE_MAX_BYTES);
	const char *p = text, *end = text + size;
	long number = 0, bad = value ? 0 : -ENOMEM;

	while (!bad && p < end) {
		struct rule_word line = next_line(&p, end);
		size_t len;
		uint64_t hash;

		number++;
		if (!line.len || line.p[0] == '#')
			continue;
		if (!read_value(type, line, value, &len)) {
			bad = number;
			break;
		}
		hash = siphash(key, value, len);
		bad = hash_list_add(list, hash ? hash : 1);
	}
	free(value);
	return bad;
}

int rule_dataset_read(const char *path, char **textp, size_t *sizep)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	size_t size = 0, room;
	struct stat st;
	char *text = NULL;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		rc = -errno;
	else if (!S_ISREG(st.st_mode))
		rc = -EINVAL;
	else if (st.st_size > DATASET_FILE_MAX)
		rc = -EFBIG;
	else if (!(text = malloc((size_t)st.st_size + 1)))
		rc = -ENOMEM;
	room = rc ? 0 : (size_t)st.st_size;
	while (!rc && size < room) {
		ssize_t n = read(fd, text + size, room - size);

		if (n == 0)
			break;
		if (n < 0 && errno != EINTR)
			rc = -errno;
		size += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	if (rc) {
		free(text);
		return rc;
	}
	*textp = text;
	*sizep = size;
	return 0;
}

int rule_dataset_load(const struct rule_files *files, const char *path, enum rule_dataset_type type,
		      struct hashset *set, char *error, size_t error_size)
{
	struct hash_list list = {0};
	size_t size = 0;
	char *text = NULL;
	int rc = files ? files->read(files->ctx, path, &text, &size)
		       : rule_dataset_read(path, &text, &size);
	XXH128_hash_t hash;
	long bad;

	if (rc) {
		snprintf(error, error_size, "%s: %s", path, strerror(-rc));
		return rc;
	}
	hash = XXH3_128bits(text, size);
	set->key[0] = hash.low64;
	set->key[1] = hash.high64;
	bad = read_values(type, text, size, set->key, &list);
	if (bad > 0) {
		rc = -EINVAL;
		snprintf(error, error_size, "%s:%ld: no %s", path, bad,
			 types[type].digits ? "hash in hex" : "value in base64");
	} else {
		rc = bad < 0 ? (int)bad : hashset_init(set, &list);
		snprintf(error, error_size, "%s: %s", path, strerror(-rc));
	}
	hash_list_fini(&list);
	free(text);
	return rc;
}
