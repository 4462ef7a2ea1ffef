/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Texts of rules on the disk. A file is
 *
 *     postern-rules 1 FILES
 *     KIND NAME-BYTES TEXT-BYTES
 *     …the name, the text and a line's end; and so on for each file
 *
 * called by the digest of what is in it. KIND: r, rules; d, what rules load.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/rules/rules_text.h"

#define SUFFIX    ".rules"
#define HEAD      "postern-rules 1 "
#define NAME_SIZE 48
#define PATH_SIZE 4096 /* of a file's name within */

static int open_dir(const char *path)
{
	int fd;

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool write_files(const struct rules_text *t, FILE *out)
{
	fprintf(out, HEAD "%zu\n", t->count);
	for (size_t i = 0; i < t->count; i++) {
		const struct rules_file *f = &t->files[i];

		fprintf(out, "%c %zu %zu\n%s", f->data ? 'd' : 'r', strlen(f->name), f->len,
			f->name);
		if (f->len)
			fwrite(f->text, 1, f->len, out);
		fputc('\n', out);
	}
	return !ferror(out) && fflush(out) == 0 && fsync(fileno(out)) == 0;
}

static int write_file(const struct rules_text *t, int dir, const char *name)
{
	char fresh[NAME_SIZE + 8];
	FILE *out;
	int fd, rc = 0;

	snprintf(fresh, sizeof(fresh), "%s.new", name);
	fd = openat(dir, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	out = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!out) {
		rc = -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	errno = EIO;
	if (!write_files(t, out))
		rc = -errno;
	if (fclose(out) != 0 && !rc)
		rc = -errno;
	if (!rc && (renameat(dir, fresh, dir, name) != 0 || fsync(dir) != 0))
		rc = -errno;
	if (rc)
		unlinkat(dir, fresh, 0);
	return rc;
}

int rules_text_store(const struct rules_text *t, const char *dir,
		     const char digest[RULES_DIGEST_SIZE])
{
	struct rules_text there = {0};
	char name[NAME_SIZE];
	int fd, rc;

	rc = rules_text_read(&there, dir, digest);
	rules_text_fini(&there);
	fd = open_dir(dir);
	if (fd < 0)
		return fd;
	snprintf(name, sizeof(name), "%s" SUFFIX, digest);
	if (rc)
		rc = write_file(t, fd, name);
	else
		utimensat(fd, name, NULL, 0);
	close(fd);
	return rc;
}

/* Reading */

static int read_part(FILE *in, char *to, size_t len)
{
	return fread(to, 1, len, in) == len ? 0 : -EBADMSG;
}

static int read_file(struct rules_text *t, FILE *in)
{
	size_t name_len, len;
	char name[PATH_SIZE], kind, *text;
	int rc;

	if (fscanf(in, "%c %zu %zu", &kind, &name_len, &len) != 3 || getc(in) != '\n' ||
	    (kind != 'r' && kind != 'd') || name_len >= sizeof(name) || len > RULES_TEXT_MAX ||
	    read_part(in, name, name_len))
		return -EBADMSG;
	name[name_len] = '\0';
	text = malloc(len + 1);
	if (!text)
		return -ENOMEM;
	rc = read_part(in, text, len);
	if (!rc && getc(in) != '\n')
		rc = -EBADMSG;
	if (!rc)
		rc = rules_text_add(t, name, kind == 'd', text, len);
	free(text);
	return rc;
}

static int read_files(struct rules_text *t, FILE *in)
{
	size_t files;
	int rc = 0;

	if (fscanf(in, HEAD "%zu", &files) != 1 || getc(in) != '\n' || files > RULES_FILES_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < files && !rc; i++)
		rc = read_file(t, in);
	if (!rc && (getc(in) != EOF || t->count != files))
		rc = -EBADMSG;
	return rc;
}

/* What becomes the name of a file was in a file itself. */
static bool is_digest(const char *text)
{
	return strlen(text) == RULES_DIGEST_SIZE - 1 &&
	       strspn(text, "0123456789abcdef") == RULES_DIGEST_SIZE - 1;
}

static int path_of(const char *dir, const char *digest, char path[PATH_SIZE])
{
	if (!is_digest(digest))
		return -ENOENT;
	return snprintf(path, PATH_SIZE, "%s/%s" SUFFIX, dir, digest) < PATH_SIZE ? 0
										  : -ENAMETOOLONG;
}

bool rules_text_is_kept(const char *dir, const char *digest)
{
	char path[PATH_SIZE];

	return path_of(dir, digest, path) == 0 && access(path, R_OK) == 0;
}

int rules_text_read(struct rules_text *t, const char *dir, const char *digest)
{
	char path[PATH_SIZE], found[RULES_DIGEST_SIZE];
	FILE *in;
	int rc = path_of(dir, digest, path);

	if (rc)
		return rc;
	in = fopen(path, "re");
	if (!in)
		return -errno;
	rc = read_files(t, in);
	fclose(in);
	rules_text_digest(t, found);
	if (!rc && strcmp(found, digest) != 0)
		rc = -EBADMSG;
	if (rc)
		rules_text_fini(t);
	return rc;
}

/* Trimming */

struct stored {
	char name[NAME_SIZE];
	uint64_t size;
	size_t rank; /* the place among the wanted ones; `count`: none wants it */
};

static int rank_order(const void *pa, const void *pb)
{
	const struct stored *a = pa, *b = pb;

	return (a->rank > b->rank) - (a->rank < b->rank);
}

static size_t rank_of(const char *name, const char *const *wanted, size_t count)
{
	size_t i = 0;

	while (i < count && strncmp(name, wanted[i], RULES_DIGEST_SIZE - 1) != 0)
		i++;
	return i;
}

static size_t list_stored(DIR *dir, const char *const *wanted, size_t count, struct stored **list)
{
	const struct dirent *entry;
	size_t n = 0, room = 0;
	struct stat st;

	while ((entry = readdir(dir))) {
		const char *dot = strchr(entry->d_name, '.');

		if (!dot || dot - entry->d_name != RULES_DIGEST_SIZE - 1 ||
		    strlen(entry->d_name) >= NAME_SIZE ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (n == room) {
			struct stored *more =
				reallocarray(*list, room ? room * 2 : 64, sizeof(*more));

			if (!more)
				break;
			room = room ? room * 2 : 64;
			*list = more;
		}
		(*list)[n] = (struct stored){
			.size = (uint64_t)st.st_size,
			.rank = strcmp(dot, SUFFIX) ? count
						    : rank_of(entry->d_name, wanted, count)};
		strcpy((*list)[n++].name, entry->d_name);
	}
	return n;
}

void rules_text_trim(const char *path, const char *const *wanted, size_t count, uint64_t limit)
{
	DIR *dir = opendir(path);
	struct stored *list = NULL;
	uint64_t total = 0;
	size_t n;

	if (!dir)
		return;
	n = list_stored(dir, wanted, count, &list);
	if (n)
		qsort(list, n, sizeof(*list), rank_order);
	for (size_t i = 0; i < n; i++) {
		total += list[i].size;
		/* The first one is in force. */
		if (list[i].rank == count || (i && total > limit))
			unlinkat(dirfd(dir), list[i].name, 0);
	}
	free(list);
	closedir(dir);
}
