/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Words to the service manager, as sd_notify(3) has them: datagrams to the socket in
 * NOTIFY_SOCKET. Without one all of it does nothing. Never blocks.
 */
#ifndef POSTERN_CONTROL_NOTIFY_H
#define POSTERN_CONTROL_NOTIFY_H

#include <stdint.h>

/* Takes NOTIFY_SOCKET and WATCHDOG_USEC from the environment, so that no child has them. */
void notify_init(void);
void notify_fini(void);

/* "READY=1\nSTATUS=…". 0; -errno: nobody took it. */
int notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "RELOADING=1" with the clock that Type=notify-reload wants. */
int notify_reloading(void);

/* µs between two "WATCHDOG=1" that the manager wants at the latest; 0: it wants none. */
uint64_t notify_watchdog(void);

#endif
