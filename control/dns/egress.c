/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/dns/egress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/log.h"
#include "control/daemon/daemon.h"
#include "control/dns/resolver.h"

static const char *const schema[] = {
	"CREATE TABLE egress_listing(address TEXT NOT NULL, zone TEXT NOT NULL,"
	" since INTEGER NOT NULL, names TEXT NOT NULL, PRIMARY KEY (address, zone));",
	NULL,
};

const struct store_part egress_part = {.name = "egress", .schema = schema};

struct zone {
	const char *name;
	struct dnsbl_codes codes;
	const char **blameless;
};

struct look {
	struct egress_look said; /* first: what others see of it */
	struct egress *egress;
	const struct zone *zone;
	char name[DNS_NAME_SIZE];
	bool on_way;
};

struct egress {
	struct daemon *daemon;
	struct event *turn;
	struct timeval interval;
	struct zone *zone;
	unsigned zones, looks;
	struct look *look;
	uint64_t answers[DNSBL_LISTED + 1];
};

const struct egress_look *egress_look_at(const struct egress *e, unsigned i)
{
	return e && i < e->looks ? &e->look[i].said : NULL;
}

const uint64_t *egress_answers(const struct egress *e)
{
	static const uint64_t none[DNSBL_LISTED + 1];

	return e ? e->answers : none;
}

/* Points */

/* How much of late may have brought a tenant's mail onto a list. */
static double bad_events(const struct risk_board *b, uint32_t slot, uint64_t now)
{
	const struct risk_tenant *t = &b->tenant[slot];
	double bad = t->ratio[RISK_RATIO_BOUNCES].parts + t->ratio[RISK_RATIO_COMPLAINTS].parts;

	for (unsigned i = 0; i < RISK_EVENT_COUNT; i++) {
		const struct risk_event_config *e = &b->config.event[i];
		const enum risk_family family = risk_event_text[i].family;
		const uint64_t last = t->event[i].last * UINT64_C(1000000000);

		if ((family != RISK_FAMILY_DELIVERY && family != RISK_FAMILY_RECIPIENTS &&
		     family != RISK_FAMILY_CONTENT && i != RISK_EVENT_BLOCK_REPLY) ||
		    i == RISK_EVENT_UNWANTED || !(e->points > 0))
			continue;
		bad += t->event[i].value / e->points * risk_decay(last, now, e->half_life);
	}
	return bad;
}

static void blame(struct daemon *d, const char *address)
{
	struct risk_board *b = &d->risk.board;
	const uint64_t now = daemon_time();
	const uint32_t own = roster_slot_at(d->roster, address);
	double *bad, share;

	if (own) {
		if (risk_run_scores(d, own))
			risk_board_event(b, own, RISK_EVENT_DNSBL, 1, now, 0, 0);
		return;
	}
	bad = calloc(d->roster->count, sizeof(*bad));
	for (uint32_t slot = 1; bad && slot < d->roster->count; slot++)
		bad[slot] = risk_run_scores(d, slot) ? bad_events(b, slot, now) : 0;
	for (uint32_t slot = 1; bad && slot < d->roster->count; slot++) {
		/* risk_share() adds them all up: once is enough. */
		share = bad[slot] > 0 ? risk_share(bad, d->roster->count, slot) : 0;
		if (share > 0)
			risk_board_event(b, slot, RISK_EVENT_DNSBL, share, now, 0, 0);
	}
	free(bad);
}

/* Answers */

static void keep(struct daemon *d, const struct egress_look *l, enum dnsbl_change change)
{
	struct store_unit *unit = store_begin(d->store);

	if (change == DNSBL_BEGINS)
		store_add(unit,
			  "INSERT OR REPLACE INTO egress_listing(address, zone, since, names)"
			  " VALUES (?1, ?2, ?3, ?4)",
			  STORE_TEXT(l->address), STORE_TEXT(l->zone), STORE_INT(l->since),
			  STORE_TEXT(l->state.names));
	else
		store_add(unit, "DELETE FROM egress_listing WHERE address = ?1 AND zone = ?2",
			  STORE_TEXT(l->address), STORE_TEXT(l->zone));
	store_commit(d->store, unit, NULL, NULL);
}

static void follow(struct look *look, enum dnsbl_change change)
{
	struct daemon *d = look->egress->daemon;
	struct egress_look *l = &look->said;
	const uint32_t slot = roster_slot_at(d->roster, l->address);

	l->since = change == DNSBL_BEGINS ? daemon_time() : 0;
	keep(d, l, change);
	daemon_event(d, change == DNSBL_BEGINS ? "dnsbl_listed" : "dnsbl_delisted", slot,
		     json_pack("{s:s, s:s, s:s}", "address", l->address, "zone", l->zone, "names",
			       l->state.names));
	if (change == DNSBL_BEGINS && l->state.blames)
		blame(d, l->address);
}

static void on_answer(void *ctx, const struct dns_answer *answer)
{
	struct look *look = ctx;
	struct egress *e = look->egress;
	const struct dnsbl_word word =
		dnsbl_read(answer, &look->zone->codes, look->zone->blameless);
	enum dnsbl_change change;

	look->on_way = false;
	e->answers[word.said]++;
	look->said.said = word.said;
	look->said.answered = true;
	if (word.said != DNSBL_NOTHING)
		look->said.checked = daemon_time();
	/* Without a configuration nobody knows who is to be told. */
	if (!e->daemon->roster)
		return;
	change = dnsbl_take(&look->said.state, &word);
	if (change != DNSBL_STAYS)
		follow(look, change);
}

static void on_turn(evutil_socket_t fd, short what, void *ctx)
{
	static const struct timeval soon = {0, 100000};
	struct egress *e = ctx;

	evtimer_add(e->turn, e->daemon->roster ? &e->interval : &soon);
	for (unsigned i = 0; e->daemon->roster && i < e->looks; i++) {
		struct look *l = &e->look[i];

		/* One that is still on its way is slow enough. */
		if (!l->on_way)
			l->on_way = resolver_ask(e->daemon->resolver, l->name, DNS_A, on_answer,
						 l) == 0;
	}
}

/* Opening */

static int zone_init(struct zone *z, const struct config_dnsbl *c)
{
	z->name = c->zone;
	z->blameless = calloc(c->blameless.count + 2, sizeof(*z->blameless));
	if (!z->blameless)
		return -ENOMEM;
	for (size_t i = 0; i < c->blameless.count; i++)
		z->blameless[i] = c->blameless.items[i].text;
	if (!c->blameless.count)
		z->blameless[0] = config_dnsbl_blameless;
	for (size_t i = 0; i < c->codes.count; i++)
		dnsbl_code_add(&z->codes, c->codes.items[i].text);
	if (!c->codes.count)
		for (const char *const *code = config_dnsbl_codes; *code; code++)
			dnsbl_code_add(&z->codes, *code);
	return 0;
}

static int looks_init(struct egress *e, const struct config_gate *g)
{
	struct look *l;

	e->look = calloc(g->egress.count * e->zones, sizeof(*e->look));
	if (!e->look)
		return -ENOMEM;
	for (size_t a = 0; a < g->egress.count; a++) {
		for (unsigned z = 0; z < e->zones; z++) {
			l = &e->look[e->looks];
			l->egress = e;
			l->zone = &e->zone[z];
			l->said.address = g->egress.items[a].text;
			l->said.zone = e->zone[z].name;
			if (dnsbl_name(l->said.address, l->said.zone, l->name) == 0)
				e->looks++;
		}
	}
	return 0;
}

static void take_kept(struct egress *e, struct store_rows *rows)
{
	const char *address = store_column_text(rows, 0), *zone = store_column_text(rows, 1);

	for (unsigned i = 0; i < e->looks; i++) {
		struct egress_look *l = &e->look[i].said;

		if (strcmp(l->address, address) != 0 || strcmp(l->zone, zone) != 0)
			continue;
		l->state.listed = true;
		l->since = (uint64_t)store_column_int(rows, 2);
		snprintf(l->state.names, sizeof(l->state.names), "%s", store_column_text(rows, 3));
	}
}

static void restore(struct egress *e)
{
	struct store_rows *rows =
		store_query_list(e->daemon->store,
				 "SELECT address, zone, since, names FROM egress_listing", NULL, 0);

	while (store_next(rows))
		take_kept(e, rows);
	store_end(rows);
}

int egress_open(struct daemon *d)
{
	const struct config_gate *g = &d->config->gate;
	static const struct timeval at_once = {0, 0};
	struct egress *e;
	int rc = 0;

	if (!g->egress.count || !g->dnsbl.count)
		return 0;
	e = d->egress = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->daemon = d;
	e->zone = calloc(g->dnsbl.count, sizeof(*e->zone));
	for (; e->zone && !rc && e->zones < g->dnsbl.count; e->zones++)
		rc = zone_init(&e->zone[e->zones],
			       (const struct config_dnsbl *)g->dnsbl.items + e->zones);
	if (!e->zone || rc || looks_init(e, g) != 0)
		return -ENOMEM;
	restore(e);
	e->interval = (struct timeval){(time_t)(g->dnsbl_interval / 1000000000), 0};
	e->turn = evtimer_new(d->base, on_turn, e);
	return e->turn && evtimer_add(e->turn, &at_once) == 0 ? 0 : -ENOMEM;
}

/* After the resolver: no answer comes any more. */
void egress_close(struct daemon *d)
{
	struct egress *e = d->egress;

	if (!e)
		return;
	if (e->turn)
		event_free(e->turn);
	for (unsigned i = 0; i < e->zones; i++)
		free((void *)e->zone[i].blameless);
	free(e->zone);
	free(e->look);
	free(e);
	d->egress = NULL;
}

/* postern show egress */

static const char *const said_names[] = {
	[DNSBL_NOTHING] = "nothing",
	[DNSBL_NOT_LISTED] = "not listed",
	[DNSBL_LISTED] = "listed",
};

enum command_outcome run_egress(struct request *r, json_t **result)
{
	const struct daemon *d = r->daemon;
	const struct egress_look *l;
	json_t *list = json_array();

	for (unsigned i = 0; (l = egress_look_at(d->egress, i)); i++) {
		const uint32_t slot = d->roster ? roster_slot_at(d->roster, l->address) : 0;
		json_t *one = json_pack("{s:s, s:s, s:b, s:s, s:s*}", "address", l->address, "zone",
					l->zone, "listed", l->state.listed, "answer",
					l->answered ? said_names[l->said] : "none yet", "tenant",
					slot ? d->roster->tenant[slot].name : NULL);

		if (l->state.listed) {
			json_object_set_new(one, "names", json_string(l->state.names));
			json_object_set_new(one, "since", json_real((double)l->since / 1e9));
		}
		if (l->checked)
			json_object_set_new(one, "checked", json_real((double)l->checked / 1e9));
		json_array_append_new(list, one);
	}
	*result = json_pack("{s:o}", "egress", list);
	return COMMAND_DONE;
}
