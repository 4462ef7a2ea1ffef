/* SPDX-License-Identifier: BSD-3-Clause */
/* From root to an ordinary user who keeps a few capabilities. Once, at the start. */
#ifndef POSTERN_CONTROL_PRIVILEGE_H
#define POSTERN_CONTROL_PRIVILEGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct privilege_needs {
	bool bpf;       /* programs and maps of the kernel's, interfaces */
	bool dataplane; /* starts a dataplane that opens ports */
};

/* The user by name. 0 or -ENOENT. */
int privilege_user(const char *name, uid_t *uid, gid_t *gid);

/*
 * Becomes `user` ("": stays who it is) and keeps what is needed and there. `kept`: in words, for
 * logs and people. 0 or -errno, with which step failed in `kept`.
 */
int privilege_drop(const char *user, const struct privilege_needs *needs, char *kept, size_t size);

/* In a child that execs the dataplane: hands the capabilities on. */
void privilege_inherit(void);

/* In a child that only reads files: no capabilities, and none by exec. */
void privilege_none(void);

#endif
