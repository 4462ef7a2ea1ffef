/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a dataplane knows of tenants' recipients (known_set.h), and how many different ones each has
 * today, in a file: so that after a restart nobody is new who was known before. The file has the
 * key of the hashes in it, and no address; it is the dataplane's user's alone.
 *
 * Host byte order, one machine, one version; a checksum over all of it. Another version, another
 * size of the table, a file that is torn or damaged, or one of more than 200 days ago is as none.
 */
#ifndef POSTERN_KNOWN_FILE_H
#define POSTERN_KNOWN_FILE_H

#include "bpf/policy.h"
#include "dataplane/smtp/mail_watch.h"

#define KNOWN_WORDS 128

/*
 * Before the workers run; `now`: ns since 1970. 0: `watch` is as it was when the file was written.
 * -ENOENT: there is none; another -errno with words: `watch` is as it was before.
 */
int known_file_read(const char *path, struct mail_watch *watch, const struct policy *policy,
		    uint64_t now, char words[KNOWN_WORDS]);

/*
 * Any thread, while workers go on: what they write meanwhile is in it or isn't. Takes a moment, and
 * waits for the disk. The file is there as a whole or as it was before. 0 or -errno.
 */
int known_file_write(const char *path, const struct mail_watch *watch, uint64_t now);

#endif
