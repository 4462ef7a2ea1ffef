/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets one after the other: who answered is known again, who looks for somebody is told of. */
#include "tests/bpf/stage_words.h"

/* Peers that answered: sixteen SYNs to others an hour, as many to them, two of these to each. */
#define TO(them)   .src = "10.10.0.1", .dst = them
#define FROM(them) .src = them, .dst = "10.10.0.1"
#define ASKS(them)                              \
	{                                       \
		{TO(them), SYN}, INSIDE, PASSES \
	}
#define SAYS(them)                                                                  \
	{                                                                           \
		{FROM(them), .sport = 80, .dport = 40000, SYN_ACK}, OUTSIDE, PASSES \
	}
#define FLOOD(them)                                                         \
	{                                                                   \
		{TO(them), SYN}, INSIDE, .times = 100, .action = WIRE_DROP, \
					 .reason = REASON_LIMIT_SYNS        \
	}
#define OVER(them)                                                                        \
	{                                                                                 \
		{TO(them), SYN}, INSIDE, .action = WIRE_DROP, .reason = REASON_LIMIT_SYNS \
	}

#define SCAN(them)  .src = "10.1.0.1", .dst = them
#define SHADY(them) .src = "10.12.0.1", .dst = them
#define SENDS(them)                               \
	{                                         \
		{SCAN(them), SYN}, INSIDE, PASSES \
	}
#define TOO_MANY(them)                                                                   \
	{                                                                                \
		{SCAN(them), SYN}, INSIDE, .action = WIRE_DROP, .reason = REASON_PROBING \
	}
#define SENDS_UDP(them)                                            \
	{                                                          \
		{SCAN(them), .proto = IPPROTO_UDP}, INSIDE, PASSES \
	}
#define HEARS_UDP(them)                                                                 \
	{                                                                               \
		{.src = them, .dst = "10.1.0.1", .proto = IPPROTO_UDP}, OUTSIDE, PASSES \
	}

/* clang-format off */
const struct stage_talk stage_talks[] = {
	{"a peer that answered, in a flood to others", .step = {ASKS("192.0.2.9"), SAYS("192.0.2.9"), FLOOD("192.0.2.66"),
	 ASKS("192.0.2.9"), FLOOD("192.0.2.67"), ASKS("192.0.2.9")}},
	{"its share is two; the next is as others' are", .step = {ASKS("192.0.2.9"), SAYS("192.0.2.9"), FLOOD("192.0.2.66"),
	 ASKS("192.0.2.9"), ASKS("192.0.2.9"), OVER("192.0.2.9")}},
	{"a flood to one that answers is a flood, and the others that did are asked all the same", .step = {
	 ASKS("192.0.2.9"), SAYS("192.0.2.9"), ASKS("192.0.2.8"), SAYS("192.0.2.8"), FLOOD("192.0.2.8"),
	 ASKS("192.0.2.9"), OVER("192.0.2.7")}},
	{"sixteen to those that answered", .step = {
	 ASKS("192.0.2.1"), SAYS("192.0.2.1"), ASKS("192.0.2.2"), SAYS("192.0.2.2"), ASKS("192.0.2.3"),
	 SAYS("192.0.2.3"), FLOOD("192.0.2.66"), {{TO("192.0.2.1"), SYN}, INSIDE, .times = 2},
	 {{TO("192.0.2.2"), SYN}, INSIDE, .times = 2}, {{TO("192.0.2.3"), SYN}, INSIDE, .times = 2},
	 OVER("192.0.2.1"), OVER("192.0.2.2"), OVER("192.0.2.3")}},
	{"who was not asked is not known, whatever he says", .step = {SAYS("192.0.2.9"), SAYS("192.0.2.9"), FLOOD("192.0.2.66"),
	 OVER("192.0.2.9")}},
	{"who was asked beyond the limit is not known either", .step = {FLOOD("192.0.2.66"), OVER("192.0.2.9"), SAYS("192.0.2.9"),
	 OVER("192.0.2.9")}},
	{"another of the server's ports is another peer", .step = {ASKS("192.0.2.9"), SAYS("192.0.2.9"), FLOOD("192.0.2.66"),
	 {{TO("192.0.2.9"), .dport = 81, SYN}, INSIDE, .action = WIRE_DROP, .reason = REASON_LIMIT_SYNS}}},
	{"whom one tenant knows another does not", .step = {ASKS("192.0.2.9"), SAYS("192.0.2.9"),
	 {{.src = "10.11.0.1", .dst = "192.0.2.66", SYN}, INSIDE, .times = 50, .action = WIRE_DROP,
	  .reason = REASON_LIMIT_SYNS},
	 {{.src = "10.11.0.1", .dst = "192.0.2.9", SYN}, INSIDE, .action = WIRE_DROP, .reason = REASON_LIMIT_SYNS},
	 ASKS("192.0.2.9")}},
	{"a refusal is no answer", .step = {ASKS("192.0.2.9"),
	 {{FROM("192.0.2.9"), .sport = 80, .flags = 0x14}, OUTSIDE, PASSES},
	 {{FROM("192.0.2.9"), .sport = 80, .flags = 0x16}, OUTSIDE, PASSES}, FLOOD("192.0.2.66"), OVER("192.0.2.9")}},
	{"its own answers to others make nobody known", .step = {
	 {{TO("192.0.2.9"), SYN_ACK}, INSIDE, PASSES}, FLOOD("192.0.2.66"), OVER("192.0.2.9")}},
	{"IPv6", .step = {{{OUT6("2001:db8:10::1"), SYN}, INSIDE, PASSES},
	 {{IN6("2001:db8:10::1"), .sport = 80, SYN_ACK}, OUTSIDE, PASSES}, FLOOD("192.0.2.66"),
	 {{OUT6("2001:db8:10::1"), SYN}, INSIDE, PASSES},
	 {{.src = "2001:db8:10::1", .dst = "2001:db8:ffff:1::9", SYN}, INSIDE, .action = WIRE_DROP,
	  .reason = REASON_LIMIT_SYNS}}},

	/* Addresses within a minute: four are not too many. */
	{"the fifth address is dropped, and the four go on", {SENDS("192.0.2.1"), SENDS("192.0.2.2"), SENDS("192.0.2.3"),
	 SENDS("192.0.2.4"), TOO_MANY("192.0.2.5"), TOO_MANY("192.0.2.5"), SENDS("192.0.2.1"), SENDS("192.0.2.4"),
	 TOO_MANY("192.0.2.6")}, .reach = 4, .reach_drop = 1, .scanner = PLAIN, .told = 1},
	{"the fifth address is told of", {SENDS("192.0.2.1"), SENDS("192.0.2.2"), SENDS("192.0.2.3"), SENDS("192.0.2.4"),
	 SENDS("192.0.2.5"), SENDS("192.0.2.6"), SENDS("192.0.2.5")}, .reach = 4, .scanner = PLAIN, .told = 1},
	{"one address, often and on many ports", {{{SCAN("192.0.2.1"), SYN}, INSIDE, .times = 50},
	 {{SCAN("192.0.2.1"), .dport = 81, SYN}, INSIDE}, {{SCAN("192.0.2.1"), .dport = 82, SYN}, INSIDE},
	 {{SCAN("192.0.2.1"), .dport = 83, SYN}, INSIDE}, {{SCAN("192.0.2.1"), .dport = 84, SYN}, INSIDE}},
	 .reach = 4, .reach_drop = 1, .scanner = PLAIN},
	{"datagrams", {SENDS_UDP("192.0.2.1"), SENDS_UDP("192.0.2.2"), SENDS_UDP("192.0.2.3"), SENDS_UDP("192.0.2.4"),
	 {{SCAN("192.0.2.5"), .proto = IPPROTO_UDP}, INSIDE, .action = WIRE_DROP, .reason = REASON_PROBING}},
	 .reach = 4, .reach_drop = 1, .scanner = PLAIN, .told = 1},
	{"answers to datagrams", {HEARS_UDP("192.0.2.1"), SENDS_UDP("192.0.2.1"), HEARS_UDP("192.0.2.2"),
	 SENDS_UDP("192.0.2.2"), HEARS_UDP("192.0.2.3"), SENDS_UDP("192.0.2.3"), HEARS_UDP("192.0.2.4"),
	 SENDS_UDP("192.0.2.4"), HEARS_UDP("192.0.2.5"), SENDS_UDP("192.0.2.5"), SENDS_UDP("192.0.2.5")},
	 .reach = 4, .reach_drop = 1, .scanner = PLAIN},
	{"a datagram from somebody is no excuse for SYNs", {HEARS_UDP("192.0.2.5"), SENDS("192.0.2.1"), SENDS("192.0.2.2"),
	 SENDS("192.0.2.3"), SENDS("192.0.2.4"), TOO_MANY("192.0.2.5")},
	 .reach = 4, .reach_drop = 1, .scanner = PLAIN, .told = 1},
	{"a server's answers to many, and its resets", {
	 {{SCAN("192.0.2.1"), SYN_ACK}, INSIDE}, {{SCAN("192.0.2.2"), SYN_ACK}, INSIDE},
	 {{SCAN("192.0.2.3")}, INSIDE}, {{SCAN("192.0.2.4"), .flags = 0x11}, INSIDE},
	 {{SCAN("192.0.2.5"), .flags = 0x04}, INSIDE}, {{SCAN("192.0.2.6"), .flags = 0x14}, INSIDE}},
	 .reach = 4, .reach_drop = 1, .scanner = PLAIN},
	{"scans without SYN", {{{SCAN("192.0.2.1"), .flags = 0x01}, INSIDE}, {{SCAN("192.0.2.2"), .flags = 0x29}, INSIDE},
	 {{SCAN("192.0.2.3"), .flags = 0x08}, INSIDE}, {{SCAN("192.0.2.4"), .flags = 0x01}, INSIDE},
	 {{SCAN("192.0.2.5"), .flags = 0x01}, INSIDE, .action = WIRE_DROP, .reason = REASON_PROBING}},
	 .reach = 4, .reach_drop = 1, .scanner = PLAIN, .told = 1},
	{"mail to many is counted with the rest", {{{SCAN("192.0.2.1"), SMTP, SYN}, INSIDE, .action = WIRE_INSPECT},
	 {{SCAN("192.0.2.2"), SIP}, INSIDE, .action = WIRE_INSPECT}, SENDS("192.0.2.3"), SENDS("192.0.2.4"),
	 {{SCAN("192.0.2.5"), SMTP, SYN}, INSIDE, .action = WIRE_DROP, .reason = REASON_PROBING}},
	 .reach = 4, .reach_drop = 1, .scanner = PLAIN, .told = 1},
	{"in shadow", {{{SHADY("192.0.2.1"), SYN}, INSIDE}, {{SHADY("192.0.2.2"), SYN}, INSIDE},
	 {{SHADY("192.0.2.3"), SYN}, INSIDE}, {{SHADY("192.0.2.4"), SYN}, INSIDE}, {{SHADY("192.0.2.5"), SYN}, INSIDE},
	 {{SHADY("192.0.2.6"), SYN}, INSIDE}, {{SHADY("192.0.2.6"), SYN}, INSIDE}},
	 .reach = 4, .reach_drop = 1, .scanner = SCANS_IN_SHADOW, .told = 1, .shadowed = 2},
	{"nobody counts them", {SENDS("192.0.2.1"), SENDS("192.0.2.2"), SENDS("192.0.2.3"), SENDS("192.0.2.4"),
	 SENDS("192.0.2.5")}, .reach_drop = 1, .scanner = PLAIN},
};
/* clang-format on */

const unsigned stage_talk_count = sizeof(stage_talks) / sizeof(stage_talks[0]);
