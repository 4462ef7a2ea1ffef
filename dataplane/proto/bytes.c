/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/bytes.h"

bool bytes_case_starts(struct bytes s, struct bytes prefix)
{
	if (s.len < prefix.len)
		return false;
	for (size_t i = 0; i < prefix.len; i++)
		if (ascii_lower(s.p[i]) != ascii_lower(prefix.p[i]))
			return false;
	return true;
}

bool bytes_caseeq(struct bytes a, struct bytes b)
{
	return a.len == b.len && bytes_case_starts(a, b);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct bytes bytes_trim(struct bytes s)
{
	while (s.len && is_blank(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len && is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}
