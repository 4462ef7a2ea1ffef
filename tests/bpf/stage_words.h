/* SPDX-License-Identifier: BSD-3-Clause */
/* The words that the tables of stage_cases.c and stage_talk_cases.c are written in. */
#ifndef POSTERN_TESTS_STAGE_WORDS_H
#define POSTERN_TESTS_STAGE_WORDS_H

#include <netinet/in.h>

#include "tests/bpf/stage_cases.h"

/* Tenants by slot. Rates of so many a day: no test lasts until a bucket refills. */
enum { PLAIN = 1, SUSPENDED, IN_VLAN, PACKETS, BYTES, SYNS, SHADOWED, INNER, SCANS_IN_SHADOW = 13 };

#define OUT4(from4)     .src = from4, .dst = "192.0.2.9"
#define IN4(to4)        .src = "192.0.2.9", .dst = to4
#define OUT6(from6)     .src = from6, .dst = "2001:db8:ffff::9"
#define IN6(to6)        .src = "2001:db8:ffff::9", .dst = to6
#define BIT(check)      (1 << CHECK_##check)
#define SMTP            .dport = 25
#define SIP             .proto = IPPROTO_UDP, .dport = 5060
#define RTP             .proto = IPPROTO_UDP, .sport = 20000, .dport = 30000
#define UNREACHABLE4    .proto = IPPROTO_ICMP, .icmp = 3
#define TOO_BIG6        .proto = IPPROTO_ICMPV6, .icmp = 2
#define SYN             .flags = 0x02
#define SYN_ACK         .flags = 0x12
#define INSIDE          .from = FROM_INSIDE
#define OUTSIDE         .from = FROM_OUTSIDE
#define PASSES          .action = WIRE_PASS
#define IS_MEDIA        .action = WIRE_PASS, .reason = REASON_EMERGENCY_MEDIA
#define IS_READ         .action = WIRE_INSPECT
#define IS_DROPPED(why) .action = WIRE_DROP, .reason = REASON_##why, .dropped = 1
#define SENT_BY(who)    .tenant = who, .outbound = 1
#define SENT_TO(who)    .tenant = who

#endif
