/* SPDX-License-Identifier: BSD-3-Clause */
/* The addresses of a From field. */
#include "tests/unit/test.h"

#include "dataplane/proto/mailbox.h"

static const struct {
	const char *value, *addresses; /* with a blank behind each */
} cases[] = {
	{"", ""},
	{"ann@acme.example", "ann@acme.example "},
	{"  ann@acme.example\t", "ann@acme.example "},
	{"Ann <ann@acme.example>", "ann@acme.example "},
	{"Ann < ann@acme.example >", "ann@acme.example "},
	{"\"Your <ann@acme.example> bank\" <service@bank.example>", "service@bank.example "},
	{"\"a\\\"b <x@x.example>\" <ann@acme.example>", "ann@acme.example "},
	{"MAILER-DAEMON@acme.example (Mail (Delivery) <x@x.example>)",
	 "MAILER-DAEMON@acme.example "},
	{"(a comment) ann@acme.example", "ann@acme.example "},
	{"\"ann smith\"@acme.example", "\"ann smith\"@acme.example "},
	{"bob@bank.example via list <list@acme.example>", "list@acme.example "},
	/* Several: each is one. */
	{"service@bank.example, ann@acme.example", "service@bank.example ann@acme.example "},
	{"Ann <ann@acme.example>, Bank <service@bank.example>",
	 "ann@acme.example service@bank.example "},
	{"Smith, Ann <ann@acme.example>", "ann@acme.example "},
	{"Us: ann@acme.example, Bob <bob@acme.example>;, x@x.example",
	 "ann@acme.example bob@acme.example x@x.example "},
	{"undisclosed-recipients:;", ""},
	/* Malformed: nothing hides. */
	{"<service@bank.example> <ann@acme.example>", "service@bank.example ann@acme.example "},
	{"<ann@acme.example> service@bank.example", "ann@acme.example service@bank.example "},
	{"ann@acme.example, (x <service@bank.example>", "ann@acme.example service@bank.example "},
	{"ann@acme.example, \"x <service@bank.example>", "ann@acme.example service@bank.example "},
	{"\"( <service@bank.example>", "service@bank.example "},
	{"Ann <ann@acme.example", "ann@acme.example "},
	{"Ann <", ""},
	{"Ann <> ann@acme.example", "ann@acme.example "},
	{"\\", ""},
	{"\"\\", ""},
	{"nobody", ""},
};

static void addresses_of_a_value(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].value);
		char *value = malloc(len + 1), found[256] = "";
		struct mailboxes m;
		struct bytes address;

		/* Not one byte more than there is: ASan and valgrind see what is read beyond. */
		memcpy(value, cases[i].value, len);
		mailboxes_init(&m, bytes_of(value, len));
		while (mailboxes_next(&m, &address))
			snprintf(found + strlen(found), sizeof(found) - strlen(found), "%.*s ",
				 (int)address.len, (const char *)address.p);
		if (strcmp(found, cases[i].addresses) != 0)
			fail_msg("%s: %s, expected %s", cases[i].value, found, cases[i].addresses);
		free(value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_a_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
