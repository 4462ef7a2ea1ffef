/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/gen/gen_mail.h"

#include "tools/gen/gen_message.h"
#include "tools/gen/gen_text.h"
#include "tools/gen/gen_tls.h"

#include <stdio.h>

enum {
	SMTP_PORT = 25,
	MAX_RECIPIENTS = 100, /* what any server must take (RFC 5321 4.5.3.1.8) */
	CHUNK = 32768,        /* of BDAT */
	DOMAINS = 60,
	OPT_OUTS = 100,
	MILLISECOND = 1000000,
};

struct session {
	struct gen_conn conn;
	struct gen_random *random;
	struct gen_counts *counts;
	const struct gen_mail_options *options;
	struct gen_buffer client; /* said, not sent yet */
	struct gen_buffer server;
	bool pipelining;
	bool bdat;
	uint32_t tenant;
	char domain[64]; /* the tenant's */
	char server_name[64];
};

/* Sends what the client said, and then what the server answers. */
static void session_flush(struct session *s)
{
	conn_send(&s->conn, FROM_CLIENT, s->client.bytes, s->client.len);
	conn_wait(&s->conn, random_between(s->random, MILLISECOND / 10, 5 * MILLISECOND));
	if (s->server.len)
		conn_send(&s->conn, FROM_SERVER, s->server.bytes, s->server.len);
	conn_wait(&s->conn, random_between(s->random, MILLISECOND / 10, MILLISECOND));
	s->client.len = 0;
	s->server.len = 0;
}

static void reply(struct session *s, unsigned int code, const char *text)
{
	buffer_printf(&s->server, "%u %s\r\n", code, text);
	s->counts->smtp_replies[code]++;
}

/* The line is in s->client already. May it wait for the next one? (RFC 2920 3.1) */
static void command_said(struct session *s, enum gen_smtp_verb verb, bool may_wait)
{
	s->counts->smtp_commands[verb]++;
	if (!may_wait || !s->pipelining)
		session_flush(s);
}

static void say_hello(struct session *s)
{
	buffer_printf(&s->client, "EHLO out%u.%s\r\n", s->tenant, s->domain);
	buffer_printf(&s->server,
		      "250-%s\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n"
		      "250-ENHANCEDSTATUSCODES\r\n250-CHUNKING\r\n250-STARTTLS\r\n",
		      s->server_name);
	reply(s, 250, "SMTPUTF8");
	command_said(s, GEN_EHLO, false);
}

static void pick_recipient(struct session *s, char out[GEN_MAILBOX])
{
	if (random_chance(s->random, s->options->opt_out)) {
		s->counts->recipients_opted_out++;
		snprintf(out, GEN_MAILBOX, "optout%u@example.org",
			 random_below(s->random, OPT_OUTS));
		return;
	}
	snprintf(out, GEN_MAILBOX, "%s.%s%u@d%u.example.%s", text_first_name(s->random),
		 text_last_name(s->random), random_below(s->random, 1000),
		 random_below(s->random, DOMAINS), random_below(s->random, 2) ? "org" : "net");
}

/* MAIL and every RCPT; returns the number of recipients accepted. */
static uint32_t send_envelope(struct session *s, struct gen_message *message,
			      char (*to)[GEN_MAILBOX])
{
	uint32_t accepted = 0;

	buffer_printf(&s->client, "MAIL FROM:<%s>\r\n", message->from);
	reply(s, 250, "2.1.0 Ok");
	command_said(s, GEN_MAIL, true);
	for (uint32_t i = 0; i < message->to_count; i++) {
		bool bounced = i && random_chance(s->random, s->options->bounced);

		pick_recipient(s, to[i]);
		buffer_printf(&s->client, "RCPT TO:<%s>\r\n", to[i]);
		reply(s, bounced ? 550 : 250, bounced ? "5.1.1 No such user here" : "2.1.5 Ok");
		command_said(s, GEN_RCPT, true);
		accepted += !bounced;
	}
	s->counts->recipients_attempted += message->to_count;
	s->counts->recipients_accepted += accepted;
	return accepted;
}

static void send_data(struct session *s, const struct gen_buffer *content, bool refused)
{
	buffer_puts(&s->client, "DATA\r\n");
	reply(s, 354, "End data with <CR><LF>.<CR><LF>");
	command_said(s, GEN_DATA, false);
	message_stuff(&s->client, content);
	reply(s, refused ? 554 : 250, refused ? "5.7.1 Message refused" : "2.0.0 Ok: queued");
	session_flush(s);
}

static void send_chunks(struct session *s, const struct gen_buffer *content, bool refused)
{
	size_t at = 0;

	while (at < content->len) {
		size_t len = content->len - at < CHUNK ? content->len - at : CHUNK;
		bool last = at + len == content->len;

		buffer_printf(&s->client, "BDAT %zu%s\r\n", len, last ? " LAST" : "");
		buffer_put(&s->client, content->bytes + at, len);
		reply(s, last && refused ? 554 : 250,
		      last && refused ? "5.7.1 Message refused" : "2.0.0 Ok");
		command_said(s, GEN_BDAT, !last);
		at += len;
	}
}

static struct gen_message pick_message(struct session *s)
{
	const struct gen_mail_options *options = s->options;
	uint64_t recipients = random_size(s->random, options->recipients);
	struct gen_message message = {
		.to_count = (uint32_t)(recipients < MAX_RECIPIENTS ? recipients : MAX_RECIPIENTS),
		.domain = s->domain,
		.date_ns = s->conn.now_ns,
		.size = random_size(s->random, options->size),
		.spam = random_chance(s->random, options->spam),
		.html = random_chance(s->random, options->html),
		.attachment = random_chance(s->random, options->attachments),
	};

	snprintf(message.from, sizeof(message.from), "%s.%s@%s", text_first_name(s->random),
		 text_last_name(s->random), s->domain);
	s->counts->messages_spam += message.spam;
	return message;
}

static void send_message(struct session *s)
{
	bool refused = random_chance(s->random, s->options->refused);
	struct gen_message message = pick_message(s);
	char to[MAX_RECIPIENTS][GEN_MAILBOX];
	struct gen_buffer content = {0};
	uint32_t accepted = send_envelope(s, &message, to);

	message.to = (const char(*)[GEN_MAILBOX])to;
	message_build(&content, s->random, &message);
	if (s->bdat)
		send_chunks(s, &content, refused);
	else
		send_data(s, &content, refused);
	buffer_free(&content);
	s->counts->messages_attempted++;
	if (refused) {
		s->counts->messages_refused++;
	} else {
		s->counts->messages_accepted++;
		s->counts->recipients_delivered += accepted;
	}
}

/* After the hellos, a session of the same length that nobody can read. */
static void send_encrypted(struct session *s, uint32_t messages)
{
	buffer_puts(&s->client, "STARTTLS\r\n");
	reply(s, 220, "2.0.0 Ready to start TLS");
	command_said(s, GEN_STARTTLS, false);
	s->counts->smtp_starttls++;
	tls_client_hello(&s->client, s->random, s->server_name);
	tls_server_flight(&s->server, s->random);
	session_flush(s);
	tls_data(&s->client, s->random, 60); /* Finished, EHLO */
	tls_data(&s->server, s->random, 200);
	session_flush(s);
	while (messages--) {
		tls_data(&s->client, s->random, 120);
		tls_data(&s->server, s->random, 90);
		session_flush(s);
		tls_data(&s->client, s->random, random_size(s->random, s->options->size));
		tls_data(&s->server, s->random, 40);
		session_flush(s);
	}
	tls_data(&s->client, s->random, 6);
	tls_data(&s->server, s->random, 15);
	session_flush(s);
}

static void send_clear(struct session *s, uint32_t messages)
{
	while (messages--)
		send_message(s);
	buffer_puts(&s->client, "QUIT\r\n");
	reply(s, 221, "2.0.0 Bye");
	command_said(s, GEN_QUIT, false);
}

void mail_session(struct gen_flow *flow, const struct gen_world *world,
		  const struct gen_mail_options *options, struct gen_random *random,
		  uint64_t start_ns, uint32_t messages)
{
	uint32_t tenant = hosts_tenant(world->hosts, random);
	struct gen_path path = hosts_path(world->hosts, tenant, SMTP_PORT, random);
	struct session s = {
		.random = random,
		.counts = world->counts,
		.options = options,
		.pipelining = random_chance(random, options->pipelining),
		.bdat = random_chance(random, options->bdat),
		.tenant = tenant,
		.conn = {.flow = flow,
			 .path = &path,
			 .random = random,
			 .faults = world->faults,
			 .counts = world->counts,
			 .now_ns = start_ns,
			 .mss = (uint16_t)(world->mss - (path.family == 6 ? 20 : 0))},
	};

	s.conn.half_rtt_ns = random_between(random, 2 * MILLISECOND, 40 * MILLISECOND);
	s.conn.seq[FROM_CLIENT] = (uint32_t)random_next(random);
	s.conn.seq[FROM_SERVER] = (uint32_t)random_next(random);
	snprintf(s.domain, sizeof(s.domain), "tenant%u.example.com", tenant);
	snprintf(s.server_name, sizeof(s.server_name), "mx%u.example.net",
		 random_below(random, DOMAINS));
	s.counts->smtp_sessions++;
	conn_open(&s.conn);
	buffer_printf(&s.server, "220 %s ESMTP\r\n", s.server_name);
	s.counts->smtp_replies[220]++;
	conn_send(&s.conn, FROM_SERVER, s.server.bytes, s.server.len);
	s.server.len = 0;
	say_hello(&s);
	if (!options->idle || !random_chance(random, options->idle)) {
		if (random_chance(random, options->tls))
			send_encrypted(&s, messages);
		else
			send_clear(&s, messages);
		conn_close(&s.conn, FROM_SERVER);
	}
	buffer_free(&s.client);
	buffer_free(&s.server);
}
