/* SPDX-License-Identifier: BSD-3-Clause */
/* A sample as an SMTP session (RFC 5321) with a message (RFC 5322, MIME) in it. */
#include <stdio.h>
#include <string.h>

#include "tools/samples/samples_script.h"

enum { CLIENT, SERVER };

#define BOUNDARY "postern-sample-boundary"

static int item_len(const struct sample_item *item)
{
	return (int)item->len;
}

/* The message, before dots are doubled ------------------------------------ */

/* A field with the sample's value, or with the ordinary one. */
static void put_field(struct gen_buffer *out, const struct sample *s, enum rule_buffer buffer,
		      const char *name, const char *ordinary)
{
	const struct sample_item *item = sample_value(s, buffer, 0);

	if (!item && (!ordinary || sample_names_header(s, RULE_BUFFER_EMAIL_HEADER, name)))
		return;
	buffer_printf(out, "%s: ", name);
	if (item)
		buffer_put(out, item->text, item->len);
	else
		buffer_puts(out, ordinary);
	buffer_puts(out, "\r\n");
}

static void put_fields(struct gen_buffer *out, const struct sample *s)
{
	const struct sample_item *item;

	for (unsigned i = 0; (item = sample_value(s, RULE_BUFFER_EMAIL_RECEIVED, i)); i++)
		put_field(out, s, RULE_BUFFER_EMAIL_RECEIVED, "Received", NULL);
	put_field(out, s, RULE_BUFFER_EMAIL_FROM, "From", "Alice Adams <alice@example.com>");
	put_field(out, s, RULE_BUFFER_EMAIL_TO, "To", "Bob Brown <bob@example.net>");
	put_field(out, s, RULE_BUFFER_EMAIL_CC, "Cc", NULL);
	put_field(out, s, RULE_BUFFER_EMAIL_SUBJECT, "Subject", "Minutes");
	put_field(out, s, RULE_BUFFER_EMAIL_DATE, "Date", "Thu, 01 Jan 2026 09:00:00 +0000");
	put_field(out, s, RULE_BUFFER_EMAIL_MESSAGE_ID, "Message-ID",
		  "<20260101090000.4711@example.com>");
	put_field(out, s, RULE_BUFFER_EMAIL_X_MAILER, "X-Mailer", NULL);
	for (unsigned i = 0; (item = sample_value(s, RULE_BUFFER_EMAIL_HEADER, i)); i++) {
		buffer_put(out, item->text, item->len);
		buffer_puts(out, "\r\n");
	}
	if (!sample_names_header(s, RULE_BUFFER_EMAIL_HEADER, "MIME-Version"))
		buffer_puts(out, "MIME-Version: 1.0\r\n");
}

/* What there is to read: body texts, then links, each in a line of its own. */
static void put_text(struct gen_buffer *out, const struct sample *s)
{
	const struct sample_item *item;
	bool any = false;

	for (unsigned i = 0; (item = sample_value(s, RULE_BUFFER_EMAIL_BODY, i)); i++, any = true) {
		buffer_put(out, item->text, item->len);
		buffer_puts(out, "\r\n");
	}
	for (unsigned i = 0; (item = sample_value(s, RULE_BUFFER_EMAIL_URL, i)); i++, any = true) {
		buffer_put(out, item->text, item->len);
		buffer_puts(out, "\r\n");
	}
	if (!any)
		buffer_puts(out, "See you at nine.\r\n");
}

static void put_base64(struct gen_buffer *out, const char *bytes, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		uint32_t v = (uint32_t)(uint8_t)bytes[i] << 16;
		char four[4];

		v |= i + 1 < len ? (uint32_t)(uint8_t)bytes[i + 1] << 8 : 0;
		v |= i + 2 < len ? (uint8_t)bytes[i + 2] : 0;
		for (int d = 0; d < 4; d++)
			four[d] = digits[v >> (18 - 6 * d) & 63];
		if (i + 1 >= len)
			four[2] = '=';
		if (i + 2 >= len)
			four[3] = '=';
		buffer_put(out, four, 4);
		if (i % 57 == 54)
			buffer_puts(out, "\r\n");
	}
	buffer_puts(out, "\r\n");
}

/* RFC 2231 where RFC 2045's quoted string can't hold it. */
static void put_file_name(struct gen_buffer *out, const char *name, size_t len)
{
	bool plain = true;

	for (size_t i = 0; i < len; i++)
		plain = plain && name[i] >= ' ' && name[i] <= '~';
	buffer_puts(out, plain ? "filename=\"" : "filename*=utf-8''");
	for (size_t i = 0; i < len; i++) {
		if (!plain)
			buffer_printf(out, "%%%02X", (uint8_t)name[i]);
		else if (name[i] == '"' || name[i] == '\\')
			buffer_printf(out, "\\%c", name[i]);
		else
			buffer_printf(out, "%c", name[i]);
	}
	buffer_puts(out, plain ? "\"\r\n" : "\r\n");
}

static void put_attachment(struct gen_buffer *out, const struct sample_item *name,
			   const struct sample_item *data)
{
	buffer_puts(out, "--" BOUNDARY "\r\n"
			 "Content-Type: application/octet-stream\r\n"
			 "Content-Transfer-Encoding: base64\r\n"
			 "Content-Disposition: attachment; ");
	if (name)
		put_file_name(out, name->text, name->len);
	else
		put_file_name(out, "data.bin", 8);
	buffer_puts(out, "\r\n");
	if (data)
		put_base64(out, data->text, data->len);
	else
		put_base64(out, "data\n", 5);
}

/* A name goes with the data that has its number. */
static void put_attachments(struct gen_buffer *out, const struct sample *s)
{
	for (unsigned i = 0;; i++) {
		const struct sample_item *name = sample_value(s, RULE_BUFFER_FILE_NAME, i);
		const struct sample_item *data = sample_value(s, RULE_BUFFER_FILE_DATA, i);

		if (!name && !data)
			break;
		put_attachment(out, name, data);
	}
	buffer_puts(out, "--" BOUNDARY "--\r\n");
}

static void put_message(struct gen_buffer *out, const struct sample *s)
{
	static const char text[] = "Content-Type: text/plain; charset=utf-8\r\n"
				   "Content-Transfer-Encoding: 8bit\r\n";
	bool files = sample_value(s, RULE_BUFFER_FILE_NAME, 0) ||
		     sample_value(s, RULE_BUFFER_FILE_DATA, 0);

	put_fields(out, s);
	if (files)
		buffer_puts(out, "Content-Type: multipart/mixed; boundary=\"" BOUNDARY "\"\r\n\r\n"
				 "--" BOUNDARY "\r\n");
	if (files || !sample_names_header(s, RULE_BUFFER_EMAIL_HEADER, "Content-Type"))
		buffer_puts(out, text);
	buffer_puts(out, "\r\n");
	put_text(out, s);
	if (files)
		put_attachments(out, s);
}

/* The session ------------------------------------------------------------- */

/* As DATA carries it (RFC 5321 4.5.2). Cuts stay where they stood in the text. */
static void say_data(struct script *script, const struct sample_item *mail, const char *text,
		     size_t len)
{
	size_t cut = 0;

	for (size_t i = 0; i < len; i++) {
		for (; mail && cut < mail->cut_count && mail->cuts[cut] <= i; cut++)
			if (script->cut_count < SCRIPT_CUTS)
				script->cuts[script->cut_count++] = script->bytes.len;
		if (text[i] == '.' && (i == 0 || text[i - 1] == '\n'))
			script_say(script, CLIENT, ".", 1);
		script_say(script, CLIENT, text + i, 1);
	}
	script_say(script, CLIENT, ".\r\n", 3);
}

static void say_message(struct script *script, const struct sample *s)
{
	struct gen_buffer message = {0};

	for (size_t i = 0; i < s->count; i++) {
		if (s->items[i].kind != SAMPLE_MAIL)
			continue;
		say_data(script, &s->items[i], s->items[i].text, s->items[i].len);
		return;
	}
	put_message(&message, s);
	say_data(script, NULL, (const char *)message.bytes, message.len);
	buffer_free(&message);
}

static bool has_code(const struct sample_item *line)
{
	return line->len >= 4 && line->text[0] >= '2' && line->text[0] <= '5' &&
	       (line->text[3] == ' ' || line->text[3] == '-');
}

/* How the server answers the message: the lines of the sample's reply, or yes. */
static void say_reply(struct script *script, const struct sample *s)
{
	const struct sample_item *code = sample_value(s, RULE_BUFFER_SMTP_REPLY_CODE, 0);
	const struct sample_item *line = sample_value(s, RULE_BUFFER_SMTP_REPLY_TEXT, 0);

	if (!line) {
		script_says(script, SERVER, "%.*s Ok\r\n", code ? item_len(code) : 3,
			    code ? code->text : "250");
		return;
	}
	for (unsigned i = 0; (line = sample_value(s, RULE_BUFFER_SMTP_REPLY_TEXT, i)); i++) {
		bool more = sample_value(s, RULE_BUFFER_SMTP_REPLY_TEXT, i + 1);

		if (!has_code(line))
			script_says(script, SERVER, "%.*s%c", code ? item_len(code) : 3,
				    code ? code->text : "550", more ? '-' : ' ');
		script_say(script, SERVER, line->text, line->len);
		script_say(script, SERVER, "\r\n", 2);
	}
}

static void say_recipients(struct script *script, const struct sample *s)
{
	const struct sample_item *to;

	if (!sample_value(s, RULE_BUFFER_SMTP_RCPT_TO, 0)) {
		script_says(script, CLIENT, "RCPT TO:<bob@example.net>\r\n");
		script_says(script, SERVER, "250 2.1.5 Ok\r\n");
	}
	for (unsigned i = 0; (to = sample_value(s, RULE_BUFFER_SMTP_RCPT_TO, i)); i++) {
		script_says(script, CLIENT, "RCPT TO:<%.*s>\r\n", item_len(to), to->text);
		script_says(script, SERVER, "250 2.1.5 Ok\r\n");
	}
}

static void say_session(struct script *script, const struct sample *s)
{
	const struct sample_item *helo = sample_value(s, RULE_BUFFER_SMTP_HELO, 0);
	const struct sample_item *from = sample_value(s, RULE_BUFFER_SMTP_MAIL_FROM, 0);

	script_says(script, SERVER, "220 mx.example.net ESMTP\r\n");
	script_says(script, CLIENT, "EHLO %.*s\r\n", helo ? item_len(helo) : 16,
		    helo ? helo->text : "mail.example.com");
	script_says(script, SERVER, "250-mx.example.net\r\n250-SMTPUTF8\r\n250 8BITMIME\r\n");
	script_says(script, CLIENT, "MAIL FROM:<%.*s>\r\n", from ? item_len(from) : 17,
		    from ? from->text : "alice@example.com");
	script_says(script, SERVER, "250 2.1.0 Ok\r\n");
	say_recipients(script, s);
	script_says(script, CLIENT, "DATA\r\n");
	script_says(script, SERVER, "354 Go on\r\n");
	say_message(script, s);
	say_reply(script, s);
	script_says(script, CLIENT, "QUIT\r\n");
	script_says(script, SERVER, "221 2.0.0 Bye\r\n");
}

void script_write_mail(struct script *script, const struct sample *s)
{
	if (s->items[0].kind != SAMPLE_CLIENT && s->items[0].kind != SAMPLE_SERVER) {
		say_session(script, s);
		return;
	}
	for (size_t i = 0; i < s->count; i++)
		script_say_item(script, s->items[i].kind == SAMPLE_SERVER, &s->items[i]);
}
