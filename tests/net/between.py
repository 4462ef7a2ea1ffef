#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A mail that is in the middle of its text while the rules change, and the next one of the same session.

    between.py EXCHANGER SOURCE SENDER RECIPIENT WORDS COMMAND...

Sends a mail whose second half holds WORDS; COMMAND runs between the halves. Prints the reply codes to both mails' ends."""
import smtplib
import subprocess
import sys


def send(smtp, sender, recipient, words, between):
    """The reply's code; 421 or so where the session has gone."""
    smtp.mail(sender)
    smtp.rcpt(recipient)
    code, _ = smtp.docmd("DATA")
    if code != 354:
        return code
    half = "\r\n".join(f"line {n} of a mail that takes its time" for n in range(200))
    smtp.send(f"From: <{sender}>\r\nTo: <{recipient}>\r\nSubject: between\r\nDate: Thu, 01 Jan 2026 12:00:00 +0000\r\n\r\n{half}\r\n".encode())
    if between:
        subprocess.run(between, check=True, stdout=sys.stderr)
    smtp.send(f"{words}\r\n{half}\r\n.\r\n".encode())
    return smtp.getreply()[0]


def main():
    exchanger, source, sender, recipient, words, *command = sys.argv[1:]
    smtp = smtplib.SMTP(exchanger, 25, "mail.acme.example.com", 60, (source, 0))
    smtp.ehlo()
    print(send(smtp, sender, recipient, words, command), send(smtp, sender, recipient, words, None))


main()
