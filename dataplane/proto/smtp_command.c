/* SPDX-License-Identifier: BSD-3-Clause */
/* A command line's parts: verb, argument, address, ESMTP parameters, chunk size. */
#include "dataplane/proto/smtp_internal.h"

static const char *const verb_names[SMTP_VERB_COUNT] = {
	[SMTP_UNKNOWN] = "unknown",
#define X(name) [SMTP_##name] = #name,
	SMTP_VERBS(X)
#undef X
		[SMTP_GREETING] = "greeting",
	[SMTP_DATA_END] = "data end",
	[SMTP_BDAT_LAST] = "BDAT LAST",
	[SMTP_AUTH_LINE] = "AUTH line",
	[SMTP_UNSOLICITED] = "unsolicited",
};

const char *smtp_verb_name(enum smtp_verb verb)
{
	return verb_names[verb];
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct bytes skip(struct bytes s, size_t n)
{
	return bytes_of(s.p + n, s.len - n);
}

static struct bytes skip_blanks(struct bytes s)
{
	while (s.len && is_blank(s.p[0]))
		s = skip(s, 1);
	return s;
}

/* Up to the first blank. */
static struct bytes take_token(struct bytes *s)
{
	struct bytes token = bytes_of(s->p, 0);

	while (token.len < s->len && !is_blank(s->p[token.len]))
		token.len++;
	*s = skip(*s, token.len);
	return token;
}

static enum smtp_verb verb_find(struct bytes name)
{
	for (enum smtp_verb verb = SMTP_UNKNOWN + 1; verb < SMTP_GREETING; verb++)
		if (bytes_eq(name, bytes_of(verb_names[verb], strlen(verb_names[verb]))))
			return verb;
	return SMTP_UNKNOWN;
}

/*
 * Bytes of a path up to `stop` or a blank, quoted strings (RFC 5321 4.1.2)
 * whole. Where a quote never closes, it is an ordinary character.
 */
static size_t path_length(struct bytes s, uint8_t stop)
{
	bool quoted = false;
	size_t i = 0, open = 0;

	while (i < s.len) {
		if (quoted && s.p[i] == '\\' && i + 1 < s.len) {
			i++;
		} else if (s.p[i] == '"') {
			quoted = !quoted;
			open = i;
		} else if (!quoted && (s.p[i] == stop || is_blank(s.p[i]))) {
			return i;
		}
		i++;
	}
	if (!quoted)
		return s.len;
	for (i = open; i < s.len; i++)
		if (s.p[i] == stop || is_blank(s.p[i]))
			break;
	return i;
}

/* "@a,@b:user@c" is user@c (RFC 5321 4.1.1.3: servers must ignore the route). */
static struct bytes strip_route(struct bytes path)
{
	const uint8_t *colon = path.len && path.p[0] == '@' ? bytes_chr(path, ':') : NULL;

	return colon ? skip(path, (size_t)(colon - path.p) + 1) : path;
}

/*
 * "FROM:<path> parameters" (RFC 5321 4.1.1.2, 4.1.1.3). As receivers do, lets
 * pass blanks around the colon, a missing colon before "<", missing brackets.
 */
static void parse_path(struct smtp_command *command, struct bytes keyword)
{
	struct bytes rest = command->argument;
	size_t n;

	if (!bytes_case_starts(rest, keyword))
		return;
	rest = skip_blanks(skip(rest, keyword.len));
	if (rest.len && rest.p[0] == ':')
		rest = skip_blanks(skip(rest, 1));
	else if (!rest.len || rest.p[0] != '<')
		return;
	if (!rest.len)
		return;
	if (rest.p[0] == '<') {
		rest = skip_blanks(skip(rest, 1));
		n = path_length(rest, '>');
		command->address = strip_route(bytes_of(rest.p, n));
		rest = skip_blanks(skip(rest, n));
		if (rest.len && rest.p[0] == '>')
			rest = skip(rest, 1);
	} else {
		n = path_length(rest, ' ');
		command->address = strip_route(bytes_of(rest.p, n));
		rest = skip(rest, n);
	}
	command->has_address = true;
	command->params = bytes_trim(rest);
}

/*
 * "BDAT size [LAST]", size = 1*20DIGIT (RFC 3030 2). A size that is missing,
 * signed, no number or beyond 2^63 is none: servers refuse it and read on.
 */
static void parse_bdat(struct smtp_command *command)
{
	struct bytes rest = command->argument, size = take_token(&rest);
	uint64_t n = 0;

	for (size_t i = 0; i < size.len; i++) {
		if (!ascii_isdigit(size.p[i]) || n > (INT64_MAX - 9) / 10)
			return;
		n = n * 10 + (size.p[i] - '0');
	}
	rest = bytes_trim(rest);
	if (!size.len || (rest.len && !bytes_caseeq(rest, BYTES("LAST"))))
		return;
	command->sized = true;
	command->chunk = n;
	command->last = rest.len != 0;
}

static bool is_text(struct bytes s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e)
			return false;
	return true;
}

static bool is_name_byte(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || ascii_isdigit(c) || c == '-' || c == '_';
}

/*
 * Letters, digits, "-" and "_", then a blank, ":" or the line's end. What else
 * clients write where a verb belongs has one name for all, "?".
 */
static struct bytes verb_name(struct bytes token, uint8_t *name)
{
	size_t n = 0;

	for (; n < token.len && n < SMTP_NAME_MAX; n++) {
		name[n] = ascii_upper(token.p[n]);
		if (!is_name_byte(name[n]))
			break;
	}
	if (!n || (n < token.len && token.p[n] != ':'))
		return BYTES("?");
	return bytes_of(name, n);
}

bool smtp_command_parse(struct bytes line, struct smtp_command *command, uint8_t *name)
{
	struct bytes token;

	if (line.len && line.p[line.len - 1] == '\r')
		line.len--;
	line = skip_blanks(line);
	token = take_token(&line);
	if (!is_text(token))
		return false;
	command->name = verb_name(token, name);
	/* "DATA:" is a header's name or a typing error, and no command. */
	if (command->name.len == token.len)
		command->verb = verb_find(command->name);
	command->argument = bytes_trim(line);
	if (command->verb == SMTP_MAIL)
		parse_path(command, BYTES("FROM"));
	else if (command->verb == SMTP_RCPT)
		parse_path(command, BYTES("TO"));
	else if (command->verb == SMTP_BDAT)
		parse_bdat(command);
	else if (command->verb == SMTP_AUTH)
		command->argument = take_token(&command->argument);
	return true;
}

bool smtp_command_sure(const struct smtp_command *command)
{
	switch (command->verb) {
	case SMTP_MAIL:
	case SMTP_RCPT:
		return command->has_address;
	case SMTP_BDAT:
		return command->sized;
	case SMTP_DATA:
	case SMTP_RSET:
	case SMTP_QUIT:
	case SMTP_NOOP:
	case SMTP_STARTTLS:
		return !command->argument.len;
	case SMTP_EHLO:
	case SMTP_HELO:
	case SMTP_AUTH:
		return command->argument.len && !bytes_chr(command->argument, ' ');
	default:
		return false;
	}
}

bool smtp_command_may_be_withheld(const uint8_t *line, size_t len)
{
	static const char *const verbs[] = {"HELO", "EHLO", "MAIL", "RCPT"};
	struct bytes rest = skip_blanks(bytes_of(line, len));
	struct bytes verb = take_token(&rest);

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (verb.len <= 4 && bytes_caseeq(verb, bytes_of(verbs[i], verb.len)))
			return verb.len == 4 || !rest.len;
	return false;
}

size_t smtp_command_carry(const uint8_t *line, size_t len)
{
	struct bytes rest = skip_blanks(bytes_of(line, len));
	struct bytes verb = take_token(&rest);

	if (!bytes_caseeq(verb, BYTES("AUTH")))
		return len;
	rest = skip_blanks(rest);
	take_token(&rest);
	/* One blank behind the mechanism shows that it is whole. */
	return len - rest.len + (rest.len ? 1 : 0);
}

bool smtp_param_next(struct bytes *params, struct bytes *key, struct bytes *value)
{
	struct bytes token;
	const uint8_t *equals;

	*params = skip_blanks(*params);
	token = take_token(params);
	if (!token.len)
		return false;
	equals = bytes_chr(token, '=');
	*key = equals ? bytes_of(token.p, (size_t)(equals - token.p)) : token;
	*value = equals ? skip(token, key->len + 1) : bytes_of(token.p + token.len, 0);
	return true;
}
