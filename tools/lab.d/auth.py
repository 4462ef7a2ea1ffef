#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks passwords for Postfix: auth.py PORT USER PASSWORD

Speaks the server's half of Dovecot's authentication protocol, version 1.2, on
loopback: PLAIN and LOGIN, one user. Runs until it is killed.
"""
import base64
import hmac
import socketserver
import sys

GREETING = (
    "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\n"
    "SPID\t1\nCUID\t1\nCOOKIE\t00000000000000000000000000000001\nDONE\n"
)


def encoded(text):
    return base64.b64encode(text).decode()


class Client(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b"\n")

    def verdict(self, request, user, password):
        expected = f"{self.server.user}\0{self.server.password}".encode()
        if hmac.compare_digest(user + b"\0" + password, expected):
            self.say(f"OK\t{request}\tuser={user.decode()}")
        else:
            self.say(f"FAIL\t{request}\tuser={user.decode(errors='replace')}")

    def handle(self):
        self.wfile.write(GREETING.encode())
        login = {}  # request -> user, None while it is still asked for
        for line in self.rfile:
            field = line.decode().rstrip("\n").split("\t")
            if field[0] == "AUTH":
                request, mechanism = field[1:3]
                first = next((f[5:] for f in field if f.startswith("resp=")), None)
                if mechanism == "LOGIN" and first is None:
                    login[request] = None
                    self.say(f"CONT\t{request}\t{encoded(b'Username:')}")
                elif mechanism == "PLAIN" and first is None:
                    self.say(f"CONT\t{request}\t")
                else:
                    self.answer(request, base64.b64decode(first), login)
            elif field[0] == "CONT":
                self.answer(field[1], base64.b64decode(field[2]), login)

    def answer(self, request, response, login):
        if request not in login:  # PLAIN: authorisation id, user, password
            _, user, password = (response.split(b"\0") + [b"", b"", b""])[:3]
            self.verdict(request, user, password)
        elif login[request] is None:
            login[request] = response
            self.say(f"CONT\t{request}\t{encoded(b'Password:')}")
        else:
            self.verdict(request, login.pop(request), response)


def main():
    port, user, password = sys.argv[1:4]
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", int(port)), Client) as server:
        server.daemon_threads = True
        server.user, server.password = user, password
        server.serve_forever()


if __name__ == "__main__":
    main()
