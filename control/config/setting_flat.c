/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config/setting_flat.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 512

struct flat {
	setting_flat_each *each;
	void *ctx;
	FILE *out;
	char *text; /* of the value in hand: what was written to `out` */
	size_t room;
};

static void put_texts(FILE *out, const struct setting_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		fprintf(out, "%s%s", i ? ", " : "", texts->items[i].text);
}

static void put_choices(FILE *out, const struct setting *s, uint64_t bits)
{
	const char *separator = "";

	for (unsigned i = 0; s->choices[i]; i++) {
		if (!(bits >> i & 1))
			continue;
		fprintf(out, "%s%s", separator, s->choices[i]);
		separator = ", ";
	}
}

static void put_ports(FILE *out, const struct setting_ports *ports)
{
	for (unsigned i = 0; i < ports->count; i++)
		fprintf(out, "%s%u", i ? " " : "", ports->ports[i]);
}

/* false: it has none. */
static bool put_value(FILE *out, const struct setting *s, const void *value, bool written)
{
	char text[VALUE_TEXT];
	const struct rate *rate = value;
	const char *const *string = value;

	switch (s->type) {
	case SETTING_COUNT:
		fprintf(out, "%" PRIu32, *(const uint32_t *)value);
		return written || s->fallback;
	case SETTING_COUNT_LIMIT:
		if (rate->state == RATE_LIMITED)
			fprintf(out, "%" PRIu64, rate->count);
		else
			fputs("unlimited", out);
		return rate->state != RATE_UNSET;
	case SETTING_RATE:
		fputs(rate_text(rate, text), out);
		return rate->state != RATE_UNSET;
	case SETTING_NUMBER:
		fprintf(out, "%.12g", *(const double *)value);
		return written || s->fallback;
	case SETTING_BOOL:
		fputs(*(const bool *)value ? "true" : "false", out);
		return true;
	case SETTING_TEXT:
		fputs(*string ? *string : "", out);
		return *string && (written || **string);
	case SETTING_CHOICE:
		fputs(s->choices[*(const int *)value], out);
		return true;
	case SETTING_CHOICES:
		put_choices(out, s, *(const uint64_t *)value);
		return written;
	case SETTING_DURATION:
		fputs(duration_text(*(const uint64_t *)value, text), out);
		return written || s->fallback;
	case SETTING_SIZE:
		fprintf(out, "%" PRIu64, *(const uint64_t *)value);
		return written || s->fallback;
	case SETTING_TEXTS:
		put_texts(out, value);
		return written;
	case SETTING_PORTS:
		put_ports(out, value);
		return true;
	default:
		return false;
	}
}

static int walk(struct flat *f, const struct setting *schema, const config_setting_t *group,
		const void *from, char path[PATH_SIZE]);

/* Each by its name: the group's own, or what its member `name` says. */
static int walk_groups(struct flat *f, const struct setting *s, const struct setting_groups *groups,
		       char path[PATH_SIZE])
{
	const size_t used = strlen(path);
	int rc = 0;

	for (size_t i = 0; i < groups->count && !rc; i++) {
		const void *item = (const char *)groups->items + i * s->size;
		const config_setting_t *where;
		const char *name;

		memcpy(&where, item, sizeof(where));
		name = config_setting_name(where);
		if (!name && !config_setting_lookup_string(where, "name", &name))
			continue;
		snprintf(path + used, PATH_SIZE - used, ".%s", name);
		rc = walk(f, s->members, where, item, path);
	}
	path[used] = '\0';
	return rc;
}

static int walk_value(struct flat *f, const struct setting *s, const void *value,
		      const config_setting_t *where, const char *path)
{
	bool has;

	/* One stream for all of them: a hundred thousand tenants have half a million. */
	rewind(f->out);
	has = put_value(f->out, s, value, where);
	fputc('\0', f->out);
	if (fflush(f->out) != 0)
		return -ENOMEM;
	if (has)
		f->each(f->ctx, path, f->text, where);
	return 0;
}

static int walk(struct flat *f, const struct setting *schema, const config_setting_t *group,
		const void *from, char path[PATH_SIZE])
{
	const size_t used = strlen(path);
	int rc = 0;

	for (const struct setting *s = schema; s->name && !rc; s++) {
		const config_setting_t *where = group ? config_setting_get_member(group, s->name)
						      : NULL;
		const void *value = (const char *)from + s->offset;

		snprintf(path + used, PATH_SIZE - used, "%s%s", used ? "." : "", s->name);
		if (s->type == SETTING_GROUP)
			rc = walk(f, s->members, where, from, path);
		else if (s->type == SETTING_GROUPS || s->type == SETTING_NAMED)
			rc = walk_groups(f, s, value, path);
		else
			rc = walk_value(f, s, value, where, path);
	}
	path[used] = '\0';
	return rc;
}

int settings_flat(const struct setting *schema, const config_setting_t *group, const void *from,
		  setting_flat_each *each, void *ctx)
{
	struct flat f = {.each = each, .ctx = ctx};
	char path[PATH_SIZE] = "";
	int rc;

	f.out = open_memstream(&f.text, &f.room);
	if (!f.out)
		return -ENOMEM;
	rc = walk(&f, schema, group, from, path);
	fclose(f.out);
	free(f.text);
	return rc;
}

const char *duration_text(uint64_t ns, char text[VALUE_TEXT])
{
	static const struct {
		uint64_t ns;
		const char *unit;
	} units[] = {{UINT64_C(86400000000000), "d"},
		     {UINT64_C(3600000000000), "h"},
		     {UINT64_C(60000000000), "min"},
		     {UINT64_C(1000000000), "s"},
		     {1000000, "ms"},
		     {1, "ns"}};
	size_t i = 0;

	while (ns % units[i].ns)
		i++;
	snprintf(text, VALUE_TEXT, "%" PRIu64 "%s", ns / units[i].ns, units[i].unit);
	return text;
}
