#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Many at once: many.py SERVER SOURCE SENDER bomb|drip RECIPIENT COUNT MESSAGE | harvest DOMAIN COUNT SESSIONS

bomb, drip: that many mails to one recipient in one session; harvest: that many made-up recipients and bob in each of
so many sessions, and no mail. Says "RCPT N<TAB>REPLY" of the first ones and the last, drip "MAIL N<TAB>REPLY" of all,
and stops where the session ends.
"""
import smtplib
import sys


def say(what, reply, said=True):
    code, text = reply
    if said or code == 421:
        print(f"{what}\t{code} {text.decode(errors='replace').splitlines()[0]}", flush=True)
    return code


def session(server, source, sender):
    client = smtplib.SMTP(server, 25, sender.rpartition("@")[2], timeout=30, source_address=(source, 0))
    client.ehlo()
    return client


def bomb(client, sender, recipient, count, message):
    for n in range(1, count + 1):
        client.mail(sender)
        code = say(f"RCPT {n}", client.rcpt(recipient), n == 1 or n >= count - 1)
        if code == 421:
            return
        client.data(message)
    client.quit()


def drip(client, sender, recipient, count, message):
    for n in range(1, count + 1):
        if say(f"MAIL {n}", client.mail(sender)) == 421:
            return
        client.rcpt(recipient)
        client.data(message)
    client.quit()


def harvest(client, sender, domain, count, number):
    client.mail(sender)
    for n in range(1, count + 1):
        if say(f"RCPT {number}.{n}", client.rcpt(f"name{number}-{n}@{domain}"), n in (1, count)) == 421:
            return
    client.rcpt(f"bob@{domain}")
    client.quit()


def main():
    server, source, sender, what, to, count, more = sys.argv[1:8]
    if what in ("bomb", "drip"):
        with open(more, "rb") as file:
            {"bomb": bomb, "drip": drip}[what](session(server, source, sender), sender, to, int(count), file.read().replace(b"\n", b"\r\n"))
        return
    for number in range(1, int(more) + 1):
        harvest(session(server, source, sender), sender, to, int(count), number)


main()
