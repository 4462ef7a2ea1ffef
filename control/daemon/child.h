/* SPDX-License-Identifier: BSD-3-Clause */
/* What posternd does where it must not wait: in a child within bounds. */
#ifndef POSTERN_CONTROL_CHILD_H
#define POSTERN_CONTROL_CHILD_H

#include <stdint.h>

/*
 * In the child, first of all: no signals of posternd's, no capabilities; it ends with posternd, or
 * when it takes more than `memory` bytes beside what posternd has, or `time` ns of a CPU. `parent`:
 * posternd's getpid(), of before the fork; without it this doesn't return.
 */
void child_confine(const char *name, int parent, uint64_t memory, uint64_t time);

/* In posternd: it has ended, or is about to; its status as of waitpid(). */
int child_wait(int pid);

/* How it ended in words, unless it was well: "the NAME was killed by signal 9 (Killed)". */
void child_explain(const char *name, int status, char *why, unsigned long size);

#endif
