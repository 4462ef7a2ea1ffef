/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs a fuzz target once over every file named or found below the folders
 * named: what the ordinary test suite links in libFuzzer's place. Any input is
 * good for any target, so all of them read all spec documents.
 *
 * Exits 0 when the target came back from every input; 1 when a file can't be
 * read or there was none, which would make the test worth nothing.
 */
#include <errno.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX   (1 << 20) /* bytes; libFuzzer's own default is 1 MiB too */
#define FOLDERS_MAX 16        /* descriptors nftw may hold */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int inputs;

/* In a block of exactly its size, so that a sanitizer sees the first byte read beyond it. */
static int input_run(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);

	if (!exact)
		return -ENOMEM;
	memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	inputs++;
	return 0;
}

static int file_run(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	static uint8_t buf[INPUT_MAX];
	FILE *f;
	size_t n;
	int err;

	if (type == FTW_D || type == FTW_DP)
		return 0;
	f = fopen(path, "rb");
	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	n = fread(buf, 1, sizeof(buf), f);
	err = ferror(f) ? -EIO : input_run(buf, n);
	fclose(f);
	if (err)
		fprintf(stderr, "%s: %s\n", path, strerror(-err));
	return err != 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int err = nftw(argv[i], file_run, FOLDERS_MAX, FTW_PHYS);

		if (err < 0)
			fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
		if (err)
			return 1;
	}
	printf("%u inputs\n", inputs);
	return inputs ? 0 : 1;
}
