#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A tenant that goes on sending until it is stopped: sessions.py SERVER SOURCE SENDER.

Opens a session that stays, says "open", then new ones, one after the other, until one is not greeted with 220; begins
a mail in the one that stayed. Prints "seconds since the epoch<TAB>what<TAB>reply".
"""
import socket
import sys
import time

PATIENCE_S = 60
EACH_S = 0.05


class Session:
    def __init__(self, server, source):
        self.socket = socket.create_connection((server, 25), PATIENCE_S, (source, 0))
        self.replies = self.socket.makefile("r", encoding="ascii", newline="\r\n")
        self.greeting = self.reply()

    def reply(self):
        return self.replies.readline().strip() or "(closed)"

    def ask(self, command):
        self.socket.sendall(f"{command}\r\n".encode())
        return self.reply()

    def end(self):
        self.replies.close()
        self.socket.close()


def say(what, reply):
    print(f"{time.time():.3f}\t{what}\t{reply}", flush=True)


def main():
    server, source, sender = sys.argv[1:]
    begin = f"MAIL FROM:<{sender}>"
    stays = Session(server, source)
    stays.ask("HELO mail.acme.example.com")
    say("open session", stays.ask(begin))
    stays.ask("RSET")
    end = time.monotonic() + PATIENCE_S
    greeting = "220"
    while greeting.startswith("220") and time.monotonic() < end:
        time.sleep(EACH_S)
        new = Session(server, source)
        greeting = new.greeting
        new.end()
    say("new session", greeting)
    say("open session", stays.ask(begin))


if __name__ == "__main__":
    main()
