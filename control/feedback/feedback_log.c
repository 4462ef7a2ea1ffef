/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/feedback/feedback_log.h"

#include <stdio.h>
#include <stdlib.h>

#include "bpf/siphash.h"
#include "control/feedback/feedback_line.h"

#define QUEUE_SETS 16384 /* of QUEUE_WAYS files each */
#define QUEUE_WAYS 4

/* What lines have told of a queue file. */
struct queue_file {
	uint64_t key; /* of host, instance and id; 0: free */
	uint64_t used;
	char message_id[FEEDBACK_ID];
	char from[FEEDBACK_ADDRESS];
	char client[FEEDBACK_IP];
	bool has_from;
};

struct feedback_log {
	int64_t now;
	uint64_t clock, hash_key[2];
	struct feedback_log_stats stats;
	struct queue_file *file; /* QUEUE_SETS times QUEUE_WAYS */
};

struct feedback_log *feedback_log_new(int64_t now)
{
	struct feedback_log *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	log->now = now;
	/* Who writes lines knows no key: the address is enough of one for a process's life. */
	log->hash_key[0] = (uint64_t)(uintptr_t)log;
	log->hash_key[1] = (uint64_t)now;
	/* Pages that no file comes to cost nothing. */
	log->file = calloc((size_t)QUEUE_SETS * QUEUE_WAYS, sizeof(*log->file));
	if (log->file)
		return log;
	free(log);
	return NULL;
}

void feedback_log_free(struct feedback_log *log)
{
	if (log)
		free(log->file);
	free(log);
}

static uint64_t key_of(const struct feedback_log *log, const struct feedback_line *line)
{
	const struct bytes parts[] = {line->host, line->instance, line->queue};
	struct siphash h;
	uint64_t key;

	siphash_init(&h, (const uint8_t *)log->hash_key);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		siphash_add(&h, parts[i].p, parts[i].len);
		siphash_add(&h, "\0", 1);
	}
	key = siphash_end(&h);
	return key ? key : 1;
}

/* `make`: the oldest of its set makes room for one that is not there. */
static struct queue_file *file_of(struct feedback_log *log, const struct feedback_line *line,
				  bool make)
{
	const uint64_t key = key_of(log, line);
	struct queue_file *set = &log->file[key % QUEUE_SETS * QUEUE_WAYS], *oldest = set;

	for (struct queue_file *f = set; f < set + QUEUE_WAYS; f++) {
		if (f->key == key) {
			f->used = ++log->clock;
			return f;
		}
		if (f->used < oldest->used)
			oldest = f;
	}
	if (!make)
		return NULL;
	*oldest = (struct queue_file){.key = key, .used = ++log->clock};
	return oldest;
}

/* "host.example[192.0.2.1]:25", "host[2001:db8::1]": what is in the last brackets. */
static struct bytes bracketed(struct bytes s)
{
	size_t open = s.len, close;

	while (open && s.p[open - 1] != '[')
		open--;
	if (!open)
		return bytes_of(s.p, 0);
	for (close = open; close < s.len && s.p[close] != ']';)
		close++;
	return bytes_of(s.p + open, close - open);
}

/* smtpd: "client=host[192.0.2.1], sasl_method=…"; behind a filter "orig_client=" is the true one.
 */
static void smtpd_line(struct feedback_log *log, const struct feedback_line *line)
{
	struct bytes rest = line->rest, name, value;
	struct queue_file *f = NULL;

	while (feedback_line_pair(&rest, &name, &value)) {
		if (!bytes_eq(name, BYTES("client")) && !bytes_eq(name, BYTES("orig_client")))
			continue;
		f = f ? f : file_of(log, line, true);
		feedback_ip(bracketed(value), f->client);
	}
}

static void cleanup_line(struct feedback_log *log, const struct feedback_line *line)
{
	struct bytes rest = line->rest, name, value;

	while (feedback_line_pair(&rest, &name, &value))
		if (bytes_eq(name, BYTES("message-id")) && value.len)
			feedback_message_id(value, file_of(log, line, true)->message_id);
}

static void qmgr_line(struct feedback_log *log, const struct feedback_line *line)
{
	struct bytes rest = line->rest, name, value;
	struct queue_file *f;

	if (bytes_eq(bytes_trim(rest), BYTES("removed"))) {
		f = file_of(log, line, false);
		if (f)
			*f = (struct queue_file){0};
		return;
	}
	if (!feedback_line_pair(&rest, &name, &value) || !bytes_eq(name, BYTES("from")))
		return;
	f = file_of(log, line, true);
	feedback_address(value, f->from);
	f->has_from = true;
}

static struct bytes find(struct bytes s, struct bytes what)
{
	for (size_t i = 0; i + what.len <= s.len; i++)
		if (memcmp(s.p + i, what.p, what.len) == 0)
			return bytes_of(s.p + i + what.len, s.len - i - what.len);
	return bytes_of(s.p, 0);
}

/* "(host mx[192.0.2.1] said: 550 5.1.1 … (in reply to RCPT TO command))": the server's own words.
 */
static struct bytes reply_of(struct bytes text)
{
	static const struct bytes begins[] = {BYTES(" said: "), BYTES(" refused to talk to me: ")};
	static const struct bytes end = BYTES(" (in reply to ");
	struct bytes tail;

	text = bytes_trim(text);
	if (text.len >= 2 && text.p[0] == '(' && text.p[text.len - 1] == ')')
		text = bytes_of(text.p + 1, text.len - 2);
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		tail = find(text, begins[i]);
		if (tail.len) {
			text = tail;
			break;
		}
	}
	/* The last one: a server may say the same words. */
	for (size_t i = text.len; i >= end.len; i--)
		if (memcmp(text.p + i - end.len, end.p, end.len) == 0)
			return bytes_of(text.p, i - end.len);
	return text;
}

/* To a content filter or a mailbox of this host: the mail comes by again, or never left. */
static bool is_inner(struct bytes relay)
{
	const struct bytes host = bracketed(relay);

	return bytes_case_starts(host, BYTES("127.")) || bytes_eq(host, BYTES("::1")) ||
	       bytes_case_starts(host, BYTES("private/")) || bytes_case_starts(relay, BYTES("/")) ||
	       (!host.len && !bytes_eq(relay, BYTES("none")));
}

struct delivery {
	struct bytes to, relay, dsn, status, text;
};

static bool delivery_read(struct bytes rest, struct delivery *d)
{
	struct bytes name, value;
	const uint8_t *blank;

	*d = (struct delivery){0};
	while (!d->status.len && feedback_line_pair(&rest, &name, &value)) {
		if (bytes_eq(name, BYTES("to"))) {
			d->to = value;
		} else if (bytes_eq(name, BYTES("relay"))) {
			d->relay = value;
		} else if (bytes_eq(name, BYTES("dsn"))) {
			d->dsn = value;
		} else if (bytes_eq(name, BYTES("status"))) {
			/* It ends the pairs: "status=bounced (…, …)". */
			blank = bytes_chr(value, ' ');
			d->status = value;
			d->status.len = blank ? (size_t)(blank - value.p) : value.len;
			d->text =
				bytes_of(d->status.p + d->status.len,
					 (size_t)(rest.p + rest.len - d->status.p) - d->status.len);
		}
	}
	return d->to.len && d->status.len;
}

static enum feedback_kind kind_of(const struct feedback_item *item)
{
	if (strcmp(item->type, "sent") == 0)
		return FEEDBACK_DELIVERED;
	if (strcmp(item->type, "bounced") == 0)
		return feedback_failure(item->code, item->status, item->text);
	if (strcmp(item->type, "deferred") == 0)
		return FEEDBACK_DELAYED;
	return FEEDBACK_OTHER; /* deliverable, undeliverable: probes, no mail */
}

static void delivery_line(struct feedback_log *log, const struct feedback_line *line,
			  const struct feedback_sink *sink)
{
	struct feedback_item item = {.source = FEEDBACK_LOG, .incidents = 1, .time = line->time};
	const struct queue_file *f;
	struct delivery d;

	if (!delivery_read(line->rest, &d))
		return;
	f = file_of(log, line, false);
	if (f && f->has_from && !*f->from) {
		log->stats.own++;
		return;
	}
	if (is_inner(d.relay)) {
		log->stats.inner++;
		return;
	}
	feedback_address(d.to, item.rcpt);
	feedback_text(d.relay, item.remote, sizeof(item.remote));
	feedback_text(d.dsn, item.status, sizeof(item.status));
	feedback_text(d.status, item.type, sizeof(item.type));
	feedback_text(line->host, item.reporter, sizeof(item.reporter));
	feedback_reply(reply_of(d.text), item.text, sizeof(item.text), &item.code);
	item.kind = kind_of(&item);
	if (f) {
		memcpy(item.message_id, f->message_id, sizeof(item.message_id));
		memcpy(item.from, f->from, sizeof(item.from));
		memcpy(item.address, f->client, sizeof(item.address));
	}
	if (item.kind == FEEDBACK_OTHER)
		return;
	log->stats.deliveries++;
	sink->item(sink->ctx, &item);
}

void feedback_log_line(struct feedback_log *log, struct bytes line,
		       const struct feedback_sink *sink)
{
	struct feedback_line l;
	bool postfix;

	if (line.len > FEEDBACK_LINE_MAX)
		line.len = FEEDBACK_LINE_MAX;
	log->stats.lines++;
	if (!feedback_line_read(line, log->now, &l, &postfix)) {
		log->stats.foreign += !postfix;
		return;
	}
	if (bytes_eq(l.program, BYTES("smtp")) || bytes_eq(l.program, BYTES("lmtp")) ||
	    bytes_eq(l.program, BYTES("error")))
		delivery_line(log, &l, sink);
	else if (bytes_eq(l.program, BYTES("qmgr")))
		qmgr_line(log, &l);
	else if (bytes_eq(l.program, BYTES("cleanup")))
		cleanup_line(log, &l);
	else if (bytes_eq(l.program, BYTES("smtpd")))
		smtpd_line(log, &l);
}

struct feedback_log_stats feedback_log_stats(const struct feedback_log *log)
{
	return log->stats;
}
