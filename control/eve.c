/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/eve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "control/json_text.h"

#define NS_PER_S 1000000000ULL

/* JSON's readers keep numbers as doubles: an id above this would change on the way. */
#define FLOW_ID_MASK ((1ULL << 53) - 1)

/* A duration of 31 years still shows its milliseconds. */
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
	[EVENT_SMTP] = "smtp",       [EVENT_EMAIL] = "email", [EVENT_SIP] = "sip",
	[EVENT_CALL] = "call",       [EVENT_FLOW] = "flow",   [EVENT_ALERT] = "alert",
	[EVENT_VERDICT] = "verdict", [EVENT_STATS] = "stats", [EVENT_ADDRESS] = "address",
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

static json_t *number(uint64_t u)
{
	return json_integer(u > INT64_MAX ? INT64_MAX : (json_int_t)u);
}

/* The member key (of len bytes) of parent, made of that kind if it is not there; NULL: no memory.
 */
static json_t *member_open(json_t *parent, const char *key, size_t len, json_t *(*make)(void))
{
	json_t *child = json_object_getn(parent, key, len);

	if (child)
		return child;
	if (json_object_setn_new(parent, key, len, make()))
		return NULL;
	return json_object_getn(parent, key, len);
}

/* Puts value, whose reference it takes, at a dotted path. */
static int path_put(json_t *object, const char *path, json_t *value, bool list)
{
	const char *dot;

	while (object && (dot = strchr(path, '.'))) {
		object = member_open(object, path, (size_t)(dot - path), json_object);
		path = dot + 1;
	}
	if (object && list)
		object = member_open(object, path, strlen(path), json_array);
	if (!object) {
		json_decref(value);
		return -1;
	}
	return list ? json_array_append_new(object, value)
		    : json_object_set_new(object, path, value);
}

/* The value as its kind is shown; NULL: no memory, or none of that kind (*fits says which). */
static json_t *value_json(const struct event_value *value, enum field_kind kind, bool *fits)
{
	*fits = true;
	switch (kind) {
	case FIELD_STR:
	case FIELD_LIST:
		return json_text(value->p, value->len);
	case FIELD_BOOL:
		*fits = value->len == 1;
		return *fits ? json_boolean(event_value_bool(value)) : NULL;
	case FIELD_UINT:
	case FIELD_NS:
	case FIELD_SEC:
		break;
	}
	*fits = value->len == sizeof(uint64_t);
	if (!*fits)
		return NULL;
	if (kind == FIELD_NS)
		return json_real((double)event_value_uint(value) / NS_PER_S);
	return number(event_value_uint(value) / (kind == FIELD_SEC ? NS_PER_S : 1));
}

/* All fields; those that the record has not, but counts, are said to be missing. */
static int fields_put(json_t *object, struct event_reader *reader, const struct event_head *head)
{
	struct event_value value;
	unsigned shown = 0;
	int failed = 0;

	while (event_next(reader, &value)) {
		json_t *json;
		bool fits;

		if (value.key >= FIELD_KEY_COUNT || !*fields[value.key].path)
			continue;
		json = value_json(&value, fields[value.key].kind, &fits);
		if (!fits)
			continue;
		failed |= path_put(object, fields[value.key].path, json,
				   fields[value.key].kind == FIELD_LIST);
		shown++;
	}
	if (shown < head->count)
		failed |= json_object_set_new(object, "fields_omitted",
					      json_integer(head->count - shown));
	return failed;
}

static int addresses_put(json_t *object, const struct event_head *head)
{
	const int family = head->family == 4 ? AF_INET : AF_INET6;
	const bool ports = head->proto == IPPROTO_TCP || head->proto == IPPROTO_UDP;
	char text[INET6_ADDRSTRLEN];
	int failed = 0;

	if (head->family != 4 && head->family != 6)
		return 0;
	inet_ntop(family, head->src, text, sizeof(text));
	failed |= json_object_set_new(object, "src_ip", json_string(text));
	if (ports)
		failed |= json_object_set_new(object, "src_port", json_integer(head->sport));
	inet_ntop(family, head->dst, text, sizeof(text));
	failed |= json_object_set_new(object, "dest_ip", json_string(text));
	if (ports)
		failed |= json_object_set_new(object, "dest_port", json_integer(head->dport));
	if (head->proto == IPPROTO_TCP || head->proto == IPPROTO_UDP)
		snprintf(text, sizeof(text), "%s", head->proto == IPPROTO_TCP ? "TCP" : "UDP");
	else
		snprintf(text, sizeof(text), "%03u", head->proto);
	return failed | json_object_set_new(object, "proto", json_string(text));
}

static int tenant_put(json_t *object, const struct event_head *head,
		      const struct tenant_names *names)
{
	const struct tenant_name *tenant = tenant_name_of(names, head->tenant);
	int failed =
		json_object_set_new(object, "tenant_id", json_integer(tenant ? tenant->id : 0));

	if (tenant && *tenant->name)
		failed |= json_object_set_new(object, "tenant",
					      json_text(tenant->name, strlen(tenant->name)));
	return failed | json_object_set_new(object, "generation", json_integer(head->generation));
}

static int head_put(json_t *object, const struct event_head *head, const struct tenant_names *names)
{
	char time[EVE_TIME_SIZE];
	int failed = 0;

	failed |= json_object_set_new(object, "timestamp", json_string(eve_time(time, head->time)));
	if (head->flow_id)
		failed |= json_object_set_new(object, "flow_id",
					      number(head->flow_id & FLOW_ID_MASK));
	if (head->packet)
		failed |= json_object_set_new(object, "pcap_cnt", number(head->packet));
	failed |= json_object_set_new(object, "event_type", json_string(types[head->type]));
	if (head->vlan) /* an array, as QinQ has two ids in Suricata */
		failed |= json_object_set_new(object, "vlan", json_pack("[i]", head->vlan));
	failed |= addresses_put(object, head);
	failed |= json_object_set_new(
		object, "direction",
		json_string(head->direction == TO_SERVER ? "to_server" : "to_client"));
	failed |= tenant_put(object, head, names);
	if (head->type == EVENT_ALERT) /* Suricata's readers ask for it; the gate has one group */
		failed |= json_object_set_new(object, "alert", json_pack("{s:i}", "gid", 1));
	return failed;
}

int eve_object(const struct event_head *head, size_t len, const struct tenant_names *names,
	       json_t **object)
{
	struct event_reader reader;
	json_t *o;

	*object = NULL;
	if (!event_open(&reader, head, len) || !eve_type_name(head->type))
		return -EBADMSG;
	if (head->type == EVENT_ADDRESS)
		return 0;
	o = json_object();
	if (!o)
		return -ENOMEM;
	if (head_put(o, head, names) || fields_put(o, &reader, head)) {
		json_decref(o);
		return -ENOMEM;
	}
	*object = o;
	return 0;
}

int eve_write_object(FILE *out, const json_t *object)
{
	if (json_dumpf(object, out, DUMP_FLAGS) || fputc('\n', out) == EOF)
		return -EIO;
	return 0;
}

int eve_write(FILE *out, const struct event_head *head, size_t len,
	      const struct tenant_names *names)
{
	json_t *object;
	int rc = eve_object(head, len, names, &object);

	if (rc || !object)
		return rc;
	rc = eve_write_object(out, object);
	json_decref(object);
	return rc;
}
