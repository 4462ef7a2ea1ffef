/* SPDX-License-Identifier: BSD-3-Clause */
/* Changes of one tenant by command: in its slot at once, and in the state. Event loop. */
#ifndef POSTERN_CONTROL_TENANT_CHANGE_H
#define POSTERN_CONTROL_TENANT_CHANGE_H

#include "control/daemon/command.h"

/* Suspensions whose time is over end. */
/* Suspends as a case's end does, until it is resumed. */
void tenant_suspend_by_case(struct daemon *daemon, uint32_t slot, const char *reason);

void tenants_expire(struct daemon *daemon);

/* Those that have been suspended for gate.close_after are closed: their mail is refused for good.
 */
void tenants_close(struct daemon *daemon);

/* The functions of the table. */
enum command_outcome run_tenant_suspend(struct request *request, json_t **result);
enum command_outcome run_tenant_resume(struct request *request, json_t **result);
enum command_outcome run_limits_set(struct request *request, json_t **result);

/*
 * The slot of the tenant that the argument "tenant" names; 0 after request_error().
 */
uint32_t request_tenant(struct request *request);

/* The same where it may be left out: *slot is 0 then. false: request_error() was called. */
bool request_tenant_option(struct request *request, uint32_t *slot);

#endif
