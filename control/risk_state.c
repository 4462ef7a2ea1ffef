/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/risk_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/risk_json.h"

#define NAME  "risk.jsonl"
#define FRESH NAME ".new"

int risk_save_begin(int dir, struct risk_save *save)
{
	int fd = openat(dir, FRESH, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	*save = (struct risk_save){dir, fdopen(fd, "w")};
	if (save->out)
		return 0;
	close(fd);
	return -ENOMEM;
}

void risk_save_put(struct risk_save *save, uint32_t id, const struct risk_tenant *tenant)
{
	json_t *object;

	if (risk_is_empty(tenant))
		return;
	object = risk_tenant_json(id, tenant);
	if (json_dumpf(object, save->out, JSON_COMPACT) == 0)
		fputc('\n', save->out);
	json_decref(object);
}

void risk_save_cancel(struct risk_save *save)
{
	if (!save->out)
		return;
	fclose(save->out);
	save->out = NULL;
	unlinkat(save->dir, FRESH, 0);
}

int risk_save_end(struct risk_save *save)
{
	int rc = 0;

	errno = 0;
	if (fflush(save->out) != 0 || ferror(save->out) || fsync(fileno(save->out)) != 0)
		rc = errno ? -errno : -EIO;
	if (!rc && renameat(save->dir, FRESH, save->dir, NAME) != 0)
		rc = -errno;
	if (rc) {
		risk_save_cancel(save);
		return rc;
	}
	fclose(save->out);
	save->out = NULL;
	return fsync(save->dir) == 0 ? 0 : -errno;
}

static int by_id(const void *a, const void *b)
{
	const uint32_t x = ((const struct risk_kept *)a)->id, y = ((const struct risk_kept *)b)->id;

	return (x > y) - (x < y);
}

static bool read_line(const char *line, size_t len, struct risk_kept *kept)
{
	json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const int rc = object ? risk_tenant_parse(object, &kept->id, &kept->tenant) : -EINVAL;

	json_decref(object);
	return rc == 0;
}

static int read_lines(FILE *in, struct risk_kept **kept, size_t *count, size_t *bad)
{
	size_t room = 0, size = 0;
	char *line = NULL;
	ssize_t len;
	int rc = 0;

	while (!rc && (len = getline(&line, &size, in)) > 0) {
		if (*count == room) {
			struct risk_kept *more =
				reallocarray(*kept, room ? 2 * room : 64, sizeof(*more));

			if (!more) {
				rc = -ENOMEM;
				break;
			}
			*kept = more;
			room = room ? 2 * room : 64;
		}
		if (read_line(line, (size_t)len, *kept + *count))
			++*count;
		else
			++*bad;
	}
	free(line);
	return rc;
}

int risk_kept_read(int dir, struct risk_kept **kept, size_t *count, size_t *bad)
{
	int fd = openat(dir, NAME, O_RDONLY | O_CLOEXEC), rc;
	FILE *in;

	*kept = NULL;
	*count = *bad = 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	in = fdopen(fd, "r");
	if (!in) {
		close(fd);
		return -ENOMEM;
	}
	rc = read_lines(in, kept, count, bad);
	fclose(in);
	if (*count)
		qsort(*kept, *count, sizeof(**kept), by_id);
	return rc;
}

const struct risk_tenant *risk_kept_find(const struct risk_kept *kept, size_t count, uint32_t id)
{
	const struct risk_kept key = {.id = id}, *found;

	found = count ? bsearch(&key, kept, count, sizeof(*kept), by_id) : NULL;
	return found ? &found->tenant : NULL;
}
