/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/match/match_number.h"

#include "dataplane/proto/bytes.h"

static unsigned digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'z' ? c - 'a' + 10u : 99;
}

/* "0x" before a digit that it can be before. */
static bool hex_prefix(const uint8_t *p, size_t left)
{
	return left > 2 && p[0] == '0' && ascii_lower(p[1]) == 'x' && digit(p[2]) < 16;
}

static bool string_number(unsigned base, const uint8_t *p, size_t count, uint64_t *value,
			  size_t *used)
{
	size_t i = 0, first;
	bool minus = false;
	uint64_t v = 0;

	while (i < count && (p[i] == ' ' || (p[i] >= '\t' && p[i] <= '\r')))
		i++;
	if (i < count && (p[i] == '-' || p[i] == '+'))
		minus = p[i++] == '-';
	if ((base == 0 || base == 16) && hex_prefix(p + i, count - i)) {
		base = 16;
		i += 2;
	} else if (base == 0) {
		base = i < count && p[i] == '0' ? 8 : 10;
	}
	for (first = i; i < count && digit(p[i]) < base; i++)
		if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)digit(p[i]), &v))
			return false;
	*value = minus ? 0 - v : v;
	*used = i;
	return i > first;
}

bool number_bytes(const struct ruleset_number *n, const uint8_t *p, size_t count, uint64_t *value,
		  size_t *used)
{
	uint64_t v = 0;

	if (n->flags & RULE_NUMBER_STRING)
		return count <= RULESET_NUMBER_BYTES &&
		       string_number(n->base, p, count, value, used);
	if (count > sizeof(v))
		return false;
	for (size_t i = 0; i < count; i++)
		v = v << 8 | p[n->flags & RULE_NUMBER_LITTLE ? count - 1 - i : i];
	*value = v;
	*used = count;
	return true;
}

uint64_t number_masked(const struct ruleset_number *n, uint64_t value)
{
	return n->mask ? (value & n->mask) >> __builtin_ctzll(n->mask) : value;
}

uint64_t number_aligned(const struct ruleset_number *n, uint64_t value)
{
	return n->align && value % n->align ? value + n->align - value % n->align : value;
}

bool number_test(const struct ruleset_number *n, uint64_t value, uint64_t with)
{
	switch ((enum ruleset_number_op)n->op) {
	case RULE_OP_EQUAL:
		return value == with;
	case RULE_OP_LESS:
		return value < with;
	case RULE_OP_GREATER:
		return value > with;
	case RULE_OP_LESS_EQUAL:
		return value <= with;
	case RULE_OP_GREATER_EQUAL:
		return value >= with;
	case RULE_OP_AND:
		return value & with;
	case RULE_OP_XOR:
		return value ^ with;
	default:
		return false;
	}
}

bool number_combine(const struct ruleset_number *n, uint64_t value, uint64_t with, uint64_t *out)
{
	switch ((enum ruleset_number_op)n->op) {
	case RULE_OP_ADD:
		*out = value + with;
		return true;
	case RULE_OP_SUBTRACT:
		*out = value - with;
		return true;
	case RULE_OP_MULTIPLY:
		*out = value * with;
		return true;
	case RULE_OP_DIVIDE:
		if (!with)
			return false;
		*out = value / with;
		return true;
	case RULE_OP_SHIFT_LEFT:
		*out = with < 64 ? value << with : 0;
		return true;
	case RULE_OP_SHIFT_RIGHT:
		*out = with < 64 ? value >> with : 0;
		return true;
	default:
		return false;
	}
}
