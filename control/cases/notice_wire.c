/* SPDX-License-Identifier: BSD-3-Clause */
/* Notices on the wire: libcurl's transfers, driven by the event loop. */
#include <errno.h>
#include <event2/event.h>
#include <nettle/base16.h>
#include <nettle/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/cases/notice_internal.h"

#define CONNECT_S 10
#define TOTAL_S   60

struct notice_wire {
	struct notices *notices;
	struct notice_one *one;
	CURL *easy;
	struct curl_slist *headers, *recipients;
	char *mail; /* what is uploaded */
	size_t at, size;
	char error[CURL_ERROR_SIZE];
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void wire_free(struct notice_wire *w)
{
	if (w->easy) {
		curl_multi_remove_handle(w->notices->multi, w->easy);
		curl_easy_cleanup(w->easy);
	}
	curl_slist_free_all(w->headers);
	curl_slist_free_all(w->recipients);
	free(w->mail);
	w->one->wire = NULL;
	w->notices->busy--;
	free(w);
}

/* What has ended */

static void collect(struct notices *n)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(n->multi, &left))) {
		CURLcode result = message->data.result;
		struct notice_wire *w;
		struct notice_one *one;
		char error[CURL_ERROR_SIZE + 32];
		long code = 0;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&w);
		curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &code);
		one = w->one;
		if (result == CURLE_OK && one->channel == NOTICE_WEBHOOK &&
		    (code < 200 || code > 299)) {
			result = CURLE_HTTP_RETURNED_ERROR;
			snprintf(error, sizeof(error), "answered %ld", code);
		} else {
			snprintf(error, sizeof(error), "%s",
				 w->error[0] ? w->error : curl_easy_strerror(result));
			if (result != CURLE_OK && code)
				snprintf(error, sizeof(error), "answered %ld", code);
		}
		wire_free(w);
		notice_attempted(n, one, result == CURLE_OK, code, error, now_ns());
	}
}

/* The loop's sockets and timer; libcurl says which it wants. */

static void on_socket(evutil_socket_t fd, short what, void *ctx)
{
	struct notices *n = ctx;
	int flags = (what & EV_READ ? CURL_CSELECT_IN : 0) |
		    (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	int running;

	curl_multi_socket_action(n->multi, fd, flags, &running);
	collect(n);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct notices *n = ctx;
	int running;

	curl_multi_socket_action(n->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(n);
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket)
{
	struct notices *n = ctx;
	struct event *event = socket;

	if (event)
		event_free(event);
	event = NULL;
	if (what != CURL_POLL_REMOVE)
		event = event_new(n->base, fd,
				  (short)(EV_PERSIST | (what & CURL_POLL_IN ? EV_READ : 0) |
					  (what & CURL_POLL_OUT ? EV_WRITE : 0)),
				  on_socket, n);
	if (event)
		event_add(event, NULL);
	curl_multi_assign(n->multi, fd, event);
	return 0;
}

static int want_timer(CURLM *multi, long ms, void *ctx)
{
	struct notices *n = ctx;
	const struct timeval pause = {ms / 1000, ms % 1000 * 1000};

	if (ms < 0)
		event_del(n->timer);
	else
		event_add(n->timer, &pause);
	return 0;
}

int notice_wire_open(struct notices *n, struct event_base *base)
{
	n->base = base;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	n->multi = curl_multi_init();
	n->timer = event_new(base, -1, 0, on_timer, n);
	if (!n->multi || !n->timer)
		return -ENOMEM;
	curl_multi_setopt(n->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(n->multi, CURLMOPT_SOCKETDATA, n);
	curl_multi_setopt(n->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(n->multi, CURLMOPT_TIMERDATA, n);
	return 0;
}

void notice_wire_close(struct notices *n)
{
	struct notice_one *one;

	TAILQ_FOREACH (one, &n->queue, entry)
		if (one->wire)
			wire_free(one->wire);
	if (n->multi)
		curl_multi_cleanup(n->multi);
	if (n->timer)
		event_free(n->timer);
	n->multi = NULL;
	n->timer = NULL;
}

/* What is sent */

static size_t discard(char *data, size_t size, size_t count, void *ctx)
{
	return size * count;
}

static size_t upload(char *to, size_t size, size_t count, void *ctx)
{
	struct notice_wire *w = ctx;
	size_t room = size * count, left = w->size - w->at;
	size_t n = left < room ? left : room;

	memcpy(to, w->mail + w->at, n);
	w->at += n;
	return n;
}

static void header(struct notice_wire *w, const char *name, const char *value)
{
	char line[512];
	struct curl_slist *more;

	snprintf(line, sizeof(line), "%s: %s", name, value);
	more = curl_slist_append(w->headers, line);
	if (more)
		w->headers = more;
}

/* As GitHub's webhooks are signed: receivers know how to check that. */
static void sign(struct notice_wire *w, const char *secret)
{
	char value[80] = "sha256=";
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct hmac_sha256_ctx h;

	hmac_sha256_set_key(&h, strlen(secret), (const uint8_t *)secret);
	hmac_sha256_update(&h, strlen(w->one->text), (const uint8_t *)w->one->text);
	hmac_sha256_digest(&h, sizeof(digest), digest);
	base16_encode_update(value + strlen(value), sizeof(digest), digest);
	value[7 + BASE16_ENCODE_LENGTH(SHA256_DIGEST_SIZE)] = '\0';
	header(w, "X-Postern-Signature", value);
}

static void begin_webhook(struct notice_wire *w)
{
	const struct notice_config *c = &w->notices->config;
	char text[64];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)w->one->id);
	header(w, "Content-Type", "application/json");
	header(w, "X-Postern-Delivery", text);
	header(w, "Expect", "");
	if (c->secret && *c->secret)
		sign(w, c->secret);
	curl_easy_setopt(w->easy, CURLOPT_URL, w->one->target);
	curl_easy_setopt(w->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(w->easy, CURLOPT_HTTPHEADER, w->headers);
	curl_easy_setopt(w->easy, CURLOPT_POSTFIELDS, w->one->text);
	curl_easy_setopt(w->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(w->one->text));
}

/* RFC 5322: lines end with CRLF; RFC 3834 5: nobody answers it by machine. */
static int mail_write(struct notice_wire *w)
{
	const struct notice_one *one = w->one;
	const struct notice_config *c = &w->notices->config;
	time_t now = time(NULL);
	char date[64];
	struct tm tm;
	FILE *out = open_memstream(&w->mail, &w->size);

	if (!out)
		return -ENOMEM;
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&now, &tm));
	fprintf(out,
		"Date: %s\r\nFrom: %s\r\nTo: %s\r\nSubject: %s\r\n"
		"Message-ID: <notice-%llu.%llu@%s>\r\nMIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
		"Auto-Submitted: auto-generated\r\n",
		date, c->from, one->target, one->subject, (unsigned long long)one->id,
		(unsigned long long)(one->made / 1000000000),
		strchr(c->from, '@') ? strchr(c->from, '@') + 1 : "postern.invalid");
	if (one->about)
		fprintf(out, "X-Postern-Case: %llu\r\n", (unsigned long long)one->about);
	fputs("\r\n", out);
	for (const char *p = one->text; *p; p++) {
		if (*p == '\n')
			fputc('\r', out);
		fputc(*p, out);
	}
	return fclose(out) == 0 ? 0 : -ENOMEM;
}

static int begin_mail(struct notice_wire *w)
{
	const struct notice_config *c = &w->notices->config;

	w->recipients = curl_slist_append(NULL, w->one->target);
	if (!w->recipients || mail_write(w) != 0)
		return -ENOMEM;
	curl_easy_setopt(w->easy, CURLOPT_URL, c->relay);
	curl_easy_setopt(w->easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	/* Opportunistic (RFC 7435): better any TLS than none. smtps:// is verified. */
	curl_easy_setopt(w->easy, CURLOPT_USE_SSL, (long)CURLUSESSL_TRY);
	if (strncmp(c->relay, "smtp://", 7) == 0) {
		curl_easy_setopt(w->easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(w->easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	curl_easy_setopt(w->easy, CURLOPT_MAIL_FROM, c->from);
	curl_easy_setopt(w->easy, CURLOPT_MAIL_RCPT, w->recipients);
	curl_easy_setopt(w->easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(w->easy, CURLOPT_READFUNCTION, upload);
	curl_easy_setopt(w->easy, CURLOPT_READDATA, w);
	return 0;
}

int notice_wire_begin(struct notices *n, struct notice_one *one)
{
	struct notice_wire *w = calloc(1, sizeof(*w));
	char agent[64];
	int rc = 0;

	if (!w)
		return -ENOMEM;
	w->notices = n;
	w->one = one;
	one->wire = w;
	n->busy++;
	w->easy = curl_easy_init();
	if (!w->easy) {
		wire_free(w);
		return -ENOMEM;
	}
	snprintf(agent, sizeof(agent), "Postern/%s", n->config.version);
	curl_easy_setopt(w->easy, CURLOPT_USERAGENT, agent);
	curl_easy_setopt(w->easy, CURLOPT_PRIVATE, w);
	curl_easy_setopt(w->easy, CURLOPT_ERRORBUFFER, w->error);
	curl_easy_setopt(w->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(w->easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(w->easy, CURLOPT_TIMEOUT, (long)TOTAL_S);
	curl_easy_setopt(w->easy, CURLOPT_WRITEFUNCTION, discard);
	if (one->channel == NOTICE_WEBHOOK)
		begin_webhook(w);
	else
		rc = begin_mail(w);
	if (!rc && curl_multi_add_handle(n->multi, w->easy) != CURLM_OK)
		rc = -ENOMEM;
	if (rc)
		wire_free(w);
	return rc;
}
