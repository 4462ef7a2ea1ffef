/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/match_plain.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const enum rule_buffer buffers[BUFFERS] = {RULE_BUFFER_EMAIL_SUBJECT, RULE_BUFFER_EMAIL_BODY,
					   RULE_BUFFER_EMAIL_RECEIVED, RULE_BUFFER_FILE_NAME,
					   RULE_BUFFER_FILE_DATA};
struct instance instances[BUFFERS][INSTANCES];
int instances_count[BUFFERS];

static bool same_byte(char a, char b, bool nocase)
{
	if (nocase) {
		a = (char)(a >= 'A' && a <= 'Z' ? a | 0x20 : a);
		b = (char)(b >= 'A' && b <= 'Z' ? b | 0x20 : b);
	}
	return a == b;
}

static int extracted; /* by the chain that is being looked at */

static bool stands_at(const struct step *s, const struct instance *in, int at, int before)
{
	int base = (s->relative ? before : 0) + (s->var ? extracted : 0);
	int len = (int)strlen(s->text);

	if (at < 0 || at + len > (int)in->len || at < base + s->lo)
		return false;
	if (s->hi >= 0 && at + len > base + s->hi)
		return false;
	if (s->starts && at != 0)
		return false;
	if (s->ends && at + len != (int)in->len)
		return false;
	for (int i = 0; i < len; i++)
		if (!same_byte(in->text[at + i], s->text[i], s->nocase))
			return false;
	return true;
}

/* The end of a match that starts right at `at`, or -1. */
static int matches_at(const struct step *s, const struct instance *in, int at, int before)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	int base = s->relative ? before : 0, end = -1;

	if (at >= base && pcre2_match(s->code, (PCRE2_SPTR)in->text + base, in->len - (size_t)base,
				      (PCRE2_SIZE)(at - base), PCRE2_ANCHORED, data, NULL) >= 0)
		end = base + (int)pcre2_get_ovector_pointer(data)[1];
	pcre2_match_data_free(data);
	return end;
}

/* The number as C's library reads it, and where it ends; false: there is none.
 */
static bool number_at(const struct step *s, const struct instance *in, int before, uint64_t *value,
		      int *after)
{
	int at = (s->relative ? before : 0) + s->lo;
	char digits[32], *end;

	if (at < 0 || at + s->count > (int)in->len || !in->len)
		return false;
	*after = at + s->count;
	if (s->string) {
		memcpy(digits, in->text + at, (size_t)s->count);
		digits[s->count] = '\0';
		*value = strtoull(digits, &end, 16);
		*after = at + (int)(end - digits);
		return end > digits;
	}
	*value = 0;
	for (int i = 0; i < s->count; i++) {
		int place = s->little ? i : s->count - 1 - i;

		*value += (uint64_t)(uint8_t)in->text[at + i] << (8 * place);
	}
	return true;
}

static bool test_holds(const struct step *s, uint64_t value, uint64_t with)
{
	bool holds = !strcmp(s->op, "=")    ? value == with
		     : !strcmp(s->op, "<")  ? value < with
		     : !strcmp(s->op, ">")  ? value > with
		     : !strcmp(s->op, "<=") ? value <= with
		     : !strcmp(s->op, ">=") ? value >= with
		     : !strcmp(s->op, "&")  ? (value & with) != 0
					    : (value ^ with) != 0;

	return holds != s->negated;
}

static bool holds(const struct part *p, int i, const struct instance *in, int before);

static bool number_holds(const struct part *p, int i, const struct instance *in, int before)
{
	const struct step *s = &p->steps[i];
	int after = 0, old = extracted, base;
	uint64_t value = 0;
	int64_t to;
	bool rest;

	if (!number_at(s, in, before, &value, &after))
		return false;
	if (s->kind == TEST)
		return test_holds(s, value, (uint64_t)(s->var ? extracted : s->value)) &&
		       holds(p, i + 1, in, before);
	if (s->kind == EXTRACT) {
		extracted = (int)value * s->multiplier;
		rest = holds(p, i + 1, in, after);
		extracted = old;
		return rest;
	}
	base = s->from_start ? 0 : s->from_end ? (int)in->len : after;
	to = (int64_t)(value * (uint64_t)s->multiplier) + s->post + base;
	return to < (int64_t)in->len && holds(p, i + 1, in, to < 0 ? 0 : (int)to);
}

static bool holds(const struct part *p, int i, const struct instance *in, int before)
{
	const struct step *s = &p->steps[i];
	int len = (int)in->len;

	if (i == p->count)
		return true;
	if (s->kind >= TEST)
		return number_holds(p, i, in, before);
	if (s->kind == SIZE)
		return len >= s->lo && len <= s->hi && holds(p, i + 1, in, before);
	if (s->kind == DATA_AT) {
		int at = s->var ? extracted : s->lo;
		bool there = s->relative ? before + at <= len : at < len;

		return there != s->negated && holds(p, i + 1, in, before);
	}
	for (int at = 0; at <= len; at++) {
		int end = s->kind == PCRE                ? matches_at(s, in, at, before)
			  : stands_at(s, in, at, before) ? at + (int)strlen(s->text)
							 : -1;

		if (end < 0)
			continue;
		if (s->negated)
			return false;
		if (holds(p, i + 1, in, end))
			return true;
	}
	return s->negated && holds(p, i + 1, in, before);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static const char xor_key[] = "\x03\0\x23";

/* Base64 of texts without padding: digits alone (others passed over, or the end), six bits each. */
static void decode64(const struct instance *in, bool pass_over, struct instance *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static char bits[6 * TEXT_MAX];
	size_t n = 0;

	for (size_t i = 0; i < in->len; i++) {
		const char *digit = strchr(digits, in->text[i]);

		if (!digit && !pass_over)
			break;
		for (int b = 5; digit && b >= 0; b--)
			bits[n++] = (char)('0' + ((digit - digits) >> b & 1));
	}
	if (pass_over)
		n -= n % 24;
	if (n % 24 == 6)
		n = 0; /* one digit is no byte */
	*out = *in;
	if (n)
		out->len = n / 8;
	for (size_t i = 0; n && i < out->len; i++) {
		out->text[i] = 0;
		for (int b = 0; b < 8; b++)
			out->text[i] = (char)(out->text[i] << 1 | (bits[8 * i + (size_t)b] - '0'));
	}
}

/* What a(.*)b leaves. */
static void leave_group(const struct instance *in, struct instance *out)
{
	*out = *in;
	for (size_t i = 0; i < in->len; i++) {
		size_t last = 0;

		for (size_t j = i + 1; in->text[i] == 'a' && j < in->len && in->text[j] != '\n';
		     j++)
			last = in->text[j] == 'b' ? j : last;
		if (!last)
			continue;
		out->len = last - i - 1;
		memcpy(out->text, in->text + i + 1, out->len);
		return;
	}
}

static void transform(int kind, const struct instance *in, struct instance *out)
{
	bool name = true; /* of a line */

	if (kind == MAIL64 || kind == PLAIN64) {
		decode64(in, kind == MAIL64, out);
		return;
	}
	if (kind == GROUP) {
		leave_group(in, out);
		return;
	}
	out->len = 0;
	if (kind == DOT)
		out->text[out->len++] = '.';
	for (size_t i = 0; i < in->len; i++) {
		char c = in->text[i], hex[3] = {0}, *end = hex;

		if (kind == LOWER && c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		if (kind == UPPER && c >= 'a' && c <= 'z')
			c = (char)(c - 32);
		if (kind == STRIP && blank(c))
			continue;
		if (kind == COMPRESS && blank(c) && i && blank(in->text[i - 1]))
			continue;
		if (kind == DECODE && c == '+')
			c = ' ';
		if (kind == DECODE && c == '%' && i + 2 < in->len && isxdigit(in->text[i + 1]) &&
		    isxdigit(in->text[i + 2])) {
			memcpy(hex, in->text + i + 1, 2);
			c = (char)strtol(hex, &end, 16);
			i += 2;
		}
		if (kind == NAMES && name && c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		name = c == '\n' || (name && c != ':');
		if (kind == XOR)
			c = (char)(c ^ xor_key[i % 3]);
		out->text[out->len++] = c;
	}
}

/* The instance as the part's transforms make it. */
static const struct instance *transformed(const struct part *p, const struct instance *in)
{
	static struct instance made[2];

	for (int i = 0; i < p->transforms_count; i++) {
		transform(p->transforms[i], in, &made[i]);
		in = &made[i];
	}
	return in;
}

static int index_of(const struct part *part)
{
	int b;

	for (b = 0; buffers[b] != part->buffer; b++)
		;
	return b;
}

static bool instance_holds(const struct part *part, int i)
{
	int b = index_of(part);

	return i < instances_count[b] && holds(part, 0, transformed(part, &instances[b][i]), 0);
}

static bool part_holds(const struct part *part)
{
	bool any = false;

	if (part->absent && !instances_count[index_of(part)])
		return true;
	if (!part->count)
		return false;
	for (int i = 0; i < INSTANCES; i++)
		any |= instance_holds(part, i);
	return any != part->none;
}

static bool of_attachment(const struct part *part)
{
	return index_of(part) >= FILES && !part->none && !part->absent;
}

bool belong_together(const struct plain_rule *rule)
{
	const struct part *a = &rule->parts[0], *b = &rule->parts[1];

	return rule->count == 2 && of_attachment(a) && of_attachment(b) &&
	       (a->buffer != b->buffer || a->transforms_count != b->transforms_count ||
		memcmp(a->transforms, b->transforms,
		       (size_t)a->transforms_count * sizeof(a->transforms[0])) != 0);
}

bool rule_holds(const struct plain_rule *rule)
{
	if (belong_together(rule)) {
		for (int i = 0; i < INSTANCES; i++)
			if (instance_holds(&rule->parts[0], i) &&
			    instance_holds(&rule->parts[1], i))
				return true;
		return false;
	}
	for (int p = 0; p < rule->count; p++)
		if (!part_holds(&rule->parts[p]))
			return false;
	return true;
}
