/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule files on disk. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/rules/ruleset_build.h"

#define RULE_FILE_MAX (256u << 20) /* bytes */

static int say_errno(struct rule_diags *diags, const char *path, int error)
{
	rule_diag_add(diags, RULE_ERROR, (struct rule_place){.file = path}, 0, "%s",
		      strerror(error));
	return -error;
}

static int read_all(int fd, char *text, size_t size, size_t *len)
{
	*len = 0;
	while (*len < size) {
		ssize_t n = read(fd, text + *len, size - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		*len += (size_t)n;
	}
	return 0;
}

/* Who is told of each file. */
struct each {
	struct rule_diags *diags;
	void (*file)(void *ctx, const char *path, const char *text, size_t len);
	void *ctx;
};

static int load_file(const struct each *each, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	struct stat st;
	char *text = NULL;
	size_t len = 0;

	if (fd < 0)
		return say_errno(each->diags, path, errno);
	if (fstat(fd, &st) < 0)
		rc = -errno;
	else if (!S_ISREG(st.st_mode))
		rc = -EINVAL;
	else if (st.st_size > RULE_FILE_MAX)
		rc = -EFBIG;
	else if (!(text = malloc((size_t)st.st_size + 1)))
		rc = -ENOMEM;
	else
		rc = read_all(fd, text, (size_t)st.st_size, &len);
	if (rc < 0)
		say_errno(each->diags, path, -rc);
	else
		each->file(each->ctx, path, text, len);
	free(text);
	close(fd);
	return rc;
}

static int load_dir(const struct each *each, const char *path)
{
	char *pattern;
	glob_t found;
	int rc = 0;

	/* A path's own wildcards must not be any; glob() sorts. */
	if (strpbrk(path, "*?["))
		return say_errno(each->diags, path, EINVAL);
	if (asprintf(&pattern, "%s/*.rules", path) < 0)
		return -ENOMEM;
	if (glob(pattern, GLOB_ERR, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			int one = load_file(each, found.gl_pathv[i]);

			rc = rc ? rc : one;
		}
		globfree(&found);
	} else {
		rc = say_errno(each->diags, pattern, ENOENT);
	}
	free(pattern);
	return rc;
}

int rules_each_file(struct rule_diags *diags, const char *path,
		    void (*file)(void *ctx, const char *path, const char *text, size_t len),
		    void *ctx)
{
	const struct each each = {diags, file, ctx};
	struct stat st;

	if (stat(path, &st) < 0)
		return say_errno(diags, path, errno);
	return S_ISDIR(st.st_mode) ? load_dir(&each, path) : load_file(&each, path);
}

struct parsing {
	struct rule_list *list;
	struct rule_diags *diags;
	const struct rule_vars *vars;
};

static void parse_file(void *ctx, const char *path, const char *text, size_t len)
{
	const struct parsing *p = ctx;

	rules_parse(p->list, p->diags, p->vars, path, text, len);
}

int rules_load_path(struct rule_list *list, struct rule_diags *diags, const struct rule_vars *vars,
		    const char *path)
{
	struct parsing p = {list, diags, vars};

	return rules_each_file(diags, path, parse_file, &p);
}
