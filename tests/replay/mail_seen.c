/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/replay/mail_seen.h"

#include <stdio.h>
#include <stdlib.h>

static void copy(char *to, size_t cap, struct bytes from)
{
	size_t n = from.len < cap - 1 ? from.len : cap - 1;

	if (n)
		memcpy(to, from.p, n);
	to[n] = 0;
}

static struct seen_part *part_at(struct seen_mail *seen, uint16_t index)
{
	if (index < SEEN_PARTS)
		return &seen->part[index];
	fprintf(stderr, "a mail with more than %d parts\n", SEEN_PARTS);
	exit(1);
}

static void on_header(void *ctx, const struct mime_header *h)
{
	struct seen_mail *seen = ctx;

	if (h->part != 0)
		return;
	seen->headers++;
	if (seen->has[h->id])
		return;
	seen->has[h->id] = true;
	copy(seen->raw[h->id], SEEN_STRING, h->raw);
	if (h->id == MIME_HEADER_SUBJECT)
		copy(seen->subject, SEEN_STRING, h->value);
}

static void on_part_begin(void *ctx, const struct mime_part *p)
{
	struct seen_mail *seen = ctx;
	struct seen_part *part = part_at(seen, p->index);

	seen->parts = p->index + 1u;
	*part = (struct seen_part){
		.leaf = p->kind != MIME_MESSAGE && !p->stray,
		.stray = p->stray,
		.kind = p->kind,
		.encoding = p->encoding,
		.disposition = p->disposition,
		.sha = EVP_MD_CTX_new(),
	};
	copy(part->type, sizeof(part->type), p->type);
	copy(part->filename, sizeof(part->filename), p->filename);
	EVP_DigestInit_ex(part->sha, EVP_sha256(), NULL);
}

/* A multipart without parts is a leaf to Python, its preamble the content. */
static void on_data(void *ctx, uint16_t index, enum mime_data kind, struct bytes data)
{
	struct seen_mail *seen = ctx;
	struct seen_part *part = part_at(seen, index);

	if (kind == MIME_DATA_OUTSIDE)
		return;
	part->bytes += data.len;
	EVP_DigestUpdate(part->sha, data.p, data.len);
}

static void on_part_end(void *ctx, uint16_t index)
{
	struct seen_mail *seen = ctx;
	struct seen_part *part = part_at(seen, index);
	uint8_t digest[32];

	if (part->kind == MIME_MULTIPART && seen->parts > index + 1u &&
	    !seen->part[index + 1].stray)
		part->leaf = false;
	EVP_DigestFinal_ex(part->sha, digest, NULL);
	EVP_MD_CTX_free(part->sha);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(part->sha256 + 2 * i, 3, "%02x", digest[i]);
}

static const struct mime_sink sink = {
	.header = on_header,
	.part_begin = on_part_begin,
	.data = on_data,
	.part_end = on_part_end,
};

void mail_see(struct seen_mail *seen, const uint8_t *data, size_t len, size_t piece)
{
	static struct mime m;

	seen->headers = 0;
	seen->parts = 0;
	seen->subject[0] = 0;
	memset(seen->has, 0, sizeof(seen->has));
	mime_init(&m);
	for (size_t at = 0; at < len; at += piece)
		mime_feed(&m, data + at, len - at < piece ? len - at : piece, &sink, seen);
	mime_finish(&m, &sink, seen);
}
