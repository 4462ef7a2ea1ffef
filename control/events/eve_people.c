/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/events/eve_people.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "bpf/list.h"

enum people {
	PEOPLE_NONE,
	PEOPLE_ALONE, /* the field is one: all of it goes but the hashes */
	PEOPLE_TOLD,  /* a text that may name some */
};

static const unsigned char people[FIELD_KEY_COUNT] = {
	[FIELD_KEY_SMTP_RCPT_TO] = PEOPLE_ALONE,    [FIELD_KEY_EMAIL_TO] = PEOPLE_ALONE,
	[FIELD_KEY_EMAIL_CC] = PEOPLE_ALONE,        [FIELD_KEY_SIP_TO] = PEOPLE_ALONE,
	[FIELD_KEY_SIP_URI] = PEOPLE_ALONE,         [FIELD_KEY_CALL_TO] = PEOPLE_ALONE,
	[FIELD_KEY_SIP_REQUEST_LINE] = PEOPLE_TOLD, [FIELD_KEY_SMTP_REPLY_TEXT] = PEOPLE_TOLD,
	[FIELD_KEY_VERDICT_DETAIL] = PEOPLE_TOLD,   [FIELD_KEY_VERDICT_REJECT] = PEOPLE_TOLD,
	[FIELD_KEY_ALERT_CONTEXT] = PEOPLE_TOLD,    [FIELD_KEY_EMAIL_URL] = PEOPLE_TOLD,
};

bool eve_people_in(enum field_key key)
{
	return key < FIELD_KEY_COUNT && people[key] != PEOPLE_NONE;
}

/* What an address or URI is written with; '/', '=', '?' and '&' end one in a URL. */
static bool is_word(unsigned char c)
{
	return isalnum(c) || c >= 0x80 || (c && strchr("@.:_+-%'!#$^`{}~|*", c));
}

/* The length of a URI's scheme, 0: it is none; *calls: it is one that calls. */
static size_t scheme_of(const char *word, size_t len, bool *calls)
{
	static const char *const schemes[] = {"mailto:", "sip:", "sips:", "tel:"};

	*calls = false;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		const size_t n = strlen(schemes[i]);

		if (len > n && strncasecmp(word, schemes[i], n) == 0) {
			*calls = i > 0;
			return n;
		}
	}
	return 0;
}

/* 0: the word names nobody. A number in a SIP URI is that number, at whatever host. */
static uint64_t person_of(const struct person_key *key, const char *word, size_t len, bool alone)
{
	uint8_t normal[LIST_TEXT_MAX];
	bool calls;
	const size_t scheme = scheme_of(word, len, &calls);
	const char *at;
	size_t user;

	word += scheme;
	len -= scheme;
	at = memchr(word, '@', len);
	user = at ? (size_t)(at - word) : len;
	if (!at && !scheme && !(alone && list_number(word, len, normal)))
		return 0;
	if (user && (calls || !at) && list_number(word, user, normal))
		return person_hash(key, word, user);
	while (len && strchr(".:", word[len - 1])) /* the sentence's */
		len--;
	return len > 1 ? person_hash(key, word, len) : 0;
}

struct text {
	char *out;
	size_t len, size;
};

static void put(struct text *t, const char *bytes, size_t len)
{
	if (len > t->size - t->len)
		len = t->size - t->len;
	memcpy(t->out + t->len, bytes, len);
	t->len += len;
}

static void put_person(struct text *t, uint64_t hash, bool alone)
{
	char text[PERSON_TEXT];

	if (alone && t->len)
		put(t, " ", 1);
	put(t, person_text(hash, text), PERSON_TEXT - 1);
}

/* A detail that is nothing but a telephone number: who said STOP, or START. */
static bool is_number_alone(enum field_key field, const char *p, size_t len)
{
	if (field != FIELD_KEY_VERDICT_DETAIL || !len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isdigit((unsigned char)p[i]) && p[i] != '+' && p[i] != '*' && p[i] != '#')
			return false;
	return true;
}

size_t eve_people_hide(const struct person_key *key, enum field_key field, const void *value,
		       size_t len, char *out, size_t size)
{
	const bool alone = people[field] == PEOPLE_ALONE || is_number_alone(field, value, len);
	struct text t = {out, 0, size};
	const char *p = value, *end = p + len;

	while (p < end) {
		const char *from = p;
		uint64_t hash;

		while (p < end && is_word((unsigned char)*p))
			p++;
		hash = p > from ? person_of(key, from, (size_t)(p - from), alone) : 0;
		if (hash)
			put_person(&t, hash, alone);
		else if (!alone)
			put(&t, from, (size_t)(p - from));
		if (!alone && p < end)
			put(&t, p, 1);
		p += p < end;
	}
	/* Nobody that the gate knows how to read; it is somebody all the same. */
	if (alone && !t.len && len)
		put_person(&t, person_hash(key, value, len), true);
	return t.len;
}
