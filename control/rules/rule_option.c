/* SPDX-License-Identifier: BSD-3-Clause */
/* The keywords, and those that take one plain value. */
#include <ctype.h>
#include <string.h>

#include "control/rules/rule_parse.h"

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

static bool option_noalert(struct rule_parser *parser, struct rule_word keyword,
			   struct rule_word value)
{
	parser->rule.noalert = true;
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
	 "aup ID, risk N, reply \"text\", shadow yes, keep N, tenant NAME, tier NAME; others are "
	 "information"},
	{"noalert", VALUE_NONE, option_noalert,
	 "counted, and no alert is written; of alert and pass rules"},
	{"gid", VALUE_REQUIRED, rule_option_gid, "1, as all rules are"},
	{"target", VALUE_REQUIRED, rule_option_target, "src_ip or dest_ip; kept as information"},
	{"requires", VALUE_REQUIRED, rule_option_requires,
	 "version and keywords that must be there, else the rule is refused"},
	{"flow", VALUE_REQUIRED, rule_option_flow, "direction and state of the flow"},
	{"flowbits", VALUE_REQUIRED, rule_option_flowbits,
	 "set, unset, toggle, isset or isnotset a bit of the flow; or noalert"},
	{"xbits", VALUE_REQUIRED, rule_option_xbits,
	 "the same of an address, a pair of them or a tenant, for a time"},
	{"threshold", VALUE_REQUIRED, rule_option_threshold,
	 "alerts at the first N, each Nth or the Nth match in a time, or ever more seldom"},
	{"detection_filter", VALUE_REQUIRED, rule_option_detection_filter,
	 "matches only after N in a time"},
	{"rate_filter", VALUE_REQUIRED, rule_option_rate_filter,
	 "another action for a time, after N in a time; Postern's own place for it"},
	{"app-layer-protocol", VALUE_REQUIRED, rule_option_proto, "smtp or sip, as in the header"},
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
	{"prefilter", VALUE_NONE, rule_option_prefilter, "after a content: fast_pattern"},
	{"rawbytes", VALUE_NONE, rule_option_rawbytes,
	 "no effect, as in Suricata: buffers are what they are"},
	{"pcre", VALUE_REQUIRED, rule_option_pcre,
	 "an expression of PCRE2, flags i s m x A E G and R (relative)"},
	{"isdataat", VALUE_REQUIRED, rule_option_isdataat, "the buffer goes on for so many bytes"},
	{"bsize", VALUE_REQUIRED, rule_option_bsize,
	 "the buffer's length: N, <N, <=N, >N, >=N, N<>M, or ! before one"},
	{"absent", VALUE_OPTIONAL, rule_option_absent,
	 "the buffer never came; or_else: or it is as what follows says"},
	{"none", VALUE_NONE, rule_option_none,
	 "no instance of the buffer is as what follows says; Postern's own"},
	{"filename", VALUE_REQUIRED, rule_option_filename,
	 "an attachment's name holds this, in either case"},
	{"fileext", VALUE_REQUIRED, rule_option_filename,
	 "an attachment's name ends in a dot and this, in either case"},
	{"filesize", VALUE_REQUIRED, rule_option_filesize,
	 "an attachment's length, as in bsize, or with KB, MB, GB"},
	{"dataset", VALUE_REQUIRED, rule_option_dataset,
	 "the buffer is one of a set's values, or none (isnotset); set and unset write it"},
#define X(id, name, value, how, doc) {name, VALUE_##value, rule_option_transform, doc},
	RULE_TRANSFORMS(X)
#undef X
		{"byte_test", VALUE_REQUIRED, rule_option_byte_test,
		 "compares a number in the buffer"},
	{"byte_jump", VALUE_REQUIRED, rule_option_byte_jump,
	 "goes on as far behind a number as it says"},
	{"byte_extract", VALUE_REQUIRED, rule_option_byte_extract,
	 "names a number in the buffer, for what follows"},
	{"byte_math", VALUE_REQUIRED, rule_option_byte_math,
	 "the same, of a number and another: + - * / << >>"},
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
