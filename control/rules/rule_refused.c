/* SPDX-License-Identifier: BSD-3-Clause */
/* Suricata's keywords that the gate can't honour, and why not. */
#include <string.h>

#include "control/rules/rule_parse.h"

#define HTTP    "HTTP is not inspected"
#define TLS     "what TLS says is not read, but for its server name"
#define PACKET  "packets' headers are not what rules see: they see what was said, in order"
#define NOTHERE "the gate carries mail and calls, and reads nothing else"
#define SCRIPT  "rules run no programs"
#define STORED  "the gate keeps no content"
#define HASHED  "hashes are made by a transform: file.data; to_md5 (to_sha1, to_sha256)"
#define SHUT    "what is compressed stays shut"
#define EVENTS \
	"the gate's parsers count what is wrong by reasons of their own, and rules don't see them"

/* Names, and prefixes that end in a dot, an underscore or a minus. */
static const struct rule_refused refused[] = {
	{"ack", PACKET},
	{"app-layer-event", EVENTS},
	{"asn1", NOTHERE},
	{"base64_data",
	 "text in a text is not decoded: parts of a message are, before rules see them"},
	{"base64_decode",
	 "text in a text is not decoded: parts of a message are, before rules see them"},
	{"bypass", "whether a flow is read is not a rule's to say"},
	{"classification", "a class is what classtype says, in no list"},
	{"config", "rules change no settings"},
	{"content_len", "write bsize under a buffer"},
	{"cookies", HTTP},
	{"datarep", "reputation has no place in a rule: write a dataset, or the policy's lists"},
	{"dce_", NOTHERE},
	{"dcerpc.", NOTHERE},
	{"decode-event", EVENTS},
	{"dhcp.", NOTHERE},
	{"dnp3", NOTHERE},
	{"dns.", NOTHERE},
	{"dns_", NOTHERE},
	{"domain",
	 "no list of public suffixes is kept: write dotprefix, and the domain with endswith"},
	{"dsize", "packets cut what is said anywhere: write bsize under a buffer"},
	{"enip", NOTHERE},
	{"entropy", "it is not measured"},
	{"engine-event", EVENTS},
	{"file.magic", "file types are not guessed: look for their first bytes in file.data"},
	{"filemagic", "file types are not guessed: look for their first bytes in file.data"},
	{"filemd5", HASHED},
	{"filesha1", HASHED},
	{"filesha256", HASHED},
	{"filestore", STORED},
	{"flags", PACKET},
	{"flow.", "flows are counted by the policy's limits, not by rules"},
	{"flowint", "there are no numbers of a flow: flowbits, xbits, threshold"},
	{"fragbits", PACKET},
	{"fragoffset", PACKET},
	{"frame", "a frame is Suricata's piece of a stream: name a buffer"},
	{"ftp", NOTHERE},
	{"ftpdata_command", NOTHERE},
	{"geoip", "where an address lies is not known"},
	{"hostbits", "write xbits with track ip_src or ip_dst"},
	{"gunzip", SHUT},
	{"http.", HTTP},
	{"http2.", HTTP},
	{"http_", HTTP},
	{"icmp_", PACKET},
	{"icmpv4.", PACKET},
	{"icmpv6.", PACKET},
	{"icode", PACKET},
	{"id", PACKET},
	{"igmp.", PACKET},
	{"ike.", NOTHERE},
	{"ikev2.", NOTHERE},
	{"ip_proto", "mail and calls have their transport: write tcp or udp in the header"},
	{"ipopts", PACKET},
	{"iprep", "reputation has no place in a rule: write a dataset, or the policy's lists"},
	{"ipv4.", PACKET},
	{"ipv6.", PACKET},
	{"itype", PACKET},
	{"ja3", TLS},
	{"ja3.", TLS},
	{"ja3_", TLS},
	{"ja3s.", TLS},
	{"ja4", TLS},
	{"ja4.", TLS},
	{"krb5", NOTHERE},
	{"krb5_", NOTHERE},
	{"krb5.", NOTHERE},
	{"ldap.", NOTHERE},
	{"lua", SCRIPT},
	{"luaxform", SCRIPT},
	{"mdns.", NOTHERE},
	{"modbus", NOTHERE},
	{"mqtt.", NOTHERE},
	{"nfq_set_mark", "there are no marks to set"},
	{"nfs.", NOTHERE},
	{"nfs_", NOTHERE},
	{"pgsql.", NOTHERE},
	{"pkt_data", "the raw payload is not kept: name a buffer"},
	{"pop3.", NOTHERE},
	{"quic.", NOTHERE},
	{"raw_uri", HTTP},
	{"rdp", NOTHERE},
	{"replace", "what a tenant sends is refused or forwarded, never changed"},
	{"rfb.", NOTHERE},
	{"rpc", NOTHERE},
	{"sameip", "no packet from an address to itself passes a gate"},
	{"sdp.", "no such buffer: look in sip.body"},
	{"seq", PACKET},
	{"sip.", "no such buffer: look for the header in sip.header, as 'Name: value'"},
	{"sip_", "write the sticky buffer's name: sip.method, sip.uri"},
	{"smb.", NOTHERE},
	{"smtp.", "no such buffer"},
	{"snmp.", NOTHERE},
	{"ssh.", NOTHERE},
	{"ssh_", NOTHERE},
	{"ssl_", TLS},
	{"stream-event", EVENTS},
	{"stream_size", PACKET},
	{"strip_pseudo_headers", HTTP},
	{"subslice", "of Suricata 9: offset, depth and isdataat say where"},
	{"tag", "packets are not kept"},
	{"tcp.", PACKET},
	{"tftp", NOTHERE},
	{"tld", "no list of public suffixes is kept: write the domain with endswith"},
	{"tls.", TLS},
	{"tls_", TLS},
	{"tos", PACKET},
	{"suppress",
	 "of Suricata's threshold.config, in no rule: narrow the header, or metadata tenant"},
	{"event_filter", "of Suricata's threshold.config, in no rule: write threshold"},
	{"ttl", PACKET},
	{"udp.", PACKET},
	{"uricontent", HTTP},
	{"urilen", HTTP "; the length of a Request-URI is sip.uri; bsize"},
	{"vlan.", "the configuration says whose VLAN is whose: write metadata tenant"},
	{"websocket.", NOTHERE},
	{"window", PACKET},
	{"zlib_deflate", SHUT},
	{"email.", "no such buffer: look for the field in email.header, as 'Name: value'"},
	{"file.", "no such buffer: there are file.name and file.data"},
};

const struct rule_refused *rule_refusals(size_t *count)
{
	*count = sizeof(refused) / sizeof(refused[0]);
	return refused;
}

const char *rule_refused_why(struct rule_word name)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		size_t len = strlen(refused[i].name);

		if (rule_word_is(name, refused[i].name))
			return refused[i].why;
		if (strchr("._-", refused[i].name[len - 1]) && name.len > len &&
		    !memcmp(name.p, refused[i].name, len))
			return refused[i].why;
	}
	return NULL;
}
