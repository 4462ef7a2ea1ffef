/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * The field that a tenant's mails must have (AUP-TAG): "X-Provider-ID", "X-Provider-ID: acme", or
 * how its value begins, "X-Provider-ID: 7-*". Pure; not for the kernel's side.
 */
#ifndef POSTERN_TAG_H
#define POSTERN_TAG_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum tag_fit {
	TAG_ANOTHER, /* the field is another one */
	TAG_ALTERED, /* it is this one, with another's value */
	TAG_FITS,
};

/* What follows the colon; "*" where there is none. */
static inline const char *tag_value(const char *tag)
{
	size_t name = strcspn(tag, ":");

	return tag[name] ? tag + name + 1 + strspn(tag + name + 1, " ") : "*";
}

static inline enum tag_fit tag_look(const char *tag, const void *name, size_t name_len,
				    const void *value, size_t value_len)
{
	const char *want = tag_value(tag);
	size_t len = strlen(want);
	bool is_begin = len && want[len - 1] == '*';

	if (!name_len || name_len != strcspn(tag, ":") ||
	    strncasecmp(tag, (const char *)name, name_len) != 0)
		return TAG_ANOTHER;
	len -= is_begin;
	return (is_begin ? value_len >= len : value_len == len) && memcmp(value, want, len) == 0
		       ? TAG_FITS
		       : TAG_ALTERED;
}

/* Does its value say whose it is? */
static inline bool tag_is_telling(const char *tag)
{
	const char *value = tag_value(tag);

	return *tag && *value && *value != '*';
}

#endif
