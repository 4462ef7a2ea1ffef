/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/domain_name.h"

static bool is_label_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || ascii_isdigit(c) || c == '-' || c == '_';
}

bool domain_name_is_valid(struct bytes domain)
{
	size_t label = 0, digits = 0;

	if (domain.len > 2 && domain.p[0] == '[')
		return domain.p[domain.len - 1] == ']';
	if (domain.len > 253)
		return false;
	for (size_t i = 0; i < domain.len; i++) {
		uint8_t c = domain.p[i];

		if (c == '.') {
			if (!label)
				return false;
			label = digits = 0;
			continue;
		}
		if (!is_label_char(c) || ++label > 63)
			return false;
		digits += ascii_isdigit(c);
	}
	return label && digits < label;
}

bool domain_name_is_in(struct bytes domain, struct bytes name)
{
	size_t before;

	if (domain.len < name.len || !name.len)
		return false;
	before = domain.len - name.len;
	return bytes_caseeq(bytes_of(domain.p + before, name.len), name) &&
	       (!before || domain.p[before - 1] == '.');
}
