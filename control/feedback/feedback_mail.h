/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A mail that came back, in spans of any size: which of the reports it is, and the items that it
 * has. The MIME parser is the dataplane's own. Nothing is allocated; any thread.
 *
 * Only the outermost report is read: what a mail in the mail has in it, another report perhaps,
 * says nothing. That the whole body is one (Content-Type: message/rfc822) makes no difference.
 */
#ifndef POSTERN_CONTROL_FEEDBACK_MAIL_H
#define POSTERN_CONTROL_FEEDBACK_MAIL_H

#include "control/feedback/feedback.h"
#include "control/feedback/feedback_fields.h"
#include "dataplane/proto/mime.h"

#define FEEDBACK_RECIPIENTS 64 /* of one delivery report */

enum feedback_mail_kind {
	FEEDBACK_MAIL_NONE, /* no report, and no mail in it */
	FEEDBACK_MAIL_ARF,
	FEEDBACK_MAIL_FORWARD,
	FEEDBACK_MAIL_DSN,
};

enum feedback_role { /* of the part that is read */
		     FEEDBACK_ROLE_NONE,
		     FEEDBACK_ROLE_REPORT,   /* message/feedback-report */
		     FEEDBACK_ROLE_STATUS,   /* message/delivery-status */
		     FEEDBACK_ROLE_ORIGINAL, /* a copy of the mail, or of its header */
};

struct feedback_recipient {
	char rcpt[FEEDBACK_ADDRESS]; /* the original one before the final one */
	bool is_original;
	char remote[FEEDBACK_HOST];
	char action[FEEDBACK_WORD];
	char status[FEEDBACK_WORD];
	char diagnostic[2 * FEEDBACK_TEXT]; /* codes included */
};

struct feedback_mail {
	struct feedback_item item; /* what all items of the mail have in common */
	/* The caller's, after feedback_mail_init(): fields that tell a tenant, NULL at the end. */
	const char *const *tags;
	bool has_report, has_type, has_status, has_original;
	bool in_block;                  /* per-message fields were read, or there are none */
	uint8_t role;                   /* of the leaf that is open */
	uint16_t container;             /* a mail in the mail, while it is open */
	bool inside;                    /* it is */
	bool is_copy;                   /* it is the mail that the report is about */
	bool header_begun, header_over; /* of an original that is read as text */
	bool beyond;                    /* a block of a recipient that there is no room for */
	uint32_t recipients, left_out;
	struct feedback_recipient recipient[FEEDBACK_RECIPIENTS];
	struct feedback_fields fields;
	struct mime mime;
};

void feedback_mail_init(struct feedback_mail *m);
void feedback_mail_feed(struct feedback_mail *m, struct bytes data);

/* The mail has ended: what it is. */
enum feedback_mail_kind feedback_mail_finish(struct feedback_mail *m);

/*
 * Hands the items of a finished mail out. m->left_out: recipients beyond FEEDBACK_RECIPIENTS, of
 * which there are none. After it only init is allowed.
 */
void feedback_mail_tell(struct feedback_mail *m, const struct feedback_sink *sink);

#endif
