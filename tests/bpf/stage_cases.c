/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bpf/stage_cases.h"

#include <stdio.h>
#include <stdlib.h>

#include "control/policy/policy_build.h"
#include "tests/bpf/stage_words.h"
#include "tests/text_file.h"

#define SECOND UINT64_C(1000000000)

const char stage_case_text[] =
	"tenants: (\n"
	"{ id = 11; name = \"plain\"; prefixes = [ \"10.1.0.0/16\", \"2001:db8:1::/48\" ]; },\n"
	"{ id = 12; name = \"suspended\"; state = \"suspended\";\n"
	"  prefixes = [ \"10.2.0.0/16\", \"2001:db8:2::/48\" ]; },\n"
	"{ id = 13; name = \"in a vlan\"; vlan = 100; prefixes = [ \"10.1.0.0/24\",\n"
	"  \"10.3.0.0/16\", \"2001:db8:1::/64\" ]; },\n"
	"{ id = 14; name = \"packets\"; prefixes = [ \"10.4.0.0/16\" ];\n"
	"  limits: { packets = \"3/d\"; }; },\n"
	"{ id = 15; name = \"bytes\"; prefixes = [ \"10.5.0.0/16\" ];\n"
	"  limits: { bytes = \"1000/d\"; }; },\n"
	"{ id = 16; name = \"syns\"; prefixes = [ \"10.6.0.0/16\", \"2001:db8:6::/48\" ];\n"
	"  limits: { syns = \"2/d\"; }; },\n"
	"{ id = 17; name = \"shadowed\"; prefixes = [ \"10.7.0.0/16\" ];\n"
	"  limits: { packets = \"1/d\"; bytes = \"2000/d\"; shadow = [ \"packets\" ]; }; },\n"
	"{ id = 18; name = \"inner\"; prefixes = [ \"10.1.2.0/24\", \"2001:db8:1:2::/64\" ]; },\n"
	"{ id = 19; name = \"one of two\"; vlan = 200; prefixes = [ \"10.9.0.0/24\" ]; },\n"
	"{ id = 20; name = \"the other\"; vlan = 200; prefixes = [ \"10.9.1.0/24\" ]; },\n"
	"{ id = 21; name = \"peers\"; prefixes = [ \"10.10.0.0/16\", \"2001:db8:10::/48\" ];\n"
	"  limits: { syns = \"16/h\"; }; },\n"
	"{ id = 22; name = \"peers too\"; prefixes = [ \"10.11.0.0/16\" ];\n"
	"  limits: { syns = \"16/h\"; }; },\n"
	"{ id = 23; name = \"scans in shadow\"; prefixes = [ \"10.12.0.0/16\" ];\n"
	"  limits: { shadow = [ \"probing\" ]; }; }\n"
	");\n"
	"lists: { blocked = [ \"198.51.100.0/24\", \"2001:db8:bad::/48\", \"203.0.113.7\" ]; };\n";

static const char capture_text[] =
	"tenants: (\n"
	"{ id = 1; name = \"ten\"; prefixes = [ \"10.0.0.0/8\" ];\n"
	"  limits: { packets = \"5000/d\"; syns = \"50/d\"; }; },\n"
	"{ id = 2; name = \"home\"; prefixes = [ \"192.168.0.0/16\", \"fc00::/7\" ]; },\n"
	"{ id = 3; name = \"suspended\"; state = \"suspended\"; prefixes = [ \"172.16.0.0/12\" ]; "
	"},\n"
	"{ id = 4; name = \"global\"; prefixes = [ \"2000::/3\", \"128.0.0.0/2\" ];\n"
	"  limits: { bytes = \"2M/d\"; }; },\n"
	"{ id = 5; name = \"local\"; prefixes = [ \"127.0.0.0/8\", \"::1\" ]; }\n"
	");\n"
	"lists: { blocked = [ \"192.0.0.0/9\", \"2001:db8::/32\" ]; };\n";

struct policy *stage_policy(const char *config_text)
{
	struct diag diag = {0};
	struct config *config = text_config(config_text, &diag);
	struct policy *policy = config ? policy_build(config, &diag) : NULL;

	if (!policy || diag.errors) {
		diag_print(&diag, stderr);
		abort();
	}
	config_free(config);
	diag_fini(&diag);
	return policy;
}

struct policy *stage_case_policy(void)
{
	return stage_policy(stage_case_text);
}

struct policy *stage_capture_policy(void)
{
	return stage_policy(capture_text);
}

struct gate_port stage_case_port(const struct stage_case *c)
{
	return (struct gate_port){
		.ifindex = CASE_IFINDEX,
		.peer = CASE_PEER,
		.from = c->from,
		.failure = c->failure,
		.flags = c->flags,
		.heartbeat_max = c->dataplane == STUCK_UNMINDED ? 0 : 1000000,
	};
}

uint64_t stage_case_heartbeat(const struct stage_case *c, uint64_t now)
{
	if (c->dataplane == STUCK || c->dataplane == STUCK_UNMINDED)
		return 1; /* when the machine was started */
	return now + 3600 * SECOND;
}

bool stage_case_verdict(const struct stage_case *c, uint64_t now, struct flow_verdict *verdict)
{
	*verdict = (struct flow_verdict){
		.expires = now + 3600 * SECOND,
		.place = c->frame.proto == IPPROTO_UDP ? FLOW_EPOCHS : CASE_EPOCH,
		.own = 1,
		.epoch = c->renewed ? 6 : 7,
	};
	switch ((enum case_flow)c->flow) {
	case NEVER_SEEN:
		return false;
	case EXPIRED_DROP:
		verdict->expires = now - 1;
		/* fallthrough */
	case KNOWN_DROP:
		verdict->decision = FLOW_DROP;
		break;
	case EXPIRED_PASS:
		verdict->expires = now - 1;
		/* fallthrough */
	case KNOWN_PASS:
		verdict->decision = FLOW_PASS;
		break;
	}
	return true;
}

static struct media media_of(const struct stage_case *c, const struct stage_packet *p, uint64_t now)
{
	struct media m = {
		.expires = now + 3600 * SECOND,
		.until = now + 7200 * SECOND,
		.idle = 3600 * SECOND,
		.inside_port = {c->outbound ? p->sport : p->dport, 0},
		.outside_port = {c->outbound ? p->dport : p->sport, 0},
		.tenant = c->tenant,
		.family = p->family,
	};

	memcpy(m.inside, c->outbound ? p->src : p->dst, sizeof(m.inside));
	memcpy(m.outside, c->outbound ? p->dst : p->src, sizeof(m.outside));
	m.inside_port[1] = (uint16_t)(m.inside_port[0] + 1);
	m.outside_port[1] = (uint16_t)(m.outside_port[0] + 1);
	return m;
}

static void media_vary(const struct stage_case *c, uint64_t now, struct media *m)
{
	uint16_t *sender = c->outbound ? m->inside_port : m->outside_port;
	uint16_t *receiver = c->outbound ? m->outside_port : m->inside_port;

	switch ((enum case_media)c->media) {
	case MEDIA_RTCP:
		m->inside_port[1] = m->inside_port[0]--;
		m->outside_port[1] = m->outside_port[0]--;
		break;
	case MEDIA_TRANSLATED:
		m->inside_port[0] = m->inside_port[1] = 0;
		break;
	case MEDIA_SENDER:
		sender[0] = (uint16_t)(sender[0] + 2);
		sender[1] = (uint16_t)(sender[1] + 2);
		break;
	case MEDIA_RECEIVER:
		receiver[0] = (uint16_t)(receiver[0] + 2);
		receiver[1] = (uint16_t)(receiver[1] + 2);
		break;
	case MEDIA_HOST:
		m->outside[3] ^= 1;
		break;
	case MEDIA_INSIDE:
		m->inside[m->family == 4 ? 3 : 15] ^= 1;
		break;
	case MEDIA_EXPIRED:
		m->expires = now - 1;
		break;
	case MEDIA_AT_THE_END:
		m->until = now - 1;
		break;
	case MEDIA_ANOTHERS:
		m->tenant++;
		break;
	default:
		break;
	}
}

bool stage_case_media(const struct stage_case *c, const struct stage_packet *p, uint64_t now,
		      struct media places[CASE_MEDIA], uint32_t *first)
{
	*first = 0;
	memset(places, 0, CASE_MEDIA * sizeof(places[0]));
	if (c->media == MEDIA_NONE)
		return false;
	places[0] = places[1] = media_of(c, p, now);
	media_vary(c, now, &places[0]);
	*first = 1;
	if (c->media == MEDIA_LAST_OF_TWO) {
		places[1].outside[0] ^= 1;
		places[1].next = 1;
		*first = 2;
	}
	return true;
}

/* clang-format off */
const struct stage_case stage_cases[] = {
	/* Layer 2, and what stays on its link */
	{"ARP", {.ethertype = 0x0806}, INSIDE, PASSES, .reason = REASON_NOT_IP},
	{"LLDP", {.ethertype = 0x88cc}, OUTSIDE, PASSES, .reason = REASON_NOT_IP},
	{"ARP in a VLAN", {.ethertype = 0x0806, .vlan = {100}}, INSIDE, PASSES, .reason = REASON_NOT_IP},
	{"neighbour solicitation from a router's own address",
	 {OUT6("2001:db8:9::1"), .proto = IPPROTO_ICMPV6, .icmp = 135, .hops = 255}, INSIDE, PASSES},
	{"neighbour discovery that has crossed a router",
	 {OUT6("2001:db8:9::1"), .proto = IPPROTO_ICMPV6, .icmp = 135, .hops = 254}, INSIDE, IS_DROPPED(SPOOFED)},
	{"echo request with a hop limit of 255",
	 {OUT6("2001:db8:9::1"), .proto = IPPROTO_ICMPV6, .icmp = 128, .hops = 255}, INSIDE, IS_DROPPED(SPOOFED)},
	{"duplicate address detection", {.src = "::", .dst = "ff02::1:ff00:1", .proto = IPPROTO_ICMPV6, .icmp = 135,
	 .hops = 255}, INSIDE, PASSES},
	{"multicast listener report", {.src = "fe80::1", .dst = "ff02::16", .proto = IPPROTO_ICMPV6, .icmp = 143},
	 INSIDE, PASSES},
	{"link-local IPv6", {OUT6("febf::1")}, INSIDE, PASSES},
	{"just beyond link-local IPv6", {OUT6("fec0::1")}, INSIDE, IS_DROPPED(SPOOFED)},
	{"loopback's IPv6 address", {OUT6("::1")}, INSIDE, IS_DROPPED(SPOOFED)},
	{"DHCP", {.src = "0.0.0.0", .dst = "255.255.255.255", .proto = IPPROTO_UDP, .sport = 68, .dport = 67},
	 INSIDE, PASSES},
	{"link-local IPv4", {OUT4("169.254.3.4")}, INSIDE, PASSES},
	{"just beyond link-local IPv4", {OUT4("169.253.3.4")}, INSIDE, IS_DROPPED(SPOOFED)},

	/* Whose, and which way */
	{"a tenant's", {OUT4("10.1.0.1")}, INSIDE, SENT_BY(PLAIN), PASSES},
	{"to a tenant", {IN4("10.1.0.1")}, OUTSIDE, SENT_TO(PLAIN), PASSES},
	{"a tenant's, IPv6", {OUT6("2001:db8:1::1")}, INSIDE, SENT_BY(PLAIN), PASSES},
	{"to a tenant, IPv6", {IN6("2001:db8:1::1")}, OUTSIDE, SENT_TO(PLAIN), PASSES},
	{"of a longer prefix", {OUT4("10.1.2.1")}, INSIDE, SENT_BY(INNER), PASSES},
	{"of a longer prefix, IPv6", {OUT6("2001:db8:1:2::1")}, INSIDE, SENT_BY(INNER), PASSES},
	{"nobody's, from outside", {IN4("192.0.2.77")}, OUTSIDE, PASSES},
	{"a tenant's address from outside is no tenant's packet", {OUT4("10.1.0.1")}, OUTSIDE, PASSES},
	{"from tenant to tenant, inside", {.src = "10.1.0.1", .dst = "10.5.0.1"}, INSIDE, SENT_BY(PLAIN), PASSES},
	{"from tenant to tenant, come back", {.src = "10.1.0.1", .dst = "10.5.0.1"}, OUTSIDE, SENT_TO(BYTES), PASSES},
	{"in a capture the sender counts", {.src = "10.1.0.1", .dst = "10.5.0.1"}, SENT_BY(PLAIN), PASSES},
	{"in a capture, to a tenant", {IN4("10.5.0.1")}, SENT_TO(BYTES), PASSES},
	{"in a capture nothing is spoofed", {OUT4("172.16.0.1")}, PASSES},
	{"a VLAN's own", {OUT4("10.1.0.1"), .vlan = {100}}, INSIDE, SENT_BY(IN_VLAN), PASSES},
	{"a VLAN's own, IPv6", {OUT6("2001:db8:1::1"), .vlan = {100}}, INSIDE, SENT_BY(IN_VLAN), PASSES},
	{"a VLAN's own before a longer one of any", {OUT4("10.1.0.1"), .vlan = {100}}, INSIDE, SENT_BY(IN_VLAN), PASSES},
	{"in another VLAN", {OUT4("10.1.0.1"), .vlan = {101}}, INSIDE, SENT_BY(PLAIN), PASSES},
	{"in no VLAN", {OUT4("10.3.0.1")}, INSIDE, IS_DROPPED(SPOOFED)},
	{"its own VLAN only", {OUT4("10.3.0.1"), .vlan = {101}}, INSIDE, IS_DROPPED(SPOOFED)},
	{"not its own address in its VLAN, but somebody's in any", {OUT4("10.5.0.1"), .vlan = {100}}, INSIDE,
	 SENT_BY(BYTES), PASSES},
	{"priority and drop eligible", {OUT4("10.3.0.1"), .vlan = {0xf064}}, INSIDE, SENT_BY(IN_VLAN), PASSES},
	{"QinQ: the outer tag counts", {OUT4("10.3.0.1"), .vlan = {100, 7}, .tag = {0x88a8}}, INSIDE,
	 SENT_BY(IN_VLAN), PASSES},
	{"QinQ: the inner doesn't", {OUT4("10.3.0.1"), .vlan = {7, 100}, .tag = {0x88a8}}, INSIDE, IS_DROPPED(SPOOFED)},
	{"three tags", {OUT4("10.3.0.1"), .vlan = {100, 7, 8}, SMTP}, INSIDE, SENT_BY(IN_VLAN), IS_READ},
	{"four tags", {OUT4("10.3.0.1"), .vlan = {100, 7, 8, 9}, SMTP}, INSIDE, SENT_BY(IN_VLAN), IS_READ},

	/* Spoofed */
	{"a source that is nobody's", {OUT4("172.16.0.1")}, INSIDE, IS_DROPPED(SPOOFED)},
	{"one beyond a prefix", {OUT4("10.8.0.0")}, INSIDE, IS_DROPPED(SPOOFED)},
	{"nobody's, IPv6", {OUT6("2001:db8:3::1")}, INSIDE, IS_DROPPED(SPOOFED)},
	{"nobody's, to SMTP", {OUT4("172.16.0.1"), SMTP}, INSIDE, IS_DROPPED(SPOOFED)},
	{"nobody's, with the receiver's address", {.src = "172.16.0.1", .dst = "10.1.0.1"}, INSIDE, IS_DROPPED(SPOOFED)},
	{"nobody's, a fragment", {OUT4("172.16.0.1"), .fragment = 0x2000}, INSIDE, IS_DROPPED(SPOOFED)},
	{"nobody's, in a VLAN that is one tenant's", {OUT4("172.16.0.1"), .vlan = {100}}, INSIDE, IS_DROPPED(SPOOFED),
	 .blamed = IN_VLAN},
	{"a dozen of them", {OUT6("2001:db8:3::1"), .vlan = {100, 7}}, INSIDE, .before = 11, .action = WIRE_DROP,
	 .reason = REASON_SPOOFED, .dropped = 12, .blamed = IN_VLAN},
	{"nobody's, in a VLAN that two tenants have", {OUT4("172.16.0.1"), .vlan = {200}}, INSIDE, IS_DROPPED(SPOOFED)},
	{"nobody's, in a VLAN of nobody's", {OUT4("172.16.0.1"), .vlan = {101}}, INSIDE, IS_DROPPED(SPOOFED)},
	{"nobody's, in a VLAN, in shadow", {OUT4("172.16.0.1"), .vlan = {100}}, INSIDE, PASSES, .shadow = 1,
	 .shadowed = BIT(SPOOFED)},
	{"nobody's, malformed", {OUT4("172.16.0.1"), .length_lie = 9}, INSIDE, IS_DROPPED(SPOOFED)},
	{"spoofed, in shadow", {OUT4("172.16.0.1"), SMTP}, INSIDE, PASSES, .flags = GATE_SPOOF_SHADOW,
	 .shadowed = BIT(SPOOFED)},
	{"spoofed, the policy in shadow", {OUT4("172.16.0.1")}, INSIDE, PASSES, .shadow = 1, .shadowed = BIT(SPOOFED)},

	/* Suspended */
	{"suspended", {OUT4("10.2.0.1")}, INSIDE, SENT_BY(SUSPENDED), IS_DROPPED(TENANT_SUSPENDED)},
	{"suspended, IPv6", {OUT6("2001:db8:2::1"), .proto = IPPROTO_UDP, .dport = 53}, INSIDE, SENT_BY(SUSPENDED),
	 IS_DROPPED(TENANT_SUSPENDED)},
	{"suspended, ping", {OUT4("10.2.0.1"), .proto = IPPROTO_ICMP, .icmp = 8}, INSIDE, SENT_BY(SUSPENDED),
	 IS_DROPPED(TENANT_SUSPENDED)},
	{"to the suspended", {IN4("10.2.0.1")}, OUTSIDE, SENT_TO(SUSPENDED), IS_DROPPED(TENANT_SUSPENDED)},
	{"suspended, mail: it is told so", {OUT4("10.2.0.1"), SMTP}, INSIDE, SENT_BY(SUSPENDED), IS_READ},
	{"the server's side of that", {IN4("10.2.0.1"), .sport = 25, .dport = 40000}, OUTSIDE, SENT_TO(SUSPENDED), IS_READ},
	{"suspended, a call: it may be 112", {OUT4("10.2.0.1"), SIP}, INSIDE, SENT_BY(SUSPENDED), IS_READ},
	{"suspended, a fragment: it may be a call", {OUT4("10.2.0.1"), SIP, .fragment = 0x2000}, INSIDE,
	 SENT_BY(SUSPENDED), IS_READ},
	{"suspended, a fragment of something else", {OUT4("10.2.0.1"), .proto = IPPROTO_ICMP, .fragment = 0x2000},
	 INSIDE, SENT_BY(SUSPENDED), IS_DROPPED(TENANT_SUSPENDED)},
	{"suspended, an emergency call's media", {OUT4("10.2.0.1"), RTP}, INSIDE, .media = MEDIA_ITS,
	 SENT_BY(SUSPENDED), IS_MEDIA},
	{"its media, to the suspended", {IN4("10.2.0.1"), RTP}, OUTSIDE, .media = MEDIA_ITS, SENT_TO(SUSPENDED), IS_MEDIA},
	{"its media, IPv6", {OUT6("2001:db8:2::1"), RTP}, INSIDE, .media = MEDIA_ITS, SENT_BY(SUSPENDED), IS_MEDIA},
	{"its media, IPv6, to the suspended", {IN6("2001:db8:2::1"), RTP}, OUTSIDE, .media = MEDIA_ITS, SENT_TO(SUSPENDED),
	 IS_MEDIA},
	{"its media, in a capture", {OUT4("10.2.0.1"), RTP}, .media = MEDIA_ITS, SENT_BY(SUSPENDED), IS_MEDIA},
	{"its media's RTCP", {OUT4("10.2.0.1"), RTP}, INSIDE, .media = MEDIA_RTCP, SENT_BY(SUSPENDED), IS_MEDIA},
	{"its media's RTCP, to the suspended", {IN4("10.2.0.1"), RTP}, OUTSIDE, .media = MEDIA_RTCP, SENT_TO(SUSPENDED),
	 IS_MEDIA},
	{"its media, behind a translator", {OUT4("10.2.0.1"), RTP}, INSIDE, .media = MEDIA_TRANSLATED, SENT_BY(SUSPENDED),
	 IS_MEDIA},
	{"its media, to behind a translator", {IN4("10.2.0.1"), RTP}, OUTSIDE, .media = MEDIA_TRANSLATED, SENT_TO(SUSPENDED),
	 IS_MEDIA},
	{"its media, from another port than it said", {OUT4("10.2.0.1"), RTP}, INSIDE, .media = MEDIA_SENDER,
	 SENT_BY(SUSPENDED), IS_MEDIA},
	{"its media, to it, from another port than was said", {IN4("10.2.0.1"), RTP}, OUTSIDE, .media = MEDIA_SENDER,
	 SENT_TO(SUSPENDED), IS_MEDIA},
	{"its media, the second medium", {OUT4("10.2.0.1"), RTP}, INSIDE, .media = MEDIA_LAST_OF_TWO, SENT_BY(SUSPENDED),
	 IS_MEDIA},
	{"to another port than its media's", {OUT4("10.2.0.1"), RTP}, INSIDE, .media = MEDIA_RECEIVER, SENT_BY(SUSPENDED),
	 IS_DROPPED(TENANT_SUSPENDED)},
	{"to the suspended, to another port than its media's", {IN4("10.2.0.1"), RTP}, OUTSIDE, .media = MEDIA_RECEIVER,
	 SENT_TO(SUSPENDED), IS_DROPPED(TENANT_SUSPENDED)},
	{"to another host than its media's", {OUT4("10.2.0.1"), RTP}, INSIDE, .media = MEDIA_HOST, SENT_BY(SUSPENDED),
	 IS_DROPPED(TENANT_SUSPENDED)},
	{"from another host of the tenant's than its media's", {OUT4("10.2.0.1"), RTP}, INSIDE, .media = MEDIA_INSIDE,
	 SENT_BY(SUSPENDED), IS_DROPPED(TENANT_SUSPENDED)},
	{"its media, of which nothing came for long", {OUT4("10.2.0.1"), RTP}, INSIDE, .media = MEDIA_EXPIRED,
	 SENT_BY(SUSPENDED), IS_DROPPED(TENANT_SUSPENDED)},
	{"its media, beyond the time of any call", {OUT4("10.2.0.1"), RTP}, INSIDE, .media = MEDIA_AT_THE_END,
	 SENT_BY(SUSPENDED), IS_DROPPED(TENANT_SUSPENDED)},
	{"another tenant's media", {OUT4("10.2.0.1"), RTP}, INSIDE, .media = MEDIA_ANOTHERS, SENT_BY(SUSPENDED),
	 IS_DROPPED(TENANT_SUSPENDED)},
	{"over TCP nothing is media", {OUT4("10.2.0.1"), .dport = 30000}, INSIDE, .media = MEDIA_ITS, SENT_BY(SUSPENDED),
	 IS_DROPPED(TENANT_SUSPENDED)},
	{"nor is a fragment", {OUT4("10.2.0.1"), RTP, .fragment = 0x2000}, INSIDE, .media = MEDIA_ITS, SENT_BY(SUSPENDED),
	 IS_READ},
	{"nor what is read", {OUT4("10.2.0.1"), SIP}, INSIDE, .media = MEDIA_ITS, SENT_BY(SUSPENDED), IS_READ},
	{"media to a blocked network", {.src = "10.1.0.1", .dst = "198.51.100.200", RTP}, INSIDE, .media = MEDIA_ITS,
	 SENT_BY(PLAIN), IS_MEDIA},
	{"media beyond the tenant's packets", {OUT4("10.4.0.1"), RTP}, INSIDE, .media = MEDIA_ITS, .before = 9,
	 SENT_BY(PACKETS), IS_MEDIA},
	{"media beyond the tenant's bytes", {OUT4("10.5.0.1"), RTP, .payload = 446}, INSIDE, .media = MEDIA_ITS, .before = 9,
	 SENT_BY(BYTES), IS_MEDIA},
	{"media of a tenant of whom nothing is wrong", {OUT4("10.1.0.1"), RTP}, INSIDE, .media = MEDIA_ITS, SENT_BY(PLAIN),
	 IS_MEDIA},
	{"away, closed: media go on", {OUT4("10.2.0.1"), RTP}, INSIDE, .media = MEDIA_ITS, .dataplane = AWAY,
	 .failure = GATE_FAIL_CLOSED, SENT_BY(SUSPENDED), IS_MEDIA},
	{"suspended, let through before", {OUT4("10.2.0.1")}, INSIDE, .flow = KNOWN_PASS, SENT_BY(SUSPENDED),
	 IS_DROPPED(TENANT_SUSPENDED)},
	{"suspended, mail let through before: read again", {OUT4("10.2.0.1"), SMTP}, INSIDE, .flow = KNOWN_PASS,
	 SENT_BY(SUSPENDED), IS_READ},
	{"suspended, in shadow", {OUT4("10.2.0.1")}, INSIDE, .shadow = 1, SENT_BY(SUSPENDED), PASSES,
	 .shadowed = BIT(TENANT_SUSPENDED)},

	/* Blocked */
	{"to a blocked network", {.src = "10.1.0.1", .dst = "198.51.100.200"}, INSIDE, SENT_BY(PLAIN), IS_DROPPED(BLOCKED)},
	{"to a blocked network, IPv6", {.src = "2001:db8:1::1", .dst = "2001:db8:bad::1"}, INSIDE, SENT_BY(PLAIN),
	 IS_DROPPED(BLOCKED)},
	{"to a blocked address", {.src = "10.1.0.1", .dst = "203.0.113.7", SMTP}, INSIDE, SENT_BY(PLAIN),
	 IS_DROPPED(BLOCKED)},
	{"to its neighbour", {.src = "10.1.0.1", .dst = "203.0.113.6"}, INSIDE, SENT_BY(PLAIN), PASSES},
	{"blocked in every VLAN", {.src = "10.3.0.1", .dst = "198.51.100.1", .vlan = {100}}, INSIDE, SENT_BY(IN_VLAN),
	 IS_DROPPED(BLOCKED)},
	{"from a blocked network", {.src = "198.51.100.200", .dst = "10.1.0.1"}, OUTSIDE, SENT_TO(PLAIN), PASSES},
	{"blocked, in shadow", {.src = "10.1.0.1", .dst = "198.51.100.200"}, INSIDE, .shadow = 1, SENT_BY(PLAIN), PASSES,
	 .shadowed = BIT(BLOCKED)},

	/* Buckets */
	{"three packets", {OUT4("10.4.0.1")}, INSIDE, .before = 2, SENT_BY(PACKETS), PASSES},
	{"the fourth packet", {OUT4("10.4.0.1")}, INSIDE, .before = 3, SENT_BY(PACKETS), IS_DROPPED(LIMIT_PACKETS)},
	{"the tenth packet, of mail", {OUT4("10.4.0.1"), SMTP}, INSIDE, .before = 9, SENT_BY(PACKETS), .action = WIRE_DROP,
	 .reason = REASON_LIMIT_PACKETS, .dropped = 7},
	{"the eighth packet, of SIP: it may be a call for help", {OUT4("10.4.0.1"), SIP}, INSIDE, .before = 7, SENT_BY(PACKETS), IS_READ},
	{"packets to the tenant", {IN4("10.4.0.1")}, OUTSIDE, .before = 9, SENT_TO(PACKETS), PASSES},
	{"a thousand bytes, the last as it may", {OUT4("10.5.0.1"), .payload = 446}, INSIDE, .before = 1, SENT_BY(BYTES), PASSES},
	{"and what comes then", {OUT4("10.5.0.1"), .payload = 446}, INSIDE, .before = 2, SENT_BY(BYTES), IS_DROPPED(LIMIT_BYTES)},
	{"more bytes than it may send, of SIP", {OUT4("10.5.0.1"), SIP, .payload = 446}, INSIDE, .before = 6, SENT_BY(BYTES), IS_READ},
	{"bytes to the tenant", {IN4("10.5.0.1"), .payload = 1000}, OUTSIDE, .before = 9, SENT_TO(BYTES), PASSES},
	{"two SYNs", {OUT4("10.6.0.1"), SYN}, INSIDE, .before = 1, SENT_BY(SYNS), PASSES},
	{"the third SYN", {OUT4("10.6.0.1"), SYN}, INSIDE, .before = 2, SENT_BY(SYNS), IS_DROPPED(LIMIT_SYNS)},
	{"the third SYN, IPv6", {OUT6("2001:db8:6::1"), SYN}, INSIDE, .before = 2, SENT_BY(SYNS), IS_DROPPED(LIMIT_SYNS)},
	{"the third SYN with other flags", {OUT4("10.6.0.1"), .flags = 0xc2}, INSIDE, .before = 2, SENT_BY(SYNS),
	 IS_DROPPED(LIMIT_SYNS)},
	{"a fragment that hides a SYN", {OUT4("10.6.0.1"), SYN, .fragment = 0x2000}, INSIDE, .before = 2, SENT_BY(SYNS),
	 IS_DROPPED(LIMIT_SYNS)},
	{"a fragment that ends before the flags", {OUT4("10.6.0.1"), .fragment = 0x2000, .payload = 4, .length_lie = -12},
	 INSIDE, .before = 2, SENT_BY(SYNS), IS_DROPPED(LIMIT_SYNS)},
	{"a fragment that would overwrite the flags", {OUT4("10.6.0.1"), .fragment = 0x2001}, INSIDE, .before = 2,
	 SENT_BY(SYNS), IS_DROPPED(LIMIT_SYNS)},
	{"later fragments", {OUT4("10.6.0.1"), SYN, .fragment = 0x2003}, INSIDE, .before = 9, SENT_BY(SYNS), IS_READ},
	{"the first fragment of a segment", {OUT4("10.6.0.1"), .fragment = 0x2000}, INSIDE, .before = 9, SENT_BY(SYNS),
	 IS_READ},
	{"fragments of datagrams", {OUT4("10.6.0.1"), SIP, .fragment = 0x2000}, INSIDE, .before = 9, SENT_BY(SYNS), IS_READ},
	{"an IPv6 fragment that hides a SYN", {OUT6("2001:db8:6::1"), SYN, .fragment = 0x0001}, INSIDE, .before = 2,
	 SENT_BY(SYNS), IS_DROPPED(LIMIT_SYNS)},
	{"an IPv6 fragment that would overwrite the flags", {OUT6("2001:db8:6::1"), .fragment = 0x0009}, INSIDE, .before = 2,
	 SENT_BY(SYNS), IS_DROPPED(LIMIT_SYNS)},
	{"a later IPv6 fragment", {OUT6("2001:db8:6::1"), SYN, .fragment = 0x0011}, INSIDE, .before = 9, SENT_BY(SYNS), IS_READ},
	{"an IPv6 fragment with options before who knows what", {OUT6("2001:db8:6::1"), .proto = IPPROTO_DSTOPTS,
	 .fragment = 0x0001}, INSIDE, .before = 2, SENT_BY(SYNS), IS_DROPPED(LIMIT_SYNS)},
	{"a SYN behind nine headers", {OUT6("2001:db8:6::1"), SYN, .extensions = 9}, INSIDE, .before = 2, SENT_BY(SYNS),
	 IS_DROPPED(LIMIT_SYNS)},
	{"who knows what behind nine headers", {OUT6("2001:db8:6::1"), .extensions = 9}, INSIDE, .before = 2,
	 SENT_BY(SYNS), IS_DROPPED(LIMIT_SYNS)},
	{"a SYN behind eight", {OUT6("2001:db8:6::1"), SYN, .extensions = 8}, INSIDE, .before = 2, SENT_BY(SYNS),
	 IS_DROPPED(LIMIT_SYNS)},
	{"fragments that hide SYNs, to the tenant", {IN4("10.6.0.1"), SYN, .fragment = 0x2000}, OUTSIDE, .before = 9,
	 SENT_TO(SYNS), IS_READ},
	{"a bucket that workers had spent of: it is full", {OUT4("10.4.0.1")}, INSIDE, .alien = 1, .before = 2, SENT_BY(PACKETS),
	 PASSES},
	{"and is spent of as ever", {OUT4("10.4.0.1")}, INSIDE, .alien = 1, .before = 3, SENT_BY(PACKETS),
	 IS_DROPPED(LIMIT_PACKETS)},
	{"answers to others' SYNs", {OUT4("10.6.0.1"), SYN_ACK}, INSIDE, .before = 9, SENT_BY(SYNS), PASSES},
	{"packets of connections there are", {OUT4("10.6.0.1")}, INSIDE, .before = 9, SENT_BY(SYNS), PASSES},
	{"SYNs to the tenant", {IN4("10.6.0.1"), SYN}, OUTSIDE, .before = 9, SENT_TO(SYNS), PASSES},
	{"a limit in shadow", {OUT4("10.7.0.1")}, INSIDE, .before = 1, SENT_BY(SHADOWED), PASSES,
	 .shadowed = BIT(LIMIT_PACKETS)},
	{"the next limit holds all the same", {OUT4("10.7.0.1"), .payload = 1500}, INSIDE, .before = 2, SENT_BY(SHADOWED),
	 IS_DROPPED(LIMIT_BYTES), .shadowed = BIT(LIMIT_PACKETS)},
	{"limits, the policy in shadow", {OUT4("10.4.0.1")}, INSIDE, .before = 5, .shadow = 1, SENT_BY(PACKETS), PASSES,
	 .shadowed = BIT(LIMIT_PACKETS)},
	{"malformed packets cost as others do", {OUT4("10.4.0.1"), .length_lie = 99}, INSIDE, .before = 3, SENT_BY(PACKETS),
	 IS_DROPPED(LIMIT_PACKETS)},

	/* Flows decided upon */
	{"a flow to be dropped", {OUT4("10.1.0.1"), SMTP}, INSIDE, .flow = KNOWN_DROP, SENT_BY(PLAIN), IS_DROPPED(FLOW_DECIDED)},
	{"a flow to be dropped, the other way", {IN4("10.1.0.1"), .sport = 25}, OUTSIDE, .flow = KNOWN_DROP, SENT_TO(PLAIN),
	 IS_DROPPED(FLOW_DECIDED)},
	{"a flow to be dropped, IPv6", {OUT6("2001:db8:1::1"), SMTP}, INSIDE, .flow = KNOWN_DROP, SENT_BY(PLAIN),
	 IS_DROPPED(FLOW_DECIDED)},
	{"of no inspected port nobody asks", {OUT6("2001:db8:1::1")}, INSIDE, .flow = KNOWN_DROP, SENT_BY(PLAIN), PASSES},
	{"a flow to be dropped, in a VLAN", {OUT4("10.1.0.1"), SMTP, .vlan = {101, 3}}, INSIDE, .flow = KNOWN_DROP,
	 SENT_BY(PLAIN), IS_DROPPED(FLOW_DECIDED)},
	{"a flow that needs no more reading", {OUT4("10.1.0.1"), .dport = 465}, INSIDE, .flow = KNOWN_PASS, SENT_BY(PLAIN), PASSES,
	 .reason = REASON_FLOW_DECIDED},
	{"a flow to be dropped begins anew", {OUT4("10.1.0.1"), SMTP, SYN}, INSIDE, .flow = KNOWN_DROP, SENT_BY(PLAIN), IS_READ},
	{"a flow that needs no more reading ends", {OUT4("10.1.0.1"), SMTP, .flags = 0x11}, INSIDE, .flow = KNOWN_PASS,
	 SENT_BY(PLAIN), IS_READ},
	{"the same, by RST from the other end", {IN4("10.1.0.1"), .sport = 25, .flags = 0x04}, OUTSIDE, .flow = KNOWN_PASS,
	 SENT_TO(PLAIN), IS_READ},
	{"the same, somebody answers a SYN", {IN4("10.1.0.1"), .sport = 25, SYN_ACK}, OUTSIDE, .flow = KNOWN_PASS,
	 SENT_TO(PLAIN), IS_READ},
	{"a new connection on a passed one's ports", {OUT4("10.1.0.1"), SMTP}, INSIDE, .flow = KNOWN_PASS, .renewed = 1,
	 SENT_BY(PLAIN), IS_READ},
	{"a new connection on a dropped one's ports", {OUT4("10.1.0.1"), SMTP}, INSIDE, .flow = KNOWN_DROP, .renewed = 1,
	 SENT_BY(PLAIN), IS_READ},
	{"a drop that has expired", {OUT4("10.1.0.1"), SMTP}, INSIDE, .flow = EXPIRED_DROP, SENT_BY(PLAIN), IS_READ},
	{"a pass that has expired", {OUT4("10.1.0.1"), SMTP}, INSIDE, .flow = EXPIRED_PASS, SENT_BY(PLAIN), IS_READ},
	{"a flow's verdict in shadow", {OUT4("10.1.0.1"), SMTP}, INSIDE, .flow = KNOWN_DROP, .shadow = 1, SENT_BY(PLAIN), IS_READ,
	 .shadowed = BIT(FLOW_DECIDED)},

	/* To the dataplane or not */
	{"SMTP", {OUT4("10.1.0.1"), SMTP, SYN}, INSIDE, SENT_BY(PLAIN), IS_READ},
	{"submission, IPv6", {OUT6("2001:db8:1::1"), .dport = 587}, INSIDE, SENT_BY(PLAIN), IS_READ},
	{"SMTP's answers", {IN4("10.1.0.1"), .sport = 25, .dport = 40000}, OUTSIDE, SENT_TO(PLAIN), IS_READ},
	{"SMTP's port over UDP", {OUT4("10.1.0.1"), .proto = IPPROTO_UDP, .dport = 25}, INSIDE, SENT_BY(PLAIN), PASSES},
	{"SIP over UDP", {OUT4("10.1.0.1"), SIP}, INSIDE, SENT_BY(PLAIN), IS_READ},
	{"SIP over TCP", {OUT4("10.1.0.1"), .dport = 5060}, INSIDE, SENT_BY(PLAIN), IS_READ},
	{"SIP under TLS", {OUT4("10.1.0.1"), .dport = 5061}, INSIDE, SENT_BY(PLAIN), IS_READ},
	{"a port beside", {OUT4("10.1.0.1"), .dport = 26}, INSIDE, SENT_BY(PLAIN), PASSES},
	{"mail to a tenant's server", {IN4("10.1.0.1"), SMTP}, OUTSIDE, SENT_TO(PLAIN), IS_READ},
	{"mail of nobody's", {IN4("192.0.2.77"), SMTP}, OUTSIDE, PASSES},
	{"IPv4 options", {OUT4("10.1.0.1"), SMTP, .options = 10}, INSIDE, SENT_BY(PLAIN), IS_READ},
	{"padding", {OUT4("10.1.0.1"), SMTP, .padding = 18}, INSIDE, SENT_BY(PLAIN), IS_READ},
	{"the first fragment", {OUT4("10.1.0.1"), SIP, .fragment = 0x2000}, INSIDE, SENT_BY(PLAIN), IS_READ},
	{"a later fragment", {OUT4("10.1.0.1"), .proto = IPPROTO_UDP, .fragment = 0x00b9}, INSIDE, SENT_BY(PLAIN), IS_READ},
	{"a fragment of what is never read: nobody knows yet", {OUT4("10.1.0.1"), .proto = IPPROTO_UDP, .dport = 53,
	 .fragment = 0x2000}, INSIDE, SENT_BY(PLAIN), IS_READ},
	{"a fragmented ping", {OUT4("10.1.0.1"), .proto = IPPROTO_ICMP, .fragment = 0x2000}, INSIDE, SENT_BY(PLAIN), PASSES},
	{"nobody's fragment", {IN4("192.0.2.77"), .fragment = 0x2000}, OUTSIDE, PASSES},
	{"don't fragment is no fragment", {OUT4("10.1.0.1"), .fragment = 0x4000}, INSIDE, SENT_BY(PLAIN), PASSES},
	{"IPv6 fragment", {OUT6("2001:db8:1::1"), SIP, .fragment = 0x0001}, INSIDE, SENT_BY(PLAIN), IS_READ},
	{"IPv6 fragment with options inside: they may end in TCP", {OUT6("2001:db8:1::1"), .proto = IPPROTO_DSTOPTS,
	 .fragment = 0x0001}, INSIDE, SENT_BY(PLAIN), IS_READ},
	{"IPv6 fragment of a ping", {OUT6("2001:db8:1::1"), .proto = IPPROTO_ICMPV6, .icmp = 128, .fragment = 0x0008},
	 INSIDE, SENT_BY(PLAIN), PASSES},
	{"eight extension headers", {OUT6("2001:db8:1::1"), SMTP, .extensions = 8}, INSIDE, SENT_BY(PLAIN), IS_READ},
	{"eight of them before something else", {OUT6("2001:db8:1::1"), .extensions = 8}, INSIDE, SENT_BY(PLAIN), PASSES},
	{"an authentication header", {OUT6("2001:db8:1::1"), SMTP, .ah = 3}, INSIDE, SENT_BY(PLAIN), IS_READ},
	{"a long one, behind options", {OUT6("2001:db8:1::1"), .ah = 200, .extensions = 1}, INSIDE, SENT_BY(PLAIN), PASSES},
	{"nine are too many to walk: the dataplane does", {OUT6("2001:db8:1::1"), .extensions = 9}, INSIDE,
	 SENT_BY(PLAIN), IS_READ, .reason = REASON_HEADERS_DEEP},
	{"nobody's nine", {IN6("2001:db8:ffff::1"), .extensions = 9}, OUTSIDE, PASSES, .reason = REASON_HEADERS_DEEP},
	{"headers that reach far", {OUT6("2001:db8:1::1"), .extensions = 5, .extension_length = 30}, INSIDE,
	 SENT_BY(PLAIN), IS_READ, .reason = REASON_HEADERS_DEEP},
	{"suspended, nine headers", {OUT6("2001:db8:2::1"), .extensions = 9}, INSIDE, SENT_BY(SUSPENDED), IS_READ,
	 .reason = REASON_HEADERS_DEEP},
	{"malformed", {OUT4("10.1.0.1"), SMTP, .length_lie = 1}, INSIDE, SENT_BY(PLAIN), PASSES,
	 .reason = REASON_BAD_LENGTH},
	{"malformed, IPv6", {OUT6("2001:db8:1::1"), SMTP, .length_lie = -5}, INSIDE, SENT_BY(PLAIN), PASSES,
	 .reason = REASON_BAD_LENGTH},
	{"GRE", {OUT4("10.1.0.1"), .proto = IPPROTO_GRE}, INSIDE, SENT_BY(PLAIN), PASSES, .reason = REASON_TUNNEL},
	{"VXLAN", {OUT4("10.1.0.1"), .proto = IPPROTO_UDP, .dport = 4789}, INSIDE, SENT_BY(PLAIN), PASSES,
	 .reason = REASON_TUNNEL},
	{"an error about mail", {IN4("10.1.0.1"), UNREACHABLE4, SMTP, .quotes = 8}, OUTSIDE, SENT_TO(PLAIN), IS_READ},
	{"an error about a reply to mail", {OUT4("10.1.0.1"), UNREACHABLE4, .sport = 25, .quotes = 20}, INSIDE,
	 SENT_BY(PLAIN), IS_READ},
	{"an error about mail, IPv6", {IN6("2001:db8:1::1"), TOO_BIG6, SMTP, .quotes = 20}, OUTSIDE, SENT_TO(PLAIN), IS_READ},
	{"an error about mail behind extension headers", {IN6("2001:db8:1::1"), TOO_BIG6, SMTP, .quotes = 20, .quotes_behind = 3},
	 OUTSIDE, SENT_TO(PLAIN), IS_READ},
	{"an error about mail behind more of them than are walked",
	 {IN6("2001:db8:1::1"), TOO_BIG6, SMTP, .quotes = 20, .quotes_behind = 9}, OUTSIDE, SENT_TO(PLAIN), PASSES},
	{"an error that ends in an extension header", {IN6("2001:db8:1::1"), TOO_BIG6, SMTP, .quotes = 0, .quotes_behind = 2},
	 OUTSIDE, SENT_TO(PLAIN), PASSES},
	{"an error about mail that quotes too little", {IN4("10.1.0.1"), UNREACHABLE4, SMTP, .quotes = 7}, OUTSIDE,
	 SENT_TO(PLAIN), PASSES},
	{"an error about something else", {IN4("10.1.0.1"), UNREACHABLE4, .quotes = 8}, OUTSIDE, SENT_TO(PLAIN), PASSES},
	{"an echo of what looks like mail", {IN4("10.1.0.1"), .proto = IPPROTO_ICMP, .icmp = 8, SMTP, .quotes = 8},
	 OUTSIDE, SENT_TO(PLAIN), PASSES},
	{"to the suspended, an error about mail", {IN4("10.2.0.1"), UNREACHABLE4, SMTP, .quotes = 8}, OUTSIDE,
	 SENT_TO(SUSPENDED), IS_DROPPED(TENANT_SUSPENDED)},
	{"away, closed: errors pass", {IN4("10.1.0.1"), UNREACHABLE4, SMTP, .quotes = 8}, OUTSIDE, .dataplane = AWAY,
	 .failure = GATE_FAIL_CLOSED, SENT_TO(PLAIN), PASSES},
	{"stuck, open: errors pass", {IN4("10.1.0.1"), UNREACHABLE4, SMTP, .quotes = 8}, OUTSIDE, .dataplane = STUCK,
	 SENT_TO(PLAIN), PASSES},
	{"SCTP", {OUT4("10.1.0.1"), .proto = IPPROTO_SCTP}, INSIDE, SENT_BY(PLAIN), PASSES},

	/* The failure policy */
	{"no socket, open", {OUT4("10.1.0.1"), SMTP}, INSIDE, .dataplane = AWAY, SENT_BY(PLAIN), PASSES,
	 .reason = REASON_NO_SOCKET},
	{"no socket, closed", {OUT4("10.1.0.1"), SMTP}, INSIDE, .dataplane = AWAY, .failure = GATE_FAIL_CLOSED,
	 SENT_BY(PLAIN), IS_DROPPED(NO_SOCKET)},
	{"stuck, open", {IN4("10.1.0.1"), .sport = 25}, OUTSIDE, .dataplane = STUCK, SENT_TO(PLAIN), PASSES,
	 .reason = REASON_HEARTBEAT_STALE},
	{"stuck, closed", {OUT4("10.1.0.1"), SIP}, INSIDE, .dataplane = STUCK, .failure = GATE_FAIL_CLOSED,
	 SENT_BY(PLAIN), IS_DROPPED(HEARTBEAT_STALE)},
	{"no heartbeat asked for", {OUT4("10.1.0.1"), SMTP}, INSIDE, .dataplane = STUCK_UNMINDED,
	 .failure = GATE_FAIL_CLOSED, SENT_BY(PLAIN), IS_READ},
	{"away, closed: what is never read passes", {OUT4("10.1.0.1")}, INSIDE, .dataplane = AWAY,
	 .failure = GATE_FAIL_CLOSED, SENT_BY(PLAIN), PASSES},
	{"away, open: the suspended stay so", {OUT4("10.2.0.1")}, INSIDE, .dataplane = AWAY, SENT_BY(SUSPENDED),
	 IS_DROPPED(TENANT_SUSPENDED)},
	{"away, open: the mail of the suspended too", {OUT4("10.2.0.1"), SMTP}, INSIDE, .dataplane = AWAY,
	 SENT_BY(SUSPENDED), IS_DROPPED(NO_SOCKET)},
	{"away, open: a call of the suspended: it may be 112", {OUT4("10.2.0.1"), SIP}, INSIDE, .dataplane = AWAY,
	 SENT_BY(SUSPENDED), PASSES, .reason = REASON_CALL_UNREAD},
	{"what is answered to it", {IN4("10.2.0.1"), .proto = IPPROTO_UDP, .sport = 5060, .dport = 40000}, OUTSIDE,
	 .dataplane = AWAY, SENT_TO(SUSPENDED), PASSES, .reason = REASON_CALL_UNREAD},
	{"stuck, open: over TLS", {OUT6("2001:db8:2::1"), .dport = 5061}, INSIDE, .dataplane = STUCK,
	 SENT_BY(SUSPENDED), PASSES, .reason = REASON_CALL_UNREAD},
	{"away, closed: a call of the suspended", {OUT4("10.2.0.1"), SIP}, INSIDE, .dataplane = AWAY,
	 .failure = GATE_FAIL_CLOSED, SENT_BY(SUSPENDED), IS_DROPPED(NO_SOCKET)},
	{"away, open: a fragment of the suspended", {OUT4("10.2.0.1"), SIP, .fragment = 0x2000}, INSIDE, .dataplane = AWAY,
	 SENT_BY(SUSPENDED), IS_DROPPED(NO_SOCKET)},
	{"away, open: SIP's port of the suspended, over UDP's neighbour", {OUT4("10.2.0.1"), .proto = IPPROTO_UDP, .dport = 5062},
	 INSIDE, .dataplane = AWAY, SENT_BY(SUSPENDED), IS_DROPPED(TENANT_SUSPENDED)},
	{"away, open, in shadow: a call of the suspended is as any", {OUT4("10.2.0.1"), SIP}, INSIDE, .dataplane = AWAY,
	 .shadow = 1, SENT_BY(SUSPENDED), PASSES, .reason = REASON_NO_SOCKET},
	{"stuck, open: the suspended's", {OUT4("10.2.0.1"), SMTP}, INSIDE, .dataplane = STUCK,
	 SENT_BY(SUSPENDED), IS_DROPPED(HEARTBEAT_STALE)},
	{"away, closed: the decided pass", {OUT4("10.1.0.1"), SMTP}, INSIDE, .dataplane = AWAY, .flow = KNOWN_PASS,
	 .failure = GATE_FAIL_CLOSED, SENT_BY(PLAIN), PASSES, .reason = REASON_FLOW_DECIDED},
};
/* clang-format on */

const unsigned stage_case_count = sizeof(stage_cases) / sizeof(stage_cases[0]);
