/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text for people: numbers made short, cells of a table, lines that wrap,
 * colour. Text that came from the wire or a file is shown without its control
 * characters: it can't drive the reader's terminal.
 */
#ifndef POSTERN_CONTROL_PAGE_TEXT_H
#define POSTERN_CONTROL_PAGE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PAGE_COLUMNS 100
#define SHORT_SIZE   32 /* room that the functions below need, NUL included */

/* Each writes into buf and returns it. */
const char *short_count(char *buf, uint64_t n);                  /* 12,345, 123 k, 4.56 M */
const char *short_amount(char *buf, double n, const char *unit); /* 1.20 Gbit/s */
const char *short_ratio(char *buf, uint64_t part, uint64_t of);  /* 75.0 %, - if of nothing */
const char *short_duration(char *buf, double seconds);           /* 450 ms, 1 m 30 s, 2 h 5 m */
const char *short_clock(char *buf, uint64_t ns);                 /* 22:46:50, UTC */

enum ink { INK_PLAIN, INK_BOLD, INK_DIM, INK_RED, INK_YELLOW };

struct page_out {
	FILE *file;
	bool colour;
	unsigned column; /* of what is written next, from 0 */
	unsigned indent; /* of a wrapped line */
	bool listed;     /* a list has begun on this line: the next item follows a comma */
};

/* Text in columns: cut with a ~ or padded with blanks; a negative width stands to the right. */
void page_cell(struct page_out *out, enum ink ink, int width, const char *text);

/* As it is, as far as the page is wide. */
void page_rest(struct page_out *out, enum ink ink, const char *text);

/* The same of a path: what is cut is its beginning. */
void page_path(struct page_out *out, enum ink ink, const char *text);

/* However long it is: for what nobody may miss the end of. */
void page_whole(struct page_out *out, enum ink ink, const char *text);

/* A line that says so, where there are no rows. */
void page_none(struct page_out *out);

/* One item of a comma-separated list that wraps at the page's width. */
void page_item(struct page_out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

void page_newline(struct page_out *out);

/* A section's title, after an empty line. */
void page_heading(struct page_out *out, const char *text);

/* Whether colour suits the stream: a terminal, and neither NO_COLOR nor TERM=dumb says no. */
bool page_colour(FILE *file);

#endif
