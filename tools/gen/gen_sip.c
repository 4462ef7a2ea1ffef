/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/gen/gen_sip.h"

#include <stdio.h>
#include <string.h>

static const char *method_name(enum gen_sip_method method)
{
#define X(name) #name,
	static const char *const names[] = {GEN_SIP_METHODS(X)};
#undef X

	return names[method];
}

static const char *reason_phrase(unsigned int code)
{
	switch (code) {
	case 100:
		return "Trying";
	case 180:
		return "Ringing";
	case 183:
		return "Session Progress";
	case 200:
		return "OK";
	case 404:
		return "Not Found";
	case 480:
		return "Temporarily Unavailable";
	case 486:
		return "Busy Here";
	case 487:
		return "Request Terminated";
	default:
		return "Decline"; /* 603 */
	}
}

static void put_party(struct gen_buffer *out, const struct sip_dialog *dialog, const char *field,
		      enum gen_direction side, bool tagged)
{
	buffer_printf(out, "%s: <sip:%s@%s>", field,
		      side == FROM_CLIENT ? dialog->caller : dialog->callee, dialog->host[side]);
	if (tagged)
		buffer_printf(out, ";tag=%08x", dialog->tag[side]);
	buffer_puts(out, "\r\n");
}

/* What requests and responses have in common: `origin` sent the request. */
static void put_fields(struct gen_buffer *out, const struct sip_dialog *dialog,
		       enum gen_direction origin, enum gen_sip_method method, bool to_tagged)
{
	buffer_printf(out, "Via: SIP/2.0/%s %s:%u;branch=z9hG4bK%08x;rport\r\n",
		      dialog->tcp ? "TCP" : "UDP", dialog->host[origin], dialog->port[origin],
		      dialog->branch);
	put_party(out, dialog, "From", origin, true);
	put_party(out, dialog, "To", !origin, to_tagged);
	buffer_printf(out, "Call-ID: %016llx@%s\r\nCSeq: %u %s\r\n", dialog->call_id,
		      dialog->host[FROM_CLIENT], dialog->cseq, method_name(method));
}

static void put_contact(struct gen_buffer *out, const struct sip_dialog *dialog,
			enum gen_direction sender)
{
	buffer_printf(out, "Contact: <sip:%s@%s:%u%s>\r\n",
		      sender == FROM_CLIENT ? dialog->caller : dialog->callee, dialog->host[sender],
		      dialog->port[sender], dialog->tcp ? ";transport=tcp" : "");
	buffer_puts(out, "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, PRACK\r\n"
			 "Supported: timer, 100rel, replaces\r\n");
}

/* The body's length comes before it, so the body is built first. */
static void put_body(struct gen_buffer *out, const struct sip_dialog *dialog,
		     enum gen_direction sender, bool sdp)
{
	char body[512], address[GEN_ADDRESS_TEXT + 2];
	int len;

	if (!sdp) {
		buffer_puts(out, "Content-Length: 0\r\n\r\n");
		return;
	}
	snprintf(address, sizeof(address), "%s",
		 dialog->host[sender] + (dialog->host[sender][0] == '['));
	address[strcspn(address, "]")] = '\0';
	len = snprintf(body, sizeof(body),
		       "v=0\r\no=- %llu 1 IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n"
		       "m=audio %u RTP/AVP 0 8 9 18 101\r\na=rtpmap:0 PCMU/8000\r\n"
		       "a=rtpmap:8 PCMA/8000\r\na=rtpmap:9 G722/8000\r\na=rtpmap:18 G729/8000\r\n"
		       "a=fmtp:18 annexb=no\r\na=rtpmap:101 telephone-event/8000\r\n"
		       "a=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n",
		       dialog->call_id >> 20, dialog->family, address, dialog->family, address,
		       dialog->media_port[sender]);
	buffer_printf(out, "Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n", len);
	buffer_puts(out, body);
}

void sip_request(struct gen_buffer *out, const struct sip_dialog *dialog, enum gen_direction sender,
		 enum gen_sip_method method, bool sdp)
{
	bool in_dialog = method == GEN_BYE || method == GEN_ACK;

	if (method == GEN_BYE && sender == FROM_SERVER)
		buffer_printf(out, "BYE sip:%s@%s:%u SIP/2.0\r\n", dialog->caller,
			      dialog->host[FROM_CLIENT], dialog->port[FROM_CLIENT]);
	else
		buffer_printf(out, "%s %s SIP/2.0\r\n", method_name(method), dialog->uri);
	put_fields(out, dialog, sender, method, in_dialog);
	buffer_puts(out, "Max-Forwards: 70\r\n");
	if (method == GEN_INVITE) {
		put_contact(out, dialog, sender);
		put_party(out, dialog, "P-Asserted-Identity", sender, false);
		buffer_puts(out, "Session-Expires: 1800\r\n");
	}
	buffer_puts(out, "User-Agent: Example SBC 4.2.1\r\n");
	put_body(out, dialog, sender, sdp);
}

void sip_response(struct gen_buffer *out, const struct sip_dialog *dialog,
		  enum gen_direction sender, unsigned int code, enum gen_sip_method method,
		  bool sdp)
{
	buffer_printf(out, "SIP/2.0 %u %s\r\n", code, reason_phrase(code));
	put_fields(out, dialog, !sender, method, code != 100);
	if (method == GEN_INVITE && (code == 200 || code == 183))
		put_contact(out, dialog, sender);
	buffer_puts(out, "Server: Example Softswitch 9.1\r\n");
	put_body(out, dialog, sender, sdp);
}
