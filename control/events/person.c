/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/events/person.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "bpf/list.h"
#include "bpf/siphash.h"
#include "control/base/file_replace.h"

#define NAME   "person.key"
#define PREFIX "hash:"

static int key_make(int dir, struct person_key *key)
{
	if (getrandom(key, sizeof(*key), 0) != sizeof(*key))
		return -EIO;
	return file_replace(dir, NAME, key, sizeof(*key));
}

int person_key_open(int dir, struct person_key *key, char error[PERSON_ERROR])
{
	int fd = openat(dir, NAME, O_RDONLY | O_CLOEXEC), rc = 0;
	ssize_t n;

	if (fd < 0 && errno == ENOENT) {
		rc = key_make(dir, key);
	} else if (fd < 0) {
		rc = -errno;
	} else {
		n = read(fd, key, sizeof(*key));
		close(fd);
		if (n != sizeof(*key))
			rc = -EBADMSG;
	}
	if (rc)
		snprintf(error, PERSON_ERROR, NAME ": %s",
			 rc == -EBADMSG ? "it is cut short" : strerror(-rc));
	return rc;
}

uint64_t person_hash(const struct person_key *key, const void *text, size_t len)
{
	uint8_t normal[LIST_TEXT_MAX];
	size_t n = list_address(text, len, normal);
	uint64_t hash;

	if (!n)
		n = list_number(text, len, normal);
	hash = n ? siphash(key->word, normal, n) : siphash(key->word, text, len);
	return hash ? hash : 1;
}

const char *person_text(uint64_t hash, char text[PERSON_TEXT])
{
	snprintf(text, PERSON_TEXT, PREFIX "%016llx", (unsigned long long)hash);
	return text;
}

uint64_t person_parse(const char *text)
{
	char *end;
	unsigned long long hash;

	if (strncmp(text, PREFIX, strlen(PREFIX)) != 0 || strlen(text) != PERSON_TEXT - 1)
		return 0;
	hash = strtoull(text + strlen(PREFIX), &end, 16);
	return *end ? 0 : hash;
}
