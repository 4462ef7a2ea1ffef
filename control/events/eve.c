/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/events/eve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "control/base/json_out.h"
#include "control/events/eve_people.h"

#define NS_PER_S 1000000000ULL

/* JSON's readers keep numbers as doubles: an id above this would change on the way. */
#define FLOW_ID_MASK ((1ULL << 53) - 1)

#define DUMP_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(12))

static const struct {
	const char *path;
	enum field_kind kind;
} fields[FIELD_KEY_COUNT] = {
#define X(key, kind, path) [FIELD_KEY_##key] = {path, FIELD_##kind},
	EVENT_FIELDS(X)
#undef X
};

static const char *const types[] = {
	[EVENT_SMTP] = "smtp",         [EVENT_EMAIL] = "email",   [EVENT_SIP] = "sip",
	[EVENT_CALL] = "call",         [EVENT_FLOW] = "flow",     [EVENT_ALERT] = "alert",
	[EVENT_VERDICT] = "verdict",   [EVENT_STATS] = "stats",   [EVENT_ADDRESS] = "address",
	[EVENT_KERNEL] = "kernel",     [EVENT_DOMAIN] = "domain", [EVENT_BOUNCED] = "bounced",
	[EVENT_EVIDENCE] = "evidence",
};

const char *eve_field_path(enum field_key key)
{
	return fields[key].path;
}

enum field_kind eve_field_kind(enum field_key key)
{
	return fields[key].kind;
}

const char *eve_type_name(enum event_type type)
{
	return type < sizeof(types) / sizeof(types[0]) ? types[type] : NULL;
}

const char *eve_time(char *buf, uint64_t ns)
{
	const time_t seconds = (time_t)(ns / NS_PER_S);
	char day[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, EVE_TIME_SIZE, "%s.%06u+0000", day, (unsigned)(ns % NS_PER_S / 1000));
	return buf;
}

/* Whether it is between worker and control alone. */
static bool field_is_internal(const struct event_value *value)
{
	return value->key < FIELD_KEY_COUNT && !*fields[value->key].path;
}

/* Whether the field has a place in EVE and a value of its kind. */
static bool field_shown(const struct event_value *value)
{
	if (value->key >= FIELD_KEY_COUNT || field_is_internal(value))
		return false;
	switch (fields[value->key].kind) {
	case FIELD_STR:
	case FIELD_LIST:
		return true;
	case FIELD_BOOL:
		return value->len == 1;
	case FIELD_UINT:
	case FIELD_NS:
	case FIELD_SEC:
		return value->len == sizeof(uint64_t);
	}
	return false;
}

/* A line being written. */
struct line {
	struct json_out *out;
	const struct event_head *head;
	const struct person_key *people; /* NULL: recipients are written as they are */
	bool done[FIELD_KEY_COUNT];      /* written already */
};

/* A member's name, after a comma unless the object has just been opened. */
static void name_put(struct json_out *out, const char *name, size_t len)
{
	if (out->len && out->text[out->len - 1] != '{')
		json_out_char(out, ',');
	json_out_char(out, '"');
	json_out_raw(out, name, len);
	json_out_raw(out, "\":", 2);
}

static void member_text(struct json_out *out, const char *name, const char *text)
{
	name_put(out, name, strlen(name));
	json_out_text(out, text, strlen(text));
}

static void member_uint(struct json_out *out, const char *name, uint64_t n)
{
	name_put(out, name, strlen(name));
	json_out_uint(out, n);
}

static void text_put(struct line *line, const struct event_value *value)
{
	char hidden[1024];
	size_t len;

	if (!line->people || !eve_people_in(value->key)) {
		json_out_text(line->out, value->p, value->len);
		return;
	}
	len = eve_people_hide(line->people, value->key, value->p, value->len, hidden,
			      sizeof(hidden));
	json_out_text(line->out, hidden, len);
}

/* All values of the list that value begins. */
static void list_put(struct line *line, struct event_reader rest, struct event_value value)
{
	const uint16_t key = value.key;
	char before = '[';

	do {
		if (value.key != key)
			continue;
		json_out_char(line->out, before);
		text_put(line, &value);
		before = ',';
	} while (event_next(&rest, &value));
	json_out_char(line->out, ']');
}

static void value_put(struct line *line, const struct event_reader *rest,
		      const struct event_value *value)
{
	switch (fields[value->key].kind) {
	case FIELD_STR:
		text_put(line, value);
		break;
	case FIELD_LIST:
		list_put(line, *rest, *value);
		break;
	case FIELD_BOOL:
		json_out_plain(line->out, event_value_bool(value) ? "true" : "false");
		break;
	case FIELD_UINT:
		json_out_uint(line->out, event_value_uint(value));
		break;
	case FIELD_NS:
		json_out_seconds(line->out, event_value_uint(value));
		break;
	case FIELD_SEC:
		json_out_uint(line->out, event_value_uint(value) / NS_PER_S);
		break;
	}
}

/*
 * The fields whose path begins with the first len characters of prefix: those
 * right there as members, those deeper as objects, each where its first stands
 * in the record. Depth is that of the table's paths.
 */
static void members_put(struct line *line, const char *prefix, size_t len)
{
	struct event_reader reader;
	struct event_value value;

	event_open(&reader, line->head, line->head->size);
	while (event_next(&reader, &value)) {
		const char *path, *dot;

		if (!field_shown(&value) || line->done[value.key])
			continue;
		path = fields[value.key].path;
		if (strncmp(path, prefix, len) != 0)
			continue;
		dot = strchr(path + len, '.');
		if (dot) {
			name_put(line->out, path + len, (size_t)(dot - path) - len);
			json_out_char(line->out, '{');
			members_put(line, path, (size_t)(dot - path) + 1);
			json_out_char(line->out, '}');
			continue;
		}
		line->done[value.key] = true;
		name_put(line->out, path + len, strlen(path + len));
		value_put(line, &reader, &value);
	}
}

/* Fields that the record counts and that should be shown, and are not. */
static unsigned omitted(const struct event_head *head)
{
	struct event_reader reader;
	struct event_value value;
	unsigned shown = 0;

	event_open(&reader, head, head->size);
	while (event_next(&reader, &value))
		shown += field_shown(&value) || field_is_internal(&value);
	return shown < head->count ? head->count - shown : 0;
}

static void addresses_put(struct json_out *out, const struct event_head *head)
{
	const int family = head->family == 4 ? AF_INET : AF_INET6;
	const bool tcp = head->proto == IPPROTO_TCP, udp = head->proto == IPPROTO_UDP;
	char text[INET6_ADDRSTRLEN];

	if (head->family != 4 && head->family != 6)
		return;
	member_text(out, "src_ip", inet_ntop(family, head->src, text, sizeof(text)));
	if (tcp || udp)
		member_uint(out, "src_port", head->sport);
	member_text(out, "dest_ip", inet_ntop(family, head->dst, text, sizeof(text)));
	if (tcp || udp)
		member_uint(out, "dest_port", head->dport);
	if (!tcp && !udp)
		snprintf(text, sizeof(text), "%03u", head->proto);
	member_text(out, "proto", tcp ? "TCP" : udp ? "UDP" : text);
}

void eve_head(struct json_out *out, const struct event_head *head, const struct tenant_names *names)
{
	const struct tenant_name *tenant = tenant_name_of(names, head->tenant);
	char time[EVE_TIME_SIZE];

	member_text(out, "timestamp", eve_time(time, head->time));
	if (head->flow_id)
		member_uint(out, "flow_id", head->flow_id & FLOW_ID_MASK);
	if (head->packet && !(head->packet & EVENT_OF_NO_PACKET))
		member_uint(out, "pcap_cnt", head->packet);
	member_text(out, "event_type", types[head->type]);
	if (head->vlan) { /* an array, as QinQ has two ids in Suricata */
		name_put(out, "vlan", strlen("vlan"));
		json_out_char(out, '[');
		json_out_uint(out, head->vlan);
		json_out_char(out, ']');
	}
	addresses_put(out, head);
	member_text(out, "direction", head->direction & TO_CLIENT ? "to_client" : "to_server");
	member_uint(out, "tenant_id", tenant ? tenant->id : 0);
	if (tenant && *tenant->name)
		member_text(out, "tenant", tenant->name);
	member_uint(out, "generation", head->generation);
}

int eve_format(struct json_out *out, const struct event_head *head, size_t len,
	       const struct tenant_names *names, const struct person_key *people)
{
	struct line line = {.out = out, .head = head, .people = people};
	struct event_reader reader;
	unsigned missing;

	if (!event_open(&reader, head, len) || !eve_type_name(head->type))
		return -EBADMSG;
	if (head->type >= EVENT_ADDRESS) /* these are not EVE's */
		return 0;
	json_out_char(out, '{');
	eve_head(out, head, names);
	if (head->type ==
	    EVENT_ALERT) { /* Suricata's readers ask for gid; the gate has one group */
		json_out_plain(out, ",\"alert\":{\"gid\":1");
		members_put(&line, "alert.", strlen("alert."));
		json_out_char(out, '}');
	}
	members_put(&line, "", 0);
	missing = omitted(head);
	if (missing)
		member_uint(out, "fields_omitted", missing);
	json_out_raw(out, "}\n", 2);
	return out->failed ? -ENOMEM : 0;
}

int eve_write(FILE *file, const struct event_head *head, size_t len,
	      const struct tenant_names *names)
{
	struct json_out out;
	char buf[4096];
	int rc;

	json_out_init(&out, buf, sizeof(buf));
	rc = eve_format(&out, head, len, names, NULL);
	if (!rc && fwrite(out.text, 1, out.len, file) != out.len)
		rc = -EIO;
	json_out_fini(&out);
	return rc;
}

int eve_write_object(FILE *file, const json_t *object)
{
	if (json_dumpf(object, file, DUMP_FLAGS) || fputc('\n', file) == EOF)
		return -EIO;
	return 0;
}
