/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists of millions: how long an import of addresses takes, what an entry costs on the disk and in
 * memory, what a look-up costs, cold (entries at random), warm (the same few) and eight at once,
 * beside DPDK's hash table of the same hashes.
 *
 *   list_bench [ENTRIES]      default: 10 million
 */
#include <fcntl.h>
#include <inttypes.h>
#include <rte_hash.h>
#include <rte_jhash.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "control/lists/list_work.h"
#include "dataplane/gate.h"

#define ASKED    (1 << 22) /* more than caches hold */
#define TURNS    (1 << 22)
#define ROUNDS   5
#define TOGETHER 8

static uint64_t hashes[ASKED];
static uint64_t sink;

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t resident(void)
{
	unsigned long long total = 0, pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (file && fscanf(file, "%llu %llu", &total, &pages) != 2)
		pages = 0;
	if (file)
		fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static size_t address(uint64_t n, char text[64])
{
	return (size_t)snprintf(text, 64, "user%" PRIu64 ".name@host%" PRIu64 ".example.com\n", n,
				n * 2654435761 % 100003);
}

/* Every second of what is asked is on the list. */
static void ask_about(const struct list_store *store, uint64_t entries)
{
	const struct list_kind_info *info = list_kind_find("optout");
	char text[64];

	for (uint64_t i = 0; i < ASKED; i++) {
		uint64_t n = i * UINT64_C(0x9e3779b97f4a7c15) % (2 * entries);
		size_t len = address(n, text);

		hashes[i] = list_kind_hash(info, store->sets.key, 1, text, len - 1);
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* What is looked in, and how. */
struct question {
	const struct list_sets *sets;
	const struct rte_hash *table;
	unsigned among; /* the first of the hashes */
	bool together;
};

static void ask(const struct question *q, unsigned i)
{
	enum list_standing standing[TOGETHER];

	if (q->table) {
		for (unsigned n = 0; n < TOGETHER; n++)
			sink += rte_hash_lookup(q->table, &hashes[(i + n) % q->among]) >= 0;
	} else if (q->together) {
		list_sets_find_many(q->sets, 1, LIST_OPTOUT, &hashes[i % q->among], TOGETHER,
				    standing);
		sink += standing[0];
	} else {
		for (unsigned n = 0; n < TOGETHER; n++)
			sink += list_sets_find(q->sets, 1, LIST_OPTOUT, hashes[(i + n) % q->among],
					       NULL);
	}
}

/* ns a look-up, the median of rounds. */
static double time_of(struct question q)
{
	double rounds[ROUNDS];

	for (unsigned r = 0; r < ROUNDS; r++) {
		double began = now_s();

		for (unsigned i = 0; i < TURNS; i += TOGETHER)
			ask(&q, i);
		rounds[r] = (now_s() - began) / TURNS * 1e9;
	}
	qsort(rounds, ROUNDS, sizeof(*rounds), compare);
	return rounds[ROUNDS / 2];
}

/* A table of the same entries; NULL: no memory. *bytes: what it took. */
static struct rte_hash *table_of(const struct list_store *store, uint64_t entries, uint64_t *bytes)
{
	const struct rte_hash_parameters how = {
		.name = "list_bench",
		.entries = (uint32_t)entries,
		.key_len = sizeof(uint64_t),
		.hash_func = rte_jhash,
		.socket_id = SOCKET_ID_ANY,
		.extra_flag = RTE_HASH_EXTRA_FLAGS_EXT_TABLE,
	};
	struct hashset set = list_segment_set(&store->sets.base, store->sets.base.segment);
	uint64_t before = resident();
	struct rte_hash *table = rte_hash_create(&how);

	for (uint64_t i = 0; table && i < set.length; i++)
		if (set.hashes[i] && rte_hash_add_key(table, &set.hashes[i]) < 0)
			break;
	*bytes = resident() - before;
	return table;
}

static int import(const char *dir, uint64_t entries)
{
	struct list_import_job job = {
		.target = {.info = list_kind_find("optout"), .owner = 1, .name = "acme"},
		.name = "entries",
	};
	char path[256], error[LIST_STORE_ERROR], text[64];
	struct list_store store;
	json_t *report;
	FILE *file;

	snprintf(path, sizeof(path), "%s/entries", dir);
	file = fopen(path, "w");
	for (uint64_t i = 0; file && i < entries; i++)
		fwrite(text, 1, address(i, text), file);
	if (!file || fclose(file) != 0 || list_store_open(dir, true, &store, error) != 0)
		return 1;
	job.fd = open(path, O_RDONLY);
	report = list_work_import(&store, &job);
	printf("import     %.1f million lines/s, %.2f s\n",
	       (double)entries / json_number_value(json_object_get(report, "took_s")) / 1e6,
	       json_number_value(json_object_get(report, "took_s")));
	json_decref(report);
	list_store_close(&store);
	close(job.fd);
	return 0;
}

static void touch(const struct list_file *file)
{
	for (size_t i = 0; i < file->size; i += 4096)
		sink += ((const uint8_t *)file->data)[i];
}

static void one_by_one(struct list_store *store, uint64_t entries)
{
	struct list_change change = {.list = {1, LIST_OPTOUT}};
	struct list_outcome outcome;
	double began = now_s();

	for (unsigned i = 0; i < 100; i++) {
		hash_list_add(&change.hashes, entries * 31 + i + 1);
		list_store_patch(store, &change, &outcome);
		hash_list_fini(&change.hashes);
	}
	printf("single     %.2f ms an added entry, on the disk\n", (now_s() - began) * 10);
}

static int measure(const char *dir, uint64_t entries)
{
	char error[LIST_STORE_ERROR];
	uint64_t before = resident(), bytes, table_bytes;
	struct list_store store;
	struct rte_hash *table;
	double cold, warm, many;

	if (list_store_open(dir, false, &store, error) != 0)
		return 1;
	touch(&store.base);
	bytes = resident() - before;
	printf("file       %.2f bytes an entry (%zu)\n", (double)store.base.size / (double)entries,
	       store.base.size);
	printf("memory     %.2f bytes an entry\n", (double)bytes / (double)entries);
	ask_about(&store, entries);
	cold = time_of((struct question){.sets = &store.sets, .among = ASKED});
	warm = time_of((struct question){.sets = &store.sets, .among = 64});
	many = time_of((struct question){.sets = &store.sets, .among = ASKED, .together = true});
	printf("look-up    %.1f ns cold, %.1f ns warm, %.1f ns of eight at once\n", cold, warm,
	       many);
	table = table_of(&store, entries, &table_bytes);
	if (table) {
		double table_cold = time_of((struct question){.table = table, .among = ASKED});
		double table_warm = time_of((struct question){.table = table, .among = 64});

		printf("rte_hash   %.2f bytes an entry, %.1f ns cold, %.1f ns warm\n",
		       (double)table_bytes / (double)entries, table_cold, table_warm);
		printf("ratio      cold %.2f, warm %.2f, eight at once %.2f of rte_hash's\n",
		       cold / table_cold, warm / table_warm, many / table_cold);
		rte_hash_free(table);
	}
	one_by_one(&store, entries);
	list_store_close(&store);
	return 0;
}

/* In a process of its own: what it took is not in the figures for memory. */
static int import_apart(const char *dir, uint64_t entries)
{
	pid_t pid = fork();
	int status = 1;

	if (pid == 0) {
		int rc = import(dir, entries);

		fflush(stdout);
		_exit(rc);
	}
	waitpid(pid, &status, 0);
	return status;
}

int main(int argc, char **argv)
{
	uint64_t entries = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000000;
	char dir[] = "/tmp/postern-lists-XXXXXX", command[64], error[GATE_ERROR];
	int rc = 1;

	if (mkdtemp(dir) && import_apart(dir, entries) == 0 &&
	    gate_environment(1, 64 + entries * 64 / 1000000, error) == 0)
		rc = measure(dir, entries);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) || rc;
}
