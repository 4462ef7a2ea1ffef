/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/base/privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* What each is for: said in docs/operator.md too. */
static const struct {
	int capability;
	bool bpf, dataplane, root;
} needed[] = {
	{CAP_BPF, true, true, false},       /* load and attach programs, open maps */
	{CAP_NET_ADMIN, true, true, false}, /* attach to interfaces, their queues and features */
	{CAP_PERFMON, true, true, false},   /* programs that compare pointers */
	{CAP_NET_RAW, false, true, false},  /* AF_XDP and packet sockets */
	{CAP_IPC_LOCK, false, true, false}, /* memory that the card writes to */
	{CAP_SYS_NICE, false, true, false}, /* bind memory to a node */
	{CAP_DAC_OVERRIDE, false, false, true}, /* files of any user */
};

int privilege_user(const char *name, uid_t *uid, gid_t *gid)
{
	const struct passwd *user = getpwnam(name);

	if (!user)
		return -ENOENT;
	*uid = user->pw_uid;
	*gid = user->pw_gid;
	return 0;
}

static void choose(const struct privilege_needs *needs, bool root)
{
	bool there[sizeof(needed) / sizeof(needed[0])];

	capng_get_caps_process();
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		there[i] = capng_have_capability(CAPNG_PERMITTED, (unsigned)needed[i].capability);
	capng_clear(CAPNG_SELECT_BOTH);
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		bool wanted = (needs->bpf && needed[i].bpf) ||
			      (needs->dataplane && needed[i].dataplane) || (root && needed[i].root);

		if (wanted && there[i])
			capng_update(CAPNG_ADD,
				     (capng_type_t)(CAPNG_EFFECTIVE | CAPNG_PERMITTED |
						    CAPNG_INHERITABLE | CAPNG_BOUNDING_SET),
				     (unsigned)needed[i].capability);
	}
}

static void describe(char *kept, size_t size)
{
	size_t used = 0;

	kept[0] = '\0';
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]) && used < size; i++) {
		unsigned capability = (unsigned)needed[i].capability;

		if (capng_have_capability(CAPNG_EFFECTIVE, capability))
			used += (size_t)snprintf(kept + used, size - used, "%s%s", used ? " " : "",
						 capng_capability_to_name(capability));
	}
	if (!used)
		snprintf(kept, size, "none");
}

static int become(const char *user)
{
	const struct passwd *entry = getpwnam(user);

	if (!entry)
		return -ENOENT;
	/* Keeps what was chosen over the change, as setuid(2) alone would not. */
	if (capng_change_id((int)entry->pw_uid, (int)entry->pw_gid,
			    CAPNG_INIT_SUPP_GRP | CAPNG_CLEAR_BOUNDING) != 0)
		return -EPERM;
	return 0;
}

int privilege_drop(const char *user, const struct privilege_needs *needs, char *kept, size_t size)
{
	int rc = 0;

	/* Who stays root by choice has no less of the file system than root. */
	choose(needs, !*user && geteuid() == 0);
	if (*user && geteuid() == 0) {
		rc = become(user);
	} else if (*user) {
		uid_t uid;
		gid_t gid;

		rc = privilege_user(user, &uid, &gid);
		if (!rc && uid != geteuid())
			rc = -EPERM;
	} else if (capng_apply(geteuid() == 0 ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) != 0) {
		rc = -EPERM;
	}
	if (rc) {
		snprintf(kept, size,
			 rc == -ENOENT ? "there is no user \"%s\" (gate.user)"
				       : "can't become \"%s\" (gate.user)",
			 user);
		return rc;
	}
	capng_get_caps_process();
	describe(kept, size);
	return 0;
}

void privilege_inherit(void)
{
	capng_get_caps_process();
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (capng_have_capability(CAPNG_INHERITABLE, (unsigned)needed[i].capability))
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, needed[i].capability, 0, 0);
}

void privilege_none(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (geteuid() == 0)
		return; /* its files may be any user's */
	capng_clear(CAPNG_SELECT_BOTH);
	capng_apply(CAPNG_SELECT_CAPS);
}
