#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Rules for the benchmark, and the same patterns for bare Hyperscan.

    make_rules.py COUNT RULES PATTERNS

RULES gets COUNT Suricata rules over the buffers that mails and calls have: seven in ten plain
literals, three in ten expressions led by a literal. PATTERNS gets the same as lines of
`ID:/expression/flags`. Most match nothing that postern-gen writes, as in a real rule set; one in
fifty is made of its words and is found all the time. Same COUNT, same bytes.
"""
import random
import sys

# How many rules in a hundred look where.
BUFFERS = [
    ("smtp", "email.body", 42),
    ("smtp", "file.data", 8),
    ("smtp", "email.subject", 12),
    ("smtp", "email.from", 5),
    ("smtp", "email.url", 5),
    ("smtp", "file.name", 2),
    ("smtp", "smtp.mail_from", 3),
    ("smtp", "smtp.rcpt_to", 2),
    ("smtp", "smtp.helo", 1),
    ("sip", "sip.uri", 6),
    ("sip", "sip.from", 5),
    ("sip", "sip.to", 3),
    ("sip", "sip.user_agent", 4),
    ("sip", "sip.body", 2),
]
ONSETS = "b c d f g h l m n p r s t v st tr pl ch".split()
VOWELS = "a e i o u ea ou er in on".split()
COMMON = "please invoice meeting report regards payment schedule customer".split()
LITERAL_SHARE, COMMON_SHARE, NOCASE_SHARE = 0.7, 0.02, 0.3


def word(draw):
    return "".join(draw.choice(ONSETS) + draw.choice(VOWELS) for _ in range(draw.randint(2, 3)))


def pattern(draw, literal):
    """An expression without a character that rules or expressions must escape."""
    common = draw.random() < COMMON_SHARE
    head = draw.choice(COMMON) if common else word(draw) + " " + word(draw)
    return head if literal else head + "[a-z ]{1,12}" + word(draw)


def main():
    count = int(sys.argv[1])
    draw = random.Random(2)
    weights = [share for _, _, share in BUFFERS]
    with open(sys.argv[2], "w") as rules, open(sys.argv[3], "w") as patterns:
        for sid in range(1, count + 1):
            protocol, buffer, _ = draw.choices(BUFFERS, weights)[0]
            literal = draw.random() < LITERAL_SHARE
            text = pattern(draw, literal)
            nocase = draw.random() < NOCASE_SHARE
            if literal:
                option = f'content:"{text}";' + (" nocase;" if nocase else "")
            else:
                option = f'pcre:"/{text}/{"i" if nocase else ""}";'
            rules.write(f'alert {protocol} any any -> any any (msg:"bench"; '
                        f"{buffer}; {option} sid:{sid}; rev:1;)\n")
            patterns.write(f'{sid}:/{text}/{"i" if nocase else ""}\n')


main()
