/* SPDX-License-Identifier: BSD-3-Clause */
/* The order of the compile, and the image's last assembly. */
#include "control/rules/ruleset_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

#include "control/rules/ruleset_tables.h"

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void tables_init(struct ruleset_tables *t, struct rule_diags *diags)
{
	memset(t, 0, sizeof(*t));
	t->diags = diags;
	t->rules.size = sizeof(struct ruleset_rule);
	t->conditions.size = sizeof(struct ruleset_condition);
	t->parts.size = sizeof(struct ruleset_part);
	t->chains.size = sizeof(struct ruleset_chain);
	t->steps.size = sizeof(struct ruleset_step);
	t->scopes.size = sizeof(struct ruleset_scope);
	t->nets.size = sizeof(struct ruleset_net);
	t->ports.size = sizeof(struct ruleset_port);
	t->pcres.size = sizeof(struct ruleset_pcre);
	t->numbers.size = sizeof(struct ruleset_number);
	t->datasets.size = sizeof(struct ruleset_dataset);
	t->hashes.size = sizeof(uint64_t);
	t->arguments.size = sizeof(struct ruleset_argument);
	t->patterns.size = sizeof(struct ruleset_pattern);
	t->starts.size = sizeof(uint32_t);
	t->shards.size = sizeof(struct ruleset_shard);
	t->strings.size = 1;
	section_add(t, &t->strings);
}

void tables_fini(struct ruleset_tables *t)
{
	for (size_t i = 0; i < t->shards.count; i++)
		free(t->databases[i].data);
	arena_fini(&t->arena);
}

static size_t align_up(size_t n)
{
	return (n + RULESET_ALIGN - 1) & ~(size_t)(RULESET_ALIGN - 1);
}

/* Where things come to lie: written twice, first without memory to learn the size. */
struct writer {
	char *base; /* NULL: only count */
	size_t at;
};

static uint32_t write_bytes(struct writer *w, const void *data, size_t len)
{
	size_t at = align_up(w->at);

	if (w->base && len)
		memcpy(w->base + at, data, len);
	w->at = at + len;
	return (uint32_t)at;
}

static struct ruleset_span write_section(struct writer *w, const struct section *s)
{
	return (struct ruleset_span){write_bytes(w, s->data, s->count * s->size),
				     (uint32_t)s->count};
}

static void write_image(const struct ruleset_tables *t, struct writer *w,
			struct ruleset_image *image)
{
	w->at = sizeof(*image);
	image->rules = write_section(w, &t->rules);
	image->conditions = write_section(w, &t->conditions);
	image->parts = write_section(w, &t->parts);
	image->chains = write_section(w, &t->chains);
	image->steps = write_section(w, &t->steps);
	image->scopes = write_section(w, &t->scopes);
	image->nets = write_section(w, &t->nets);
	image->ports = write_section(w, &t->ports);
	image->pcres = write_section(w, &t->pcres);
	image->numbers = write_section(w, &t->numbers);
	image->datasets = write_section(w, &t->datasets);
	image->hashes = write_section(w, &t->hashes);
	image->arguments = write_section(w, &t->arguments);
	image->patterns = write_section(w, &t->patterns);
	image->starts = write_section(w, &t->starts);
	image->strings = write_section(w, &t->strings);
	image->closing = t->closing;
	image->groups = t->groups;
	image->lane_count = t->lane_count;
	memcpy(image->lanes, t->lanes, sizeof(image->lanes));
	memcpy(image->db, t->db, sizeof(image->db));
	for (size_t i = 0; i < t->shards.count; i++)
		((struct ruleset_shard *)t->shards.data)[i].offset =
			write_bytes(w, t->databases[i].data, t->databases[i].size);
	image->shards = write_section(w, &t->shards);
	w->at = align_up(w->at);
}

static int make_image(const struct ruleset_tables *t, uint32_t generation, void **imagep,
		      size_t *sizep)
{
	struct ruleset_image head = {.magic = RULESET_MAGIC,
				     .version = RULESET_VERSION,
				     .generation = generation,
				     .flowbits = t->flowbits_names};
	struct writer w = {0};

	write_image(t, &w, &head);
	if (w.at > UINT32_MAX)
		return -EFBIG;
	w.base = aligned_alloc(RULESET_ALIGN, w.at);
	if (!w.base)
		return -ENOMEM;
	memset(w.base, 0, w.at);
	write_image(t, &w, &head);
	head.size = w.at;
	head.checksum = XXH3_64bits(w.base + sizeof(head), w.at - sizeof(head));
	memcpy(w.base, &head, sizeof(head));
	*imagep = w.base;
	*sizep = w.at;
	return 0;
}

int ruleset_build_with(const struct rule_list *list, const struct ruleset_build_options *options,
		       struct rule_diags *diags, void **imagep, size_t *sizep,
		       struct ruleset_build_stats *stats)
{
	struct ruleset_tables t;
	uint64_t start = now_ns(), compile;
	int rc = -EINVAL;

	tables_init(&t, diags);
	tables_name_bits(&t, list);
	tables_add_datasets(&t, list);
	for (size_t i = 0; i < list->count; i++)
		tables_add_rule(&t, &list->rules[i]);
	tables_order_rules(&t, list);
	tables_share_facts(&t);
	tables_list_closing(&t);
	for (int b = 0; b < RULESET_DBS && !t.failed; b++)
		tables_prepare_databases(&t, (unsigned)b);
	compile = now_ns();
	if (!t.failed && tables_compile_databases(&t, options)) {
		t.stats.compile_ns = now_ns() - compile;
		rc = make_image(&t, options->generation, imagep, sizep);
	}
	if (stats && rc == 0) {
		*stats = t.stats;
		stats->rules = t.rules.count;
		stats->parts = t.parts.count;
		stats->chains = t.chains.count;
		stats->literals -= stats->regexes < stats->literals ? stats->regexes : 0;
		stats->image_bytes = *sizep;
		stats->build_ns = now_ns() - start;
	}
	tables_fini(&t);
	return rc;
}

int ruleset_build(const struct rule_list *list, uint32_t generation, struct rule_diags *diags,
		  void **imagep, size_t *sizep, struct ruleset_build_stats *stats)
{
	const struct ruleset_build_options options = {.generation = generation};

	return ruleset_build_with(list, &options, diags, imagep, sizep, stats);
}
