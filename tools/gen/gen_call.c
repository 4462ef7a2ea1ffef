/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/gen/gen_call.h"

#include "tools/gen/gen_sip.h"

#include <stdio.h>

enum {
	SIP_PORT = 5060,
	FRAGMENT_MIN = 200, /* bytes that are worth fragments */
};

#define MILLISECOND 1000000ull
#define SECOND      1000000000ull

struct call {
	struct gen_conn conn; /* its clock, path and flow serve UDP too */
	const struct gen_world *world;
	struct gen_random *random;
	struct sip_dialog dialog;
	struct gen_buffer message;
};

static void send_udp(struct call *call, enum gen_direction sender)
{
	const struct gen_faults *faults = call->world->faults;
	struct gen_counts *counts = call->world->counts;
	uint32_t len = (uint32_t)call->message.len, fragments = 1;

	if (len >= FRAGMENT_MIN && random_chance(call->random, faults->fragment)) {
		fragments = 2 + random_below(call->random, 2);
		counts->fragmented++;
	}
	packet_udp(call->conn.flow, call->conn.path, sender, call->conn.now_ns, call->message.bytes,
		   len, fragments);
}

/* The message goes out; true: over UDP it went out twice, for lack of an answer in time. */
static bool send_message(struct call *call, enum gen_direction sender, bool may_repeat)
{
	bool again = false;

	if (call->dialog.tcp) {
		conn_send(&call->conn, sender, call->message.bytes, call->message.len);
	} else {
		send_udp(call, sender);
		again = may_repeat && random_chance(call->random, call->world->faults->retransmit);
		if (again) {
			/* T1, RFC 3261 17.1.1.2 */
			conn_wait(&call->conn, 500 * MILLISECOND);
			send_udp(call, sender);
			call->world->counts->retransmitted++;
		}
		conn_wait(&call->conn, call->conn.half_rtt_ns);
	}
	call->message.len = 0;
	return again;
}

static void request(struct call *call, enum gen_direction sender, enum gen_sip_method method)
{
	bool again;

	sip_request(&call->message, &call->dialog, sender, method, method == GEN_INVITE);
	again = send_message(call, sender, method != GEN_ACK);
	call->world->counts->sip_requests[method] += 1 + again;
}

static void response(struct call *call, enum gen_direction sender, unsigned int code,
		     enum gen_sip_method method)
{
	bool sdp = method == GEN_INVITE && (code == 183 || code == 200);

	conn_wait(&call->conn, random_between(call->random, MILLISECOND, 20 * MILLISECOND));
	sip_response(&call->message, &call->dialog, sender, code, method, sdp);
	send_message(call, sender, false);
	call->world->counts->sip_responses[code]++;
}

static void new_transaction(struct call *call)
{
	call->dialog.branch = (uint32_t)random_next(call->random);
}

static void hang_up(struct call *call, const struct gen_call_options *options)
{
	enum gen_direction side = random_below(call->random, 3) ? FROM_CLIENT : FROM_SERVER;
	struct gen_counts *counts = call->world->counts;
	bool is_short = random_chance(call->random, options->short_calls);
	uint64_t talk = is_short ? random_between(call->random, SECOND / 2, 5 * SECOND)
				 : 8 * SECOND + random_size(call->random, options->talk_ns);

	if (random_chance(call->random, options->unfinished))
		return;
	conn_wait(&call->conn, talk);
	new_transaction(call);
	call->dialog.cseq = side == FROM_CLIENT ? 2 : 1;
	request(call, side, GEN_BYE);
	response(call, !side, 200, GEN_BYE);
	counts->calls_completed++;
	counts->calls_short += is_short;
}

static void call_answered(struct call *call, const struct gen_call_options *options)
{
	response(call, FROM_SERVER, 200, GEN_INVITE);
	new_transaction(call); /* an ACK of a 2xx is its own (RFC 3261 17.1.1.3) */
	request(call, FROM_CLIENT, GEN_ACK);
	call->world->counts->calls_answered++;
	hang_up(call, options);
}

/* The ACK belongs to the INVITE's transaction. */
static void call_failed(struct call *call)
{
	static const unsigned int codes[] = {486, 486, 480, 404, 603};

	response(call, FROM_SERVER, codes[random_below(call->random, 5)], GEN_INVITE);
	request(call, FROM_CLIENT, GEN_ACK);
}

static void call_cancelled(struct call *call)
{
	request(call, FROM_CLIENT, GEN_CANCEL);
	response(call, FROM_SERVER, 200, GEN_CANCEL);
	response(call, FROM_SERVER, 487, GEN_INVITE);
	request(call, FROM_CLIENT, GEN_ACK);
}

static void pick_callee(struct call *call, const struct gen_call_options *options)
{
	struct sip_dialog *dialog = &call->dialog;
	const char *host = dialog->host[FROM_SERVER];

	snprintf(dialog->callee, sizeof(dialog->callee), "+1%u55501%02u",
		 201 + random_below(call->random, 699), random_below(call->random, 100));
	if (random_chance(call->random, options->emergency)) {
		snprintf(dialog->callee, sizeof(dialog->callee), "911");
		call->world->counts->calls_emergency++;
		if (random_below(call->random, 4) == 0) {
			snprintf(dialog->uri, sizeof(dialog->uri), "urn:service:sos");
			return;
		}
	} else if (random_chance(call->random, options->opt_out)) {
		snprintf(dialog->callee, sizeof(dialog->callee), "+190055501%02u",
			 random_below(call->random, 100));
		call->world->counts->calls_opted_out++;
	}
	snprintf(dialog->uri, sizeof(dialog->uri), "sip:%s@%s%s", dialog->callee, host,
		 dialog->tcp ? ";transport=tcp" : "");
}

static void dialog_init(struct call *call, uint32_t tenant)
{
	const struct gen_path *path = call->conn.path;
	struct sip_dialog *dialog = &call->dialog;

	dialog->family = path->family == 4 ? "IP4" : "IP6";
	for (int side = FROM_CLIENT; side <= FROM_SERVER; side++) {
		char text[GEN_ADDRESS_TEXT];

		address_text(path->family, path->ends[side].address, text);
		snprintf(dialog->host[side], sizeof(dialog->host[side]),
			 path->family == 4 ? "%s" : "[%s]", text);
		dialog->port[side] = path->ends[side].port;
		dialog->tag[side] = (uint32_t)random_next(call->random);
		dialog->media_port[side] =
			(uint16_t)(10000 + 2 * random_below(call->random, 10000));
	}
	snprintf(dialog->caller, sizeof(dialog->caller), "+1212555%03u%u", tenant,
		 random_below(call->random, 10));
	dialog->call_id = random_next(call->random);
	dialog->branch = (uint32_t)random_next(call->random);
	dialog->cseq = 1;
}

static void run_call(struct call *call, const struct gen_call_options *options)
{
	request(call, FROM_CLIENT, GEN_INVITE);
	response(call, FROM_SERVER, 100, GEN_INVITE);
	conn_wait(&call->conn, random_between(call->random, SECOND / 2, 3 * SECOND));
	response(call, FROM_SERVER, random_below(call->random, 5) ? 180 : 183, GEN_INVITE);
	conn_wait(&call->conn, random_between(call->random, SECOND, 12 * SECOND));
	if (random_chance(call->random, options->answered))
		call_answered(call, options);
	else if (random_below(call->random, 4) == 0)
		call_cancelled(call);
	else
		call_failed(call);
}

void call_make(struct gen_flow *flow, const struct gen_world *world,
	       const struct gen_call_options *options, struct gen_random *random, uint64_t start_ns)
{
	uint32_t tenant = hosts_tenant(world->hosts, random);
	struct gen_path path = hosts_path(world->hosts, tenant, SIP_PORT, random);
	struct call call = {
		.world = world,
		.random = random,
		.dialog = {.tcp = random_chance(random, options->tcp)},
		.conn = {.flow = flow,
			 .path = &path,
			 .random = random,
			 .faults = world->faults,
			 .counts = world->counts,
			 .now_ns = start_ns,
			 .mss = (uint16_t)(world->mss - (path.family == 6 ? 20 : 0))},
	};

	call.conn.half_rtt_ns = random_between(random, 2 * MILLISECOND, 30 * MILLISECOND);
	call.conn.seq[FROM_CLIENT] = (uint32_t)random_next(random);
	call.conn.seq[FROM_SERVER] = (uint32_t)random_next(random);
	if (!call.dialog.tcp)
		path.ends[FROM_CLIENT].port = SIP_PORT; /* a trunk's */
	dialog_init(&call, tenant);
	pick_callee(&call, options);
	world->counts->calls_attempted++;
	if (call.dialog.tcp)
		conn_open(&call.conn);
	run_call(&call, options);
	if (call.dialog.tcp)
		conn_close(&call.conn, FROM_CLIENT);
	buffer_free(&call.message);
}
