/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Recipients that bounced (AUP-SUPPRESS-LEARNED): the dataplane refuses them at once and tells
 * their hashes (EVENT_BOUNCED); here they come to the tenant's list `suppressed`, some seconds
 * later and many at once, and outlive both programs. No address comes here; numbers of people who
 * want to be left alone (AUP-SMS, AUP-DNC) do, and come to lists in the same way. The event loop's
 * thread.
 */
#ifndef POSTERN_CONTROL_LIST_LEARN_H
#define POSTERN_CONTROL_LIST_LEARN_H

#include <stdint.h>

struct daemon;
struct event_head;
struct list_learned;

/* Without memory nothing is learned. */
void list_learn_open(struct daemon *daemon);
void list_learn_close(struct daemon *daemon);

/* A record of EVENT_BOUNCED. */
void list_learn_take(struct daemon *daemon, const struct event_head *head);

/* A hard bounce that came back outside of the gate (control/feedback/feedback_run.h): the same.
 * `hash`: that of the list's entry, 0: of none. */
void list_learn_bounced(struct daemon *daemon, uint32_t slot, uint64_t hash);

/*
 * A record: where it is a verdict about a recipient who wants no more texts (`sms`), or a callee
 * who wants no more calls and is to have none (`dnc`), the number comes to the tenant's list.
 */
void list_learn_told(struct daemon *daemon, const struct event_head *head);

/*
 * Writes what waits, unless a change to the lists is under way. 0, -EAGAIN: not all of it, or
 * -errno. Before somebody takes entries off the list.
 */
int list_learn_write(struct daemon *daemon);

/* ns since 1970: whatever bounced before has come to the list. NULL: 0. */
uint64_t list_learn_settled(const struct list_learned *learned);

#endif
