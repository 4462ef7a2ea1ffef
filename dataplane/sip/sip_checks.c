/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sip/sip_checks.h"

#include "dataplane/inspect.h"
#include "dataplane/policy/lists.h"
#include "dataplane/proto/sip_number.h"
#include "dataplane/sip/heard.h"

#define SECOND        UINT64_C(1000000000)
#define MINUTE        (60 * SECOND)
#define DAY           (86400 * SECOND)
#define CONFIRM       (5 * MINUTE) /* 47 CFR 64.1200(a)(12) */
#define DISPLAY_LEAST 7            /* digits that a display name is a telephone number from */
#define VALUE_MAX     512          /* bytes of a header with folds */
#define STOP_MAX      32           /* bytes of a text that says no more than that */

bool sip_is_new_call(const struct sip_message *msg)
{
	return msg->kind == SIP_REQUEST && msg->method_id == SIP_METHOD_INVITE && !msg->to.tag.len;
}

bool sip_is_text(const struct sip_message *msg)
{
	return msg->kind == SIP_REQUEST && msg->method_id == SIP_METHOD_MESSAGE;
}

static bool number_of(struct bytes uri, struct sip_number *number)
{
	struct sip_uri parts;

	sip_uri_parse(uri, &parts);
	return sip_number_read(&parts, number);
}

static struct bytes digits_of(const struct sip_number *number)
{
	return bytes_of(number->digits, number->len);
}

bool sip_callee_is_listed(struct worker *w, uint32_t tenant, const struct sip_message *msg,
			  struct bytes *detail)
{
	uint8_t text[LIST_TEXT_MAX];
	struct sip_number number;
	uint64_t callee;
	size_t len;

	*detail = msg->uri;
	if (list_has_do_not_call(w->policy, tenant) && number_of(msg->uri, &number) &&
	    list_do_not_call(w->policy, tenant, digits_of(&number)))
		return true;
	if (!w->policy->calls.learn_unwanted)
		return false;
	callee = heard_hash_uri(w, msg->uri, text, &len);
	return callee && heard_has(w, HEARD_UNWANTED, tenant, callee);
}

/* Callers ------------------------------------------------------------------ */

/* What the message says of its caller, as far as it was looked at. */
struct claims {
	const struct policy *policy;
	uint32_t tenant;
	bool owned;            /* a number of the tenant's is among them */
	struct bytes offender; /* the first that is another's; empty: none */
};

static void claim(struct claims *c, const struct sip_number *number, struct bytes what)
{
	if (list_owns_number(c->policy, c->tenant, digits_of(number)))
		c->owned = true;
	else if (!c->offender.len)
		c->offender = what;
}

static void claim_list(struct claims *c, struct bytes list)
{
	struct sip_address address;
	struct sip_number number;
	struct bytes element;

	while (sip_list_next(&list, &element)) {
		sip_address_parse(element, &address);
		if (number_of(address.uri, &number))
			claim(c, &number, address.uri);
	}
}

static bool is_claim(unsigned header)
{
	return header == SIP_HEADER_P_ASSERTED_IDENTITY ||
	       header == SIP_HEADER_P_PREFERRED_IDENTITY || header == SIP_HEADER_REMOTE_PARTY_ID;
}

static void claim_headers(struct claims *c, const struct sip_message *msg)
{
	char unfolded[VALUE_MAX];

	for (unsigned i = 0; i < msg->header_count && !c->offender.len; i++) {
		const struct sip_header *h = &msg->headers[i];

		if (!is_claim(h->id))
			continue;
		if (!h->folded) {
			claim_list(c, h->value);
			continue;
		}
		claim_list(c, bytes_of(unfolded,
				       sip_header_unfold(h->value, unfolded, sizeof(unfolded))));
		/* What was found lies in a buffer that goes. */
		if (c->offender.len)
			c->offender = h->value;
	}
	/* Beyond those that are listed the first of each kind is known. */
	if (msg->flags & SIP_FLAG_HEADERS_CUT) {
		claim_list(c, msg->p_asserted_identity);
		claim_list(c, msg->p_preferred_identity);
	}
}

/* A name that is nothing but a telephone number: that is what the callee's display shows. */
static bool display_number(struct bytes name, struct sip_number *number)
{
	const struct sip_uri uri = {.user = name, .scheme_id = SIP_SCHEME_TEL};
	unsigned digits = 0;

	if (!sip_number_read(&uri, number))
		return false;
	for (unsigned i = 0; i < number->len; i++)
		digits += ascii_isdigit((uint8_t)number->digits[i]);
	return digits >= DISPLAY_LEAST;
}

static bool is_anonymous(const struct sip_uri *uri)
{
	return bytes_caseeq(uri->host, BYTES("anonymous.invalid")) ||
	       bytes_caseeq(uri->user, BYTES("anonymous"));
}

bool sip_caller_is_false(struct worker *w, uint32_t tenant, const struct sip_message *msg,
			 struct bytes *detail)
{
	struct claims c = {.policy = w->policy, .tenant = tenant};
	struct sip_number number;
	struct sip_uri from;

	if (!list_has_numbers(w->policy, tenant))
		return false;
	sip_uri_parse(msg->from.uri, &from);
	if (sip_number_read(&from, &number))
		claim(&c, &number, msg->from.uri);
	if (display_number(msg->from.display, &number))
		claim(&c, &number, msg->from.display);
	claim_headers(&c, msg);
	if (!c.offender.len && is_anonymous(&from) && !c.owned)
		c.offender = msg->from.uri;
	*detail = c.offender;
	return c.offender.len;
}

bool sip_caller_is_unsigned(struct worker *w, uint32_t tenant, const struct sip_message *msg,
			    struct bytes *detail)
{
	*detail = msg->from.uri;
	return !msg->identity.len && list_has_numbers(w->policy, tenant);
}

/* Texts -------------------------------------------------------------------- */

static uint64_t request_of(const struct worker *w, const struct sip_message *msg)
{
	return heard_hash(w, msg->call_id.p, msg->call_id.len) + msg->cseq_number;
}

/*
 * 47 CFR 64.1200(a)(12): a text that confirms the STOP, sent within five minutes, is allowed, and
 * is the only one. It may come again, as UDP has it (RFC 3261 17.1.2).
 */
static bool is_confirmation(struct worker *w, uint32_t tenant, uint64_t recipient,
			    const struct sip_message *msg)
{
	const uint64_t request = recipient ^ request_of(w, msg);

	if (heard_has(w, HEARD_SENT, tenant, request))
		return true;
	if (!heard_take(w, HEARD_CONFIRM, tenant, recipient))
		return false;
	heard_keep(w, HEARD_SENT, tenant, request, w->policy->timeouts.sip_transaction);
	return true;
}

/* Its last word on texts of the tenant's was STOP. */
static bool said_stop(struct worker *w, uint32_t tenant, uint64_t recipient, struct bytes plain)
{
	if (check_is_on(w, REASON_SMS_STOP) && heard_has(w, HEARD_STOP, tenant, recipient))
		return true;
	return list_said_stop(w->policy, tenant, plain) &&
	       !heard_has(w, HEARD_START, tenant, recipient);
}

bool sip_text_is_unwanted(struct worker *w, uint32_t tenant, const struct sip_message *msg,
			  struct bytes *detail)
{
	uint8_t text[LIST_TEXT_MAX];
	size_t len;
	uint64_t recipient = heard_hash_uri(w, msg->uri, text, &len);
	const struct bytes plain = bytes_of(text, len);

	*detail = msg->uri;
	if (!recipient)
		return false;
	if (memchr(text, '@', len)) {
		if (list_opted_out(w->policy, tenant, plain))
			return true;
	} else if (list_wants_no_texts(w->policy, tenant, plain) ||
		   list_do_not_call(w->policy, tenant, plain)) {
		return true;
	}
	return said_stop(w, tenant, recipient, plain) &&
	       !is_confirmation(w, tenant, recipient, msg);
}

static bool is_dressing(uint8_t c)
{
	return ascii_isblank(c) || c == '.' || c == '!' || c == '"';
}

static struct bytes trimmed(struct bytes s)
{
	while (s.len && is_dressing(s.p[0]))
		s = bytes_of(s.p + 1, s.len - 1);
	while (s.len && is_dressing(s.p[s.len - 1]))
		s.len--;
	return s;
}

/* What 47 CFR 64.1200(a)(10) and the carriers' rules take for a wish to be left alone. */
static const char *const stop_words[] = {"STOP",    "STOPALL", "STOP ALL", "UNSUBSCRIBE",
					 "CANCEL",  "END",     "QUIT",     "REVOKE",
					 "OPT OUT", "OPT-OUT", "OPTOUT",   "ARRET"};
/* And what carriers take for its end. */
static const char *const start_words[] = {"START", "UNSTOP"};

static bool is_one_of(struct bytes s, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes_caseeq(s, bytes_of(words[i], strlen(words[i]))))
			return true;
	return false;
}

/* Without a Content-Type there is no saying what it is, and receivers show it. */
static bool is_plain(const struct sip_message *msg)
{
	const struct bytes plain = BYTES("text/plain");
	unsigned index = 0;
	const struct sip_header *h = sip_header_find(msg, SIP_HEADER_CONTENT_TYPE, &index);

	return !h || bytes_case_starts(h->value, plain);
}

static void take_stop(struct worker *w, uint32_t tenant, uint64_t sender, struct bytes plain)
{
	/* Who says it again gets no second confirmation. */
	if (!said_stop(w, tenant, sender, plain))
		heard_keep(w, HEARD_CONFIRM, tenant, sender, CONFIRM);
	heard_keep(w, HEARD_STOP, tenant, sender, DAY);
	heard_drop(w, HEARD_START, tenant, sender);
}

/* False: there was nothing to take back. */
static bool take_start(struct worker *w, uint32_t tenant, uint64_t sender, struct bytes plain)
{
	if (!said_stop(w, tenant, sender, plain))
		return false;
	heard_drop(w, HEARD_STOP, tenant, sender);
	heard_drop(w, HEARD_CONFIRM, tenant, sender);
	heard_keep(w, HEARD_START, tenant, sender, DAY);
	return true;
}

enum reason sip_text_wish(struct worker *w, uint32_t tenant, const struct sip_message *msg,
			  uint8_t *text, size_t *len)
{
	const struct bytes body = trimmed(msg->body);
	bool stop, start;
	uint64_t sender;

	if (body.len > STOP_MAX || !check_is_on(w, REASON_SMS_STOP))
		return REASON_NONE;
	stop = is_one_of(body, stop_words, RTE_DIM(stop_words));
	start = !stop && check_is_on(w, REASON_SMS_START) &&
		is_one_of(body, start_words, RTE_DIM(start_words));
	if ((!stop && !start) || !is_plain(msg))
		return REASON_NONE;
	sender = heard_hash_uri(w, msg->from.uri, text, len);
	if (!sender)
		return REASON_NONE;
	if (stop)
		take_stop(w, tenant, sender, bytes_of(text, *len));
	else if (!take_start(w, tenant, sender, bytes_of(text, *len)))
		return REASON_NONE;
	return stop ? REASON_SMS_STOP : REASON_SMS_START;
}

/* Log-ins ------------------------------------------------------------------ */

bool sip_has_credentials(const struct sip_message *msg)
{
	for (unsigned i = 0; i < msg->header_count; i++)
		if (msg->headers[i].id == SIP_HEADER_AUTHORIZATION ||
		    msg->headers[i].id == SIP_HEADER_PROXY_AUTHORIZATION)
			return msg->method_id != SIP_METHOD_ACK &&
			       msg->method_id != SIP_METHOD_CANCEL;
	return false;
}

void sip_login_tried(struct worker *w, uint32_t tenant, const struct sip_message *msg)
{
	if (msg->call_id.len && w->policy->calls.auth_failures &&
	    check_is_on(w, REASON_AUTH_FAILURES))
		heard_keep(w, HEARD_LOGIN, tenant, request_of(w, msg),
			   w->policy->timeouts.sip_transaction);
}

/* RFC 3261 22.4: the credentials may have been right. */
static bool is_stale(const struct sip_message *msg)
{
	for (unsigned i = 0; i < msg->header_count; i++) {
		const struct sip_header *h = &msg->headers[i];

		struct bytes rest = h->value, parameter;

		if (h->id != SIP_HEADER_WWW_AUTHENTICATE && h->id != SIP_HEADER_PROXY_AUTHENTICATE)
			continue;
		while (sip_list_next(&rest, &parameter))
			if (bytes_caseeq(parameter, BYTES("stale=true")) ||
			    bytes_caseeq(parameter, BYTES("stale=\"true\"")))
				return true;
	}
	return false;
}

bool sip_login_failed(struct worker *w, uint32_t tenant, const struct sip_message *msg)
{
	if (msg->code != 401 && msg->code != 403 && msg->code != 407)
		return false;
	if (!msg->call_id.len || !w->policy->calls.auth_failures ||
	    !check_is_on(w, REASON_AUTH_FAILURES) ||
	    !heard_take(w, HEARD_LOGIN, tenant, request_of(w, msg)))
		return false;
	return !is_stale(msg);
}
