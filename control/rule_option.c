/* SPDX-License-Identifier: BSD-3-Clause */
/* The keywords, and those that take one plain value. */
#include <ctype.h>
#include <string.h>

#include "control/rule_parse.h"

static bool option_msg(struct rule_parser *parser, struct rule_word keyword, struct rule_word value)
{
	return rule_text(parser, value, &parser->rule.msg);
}

static bool option_sid(struct rule_parser *parser, struct rule_word keyword, struct rule_word value)
{
	int64_t n;

	if (!rule_number(value, 1, UINT32_MAX, &n))
		return rule_fail(parser, value.p, "sid: expected a number from 1 to 4294967295");
	parser->rule.sid = (uint32_t)n;
	parser->rule.sid_place = rule_place_of(&parser->line, keyword.p);
	return true;
}

static bool option_rev(struct rule_parser *parser, struct rule_word keyword, struct rule_word value)
{
	int64_t n;

	if (!rule_number(value, 0, UINT32_MAX, &n))
		return rule_fail(parser, value.p, "rev: expected a number");
	parser->rule.rev = (uint32_t)n;
	return true;
}

static bool option_priority(struct rule_parser *parser, struct rule_word keyword,
			    struct rule_word value)
{
	int64_t n;

	if (!rule_number(value, 1, 255, &n))
		return rule_fail(parser, value.p, "priority: expected a number from 1 to 255");
	parser->rule.priority = (uint8_t)n;
	return true;
}

static bool option_classtype(struct rule_parser *parser, struct rule_word keyword,
			     struct rule_word value)
{
	for (size_t i = 0; i < value.len; i++)
		if (!isalnum((unsigned char)value.p[i]) && !strchr("-_.", value.p[i]))
			return rule_fail(parser, value.p + i,
					 "classtype: expected letters, digits, '-', '_', '.'");
	parser->rule.classtype = arena_copy(&parser->list->arena, value.p, value.len);
	return true;
}

static bool option_flow(struct rule_parser *parser, struct rule_word keyword,
			struct rule_word value)
{
	static const struct {
		const char *name;
		uint8_t bits;
	} names[] = {
		{"to_server", RULE_FLOW_TO_SERVER},
		{"from_client", RULE_FLOW_TO_SERVER},
		{"to_client", RULE_FLOW_TO_CLIENT},
		{"from_server", RULE_FLOW_TO_CLIENT},
		{"established", RULE_FLOW_ESTABLISHED},
		{"not_established", RULE_FLOW_NOT_ESTABLISHED},
		{"stateless", 0},
	};
	struct rule *rule = &parser->rule;
	struct rule_word word;
	bool more = true;

	rule->has_flow = true;
	rule->flow_place = rule_place_of(&parser->line, keyword.p);
	while (more) {
		size_t i;

		more = rule_split(value, ',', &word, &value);
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (rule_word_is(word, names[i].name))
				break;
		if (i == sizeof(names) / sizeof(names[0]))
			return rule_fail(parser, word.p,
					 "flow: '%.*s' can't be honoured: expected to_server, "
					 "to_client, from_client, from_server, established, "
					 "not_established or stateless",
					 (int)word.len, word.p);
		rule->flow |= names[i].bits;
	}
	if ((rule->flow & RULE_FLOW_TO_SERVER) && (rule->flow & RULE_FLOW_TO_CLIENT))
		return rule_fail(parser, keyword.p, "flow: both directions: leave them out");
	if ((rule->flow & RULE_FLOW_ESTABLISHED) && (rule->flow & RULE_FLOW_NOT_ESTABLISHED))
		return rule_fail(parser, keyword.p, "flow: established and not_established");
	return true;
}

static const struct rule_option options[] = {
	{"msg", VALUE_REQUIRED, option_msg, "what the alert says"},
	{"sid", VALUE_REQUIRED, option_sid, "the rule's number, unique"},
	{"rev", VALUE_REQUIRED, option_rev, "the rule's revision"},
	{"classtype", VALUE_REQUIRED, option_classtype, "its class: alert.category"},
	{"priority", VALUE_REQUIRED, option_priority, "1 (first) to 255; kept as information"},
	{"reference", VALUE_REQUIRED, rule_option_reference, "kept as information"},
	{"metadata", VALUE_REQUIRED, rule_option_metadata,
	 "aup ID, risk N, reply \"text\", shadow yes; other keys are kept as information"},
	{"flow", VALUE_REQUIRED, option_flow, "direction and state of the flow"},
	{"content", VALUE_REQUIRED, rule_option_content, "bytes that are there, or not (!)"},
	{"nocase", VALUE_NONE, rule_option_nocase, "letters match in either case"},
	{"offset", VALUE_REQUIRED, rule_option_position, "starts at or after this byte"},
	{"depth", VALUE_REQUIRED, rule_option_position, "lies in so many bytes from the offset"},
	{"distance", VALUE_REQUIRED, rule_option_position,
	 "starts so many bytes or more after the match before"},
	{"within", VALUE_REQUIRED, rule_option_position,
	 "lies in so many bytes after the match before (and the distance)"},
	{"startswith", VALUE_NONE, rule_option_startswith, "at the buffer's start"},
	{"endswith", VALUE_NONE, rule_option_endswith, "at the buffer's end"},
	{"fast_pattern", VALUE_OPTIONAL, rule_option_fast_pattern, "the content to look for first"},
	{"pcre", VALUE_REQUIRED, rule_option_pcre,
	 "an expression of PCRE2, flags i s m x A E G and R (relative)"},
	{"isdataat", VALUE_REQUIRED, rule_option_isdataat, "the buffer goes on for so many bytes"},
	{"bsize", VALUE_REQUIRED, rule_option_bsize, "the buffer's length: N, <N, >N, N<>M"},
};

const struct rule_option *rule_option_find(struct rule_word name)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (rule_word_is(name, options[i].name))
			return &options[i];
	return NULL;
}

const struct rule_option *rule_options(size_t *count)
{
	*count = sizeof(options) / sizeof(options[0]);
	return options;
}

/* Names, and prefixes that end in a dot or an underscore. */
static const char *const suricatas[] = {
	"ack",
	"absent",
	"app-layer-event",
	"app-layer-protocol",
	"asn1",
	"base64_data",
	"base64_decode",
	"bypass",
	"byte_extract",
	"byte_jump",
	"byte_math",
	"byte_test",
	"compress_whitespace",
	"config",
	"content_len",
	"cookies",
	"dataset",
	"datarep",
	"dce_iface",
	"dce_opnum",
	"decode-event",
	"detection_filter",
	"dns.",
	"dns_",
	"dotprefix",
	"dsize",
	"entropy",
	"file.magic",
	"fileext",
	"filemagic",
	"filemd5",
	"filename",
	"filesha1",
	"filesha256",
	"filesize",
	"filestore",
	"flags",
	"flow.",
	"flowbits",
	"flowint",
	"fragbits",
	"fragoffset",
	"frame",
	"from_base64",
	"ftp",
	"geoip",
	"gid",
	"hostbits",
	"http.",
	"http_",
	"icmp_",
	"icode",
	"id",
	"ike.",
	"ip_proto",
	"ipopts",
	"iprep",
	"ipv4.",
	"ipv6.",
	"itype",
	"ja3.",
	"ja3s.",
	"ja3_",
	"krb5",
	"ldap.",
	"lua",
	"luaxform",
	"modbus",
	"mqtt.",
	"nfs.",
	"noalert",
	"pcrexform",
	"pkt_data",
	"prefilter",
	"rate_filter",
	"raw_uri",
	"rawbytes",
	"replace",
	"requires",
	"rfb.",
	"rpc",
	"sameip",
	"sdp.",
	"seq",
	"sip.",
	"sip_",
	"smb.",
	"smtp.",
	"snmp.",
	"ssh.",
	"ssl_",
	"stream-event",
	"stream_size",
	"strip_whitespace",
	"tag",
	"target",
	"tcp.",
	"threshold",
	"tls.",
	"tls_",
	"to_lowercase",
	"to_md5",
	"to_sha1",
	"to_sha256",
	"to_uppercase",
	"tos",
	"ttl",
	"udp.",
	"uricontent",
	"urilen",
	"url_decode",
	"window",
	"xbits",
	"xor",
	"email.",
	"file.",
	"header_lowercase",
	"quic.",
	"websocket.",
};

bool rule_option_is_suricatas(struct rule_word name)
{
	for (size_t i = 0; i < sizeof(suricatas) / sizeof(suricatas[0]); i++) {
		size_t len = strlen(suricatas[i]);
		char last = suricatas[i][len - 1];

		if (rule_word_is(name, suricatas[i]))
			return true;
		if ((last == '.' || last == '_') && name.len > len &&
		    !memcmp(name.p, suricatas[i], len))
			return true;
	}
	return false;
}
