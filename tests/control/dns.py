# SPDX-License-Identifier: BSD-3-Clause
"""A DNS server for tests, on the loopback: it says what it was told to, truth or not."""
import contextlib
import socket
import struct
import threading
import time

from gate import HERE

A, MX, AAAA = 1, 15, 28
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5


def name_bytes(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.strip(".").split(".") if label) + b"\0"


def record(type_, data, ttl=300, name=b"\xc0\x0c"):
    return name + struct.pack(">HHIH", type_, 1, ttl, len(data)) + data


def a(*addresses, ttl=300):
    return [record(A, socket.inet_aton(address), ttl) for address in addresses]


def aaaa(address, ttl=300):
    return [record(AAAA, socket.inet_pton(socket.AF_INET6, address), ttl)]


def mx(*hosts, preference=10, ttl=300):
    return [record(MX, struct.pack(">H", preference) + name_bytes(host), ttl) for host in hosts]


def null_mx(ttl=300):
    return mx("", preference=0, ttl=ttl)


class Server:
    """says: {name: answer} or {(name, type): answer}. An answer is a list of records, or a code, or a dict:
    records, code, soa (its last number), and how it comes: delay (s), silent, truncated (over UDP), wrong_id."""

    def __init__(self):
        self.says, self.questions, self.tcp_questions = {}, [], []
        self.udp, self.tcp = self._bind()
        self.port = self.udp.getsockname()[1]
        self.tcp.listen()
        self.address = f"{HERE}:{self.port}"
        self.threads = [threading.Thread(target=serve, daemon=True) for serve in (self._serve_udp, self._serve_tcp)]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def _bind():
        """A port that is free for both: one's own number may be another's."""
        while True:
            udp, tcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket()
            udp.bind((HERE, 0))
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                tcp.bind(udp.getsockname())
                return udp, tcp
            udp.close()
            tcp.close()

    def close(self):
        for end in (self.udp, self.tcp):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def asked(self, name, type_=None):
        return sum(1 for asked, kind in list(self.questions) if asked == name and type_ in (None, kind))

    def _serve_udp(self):
        while True:
            try:
                data, peer = self.udp.recvfrom(4096)
            except OSError:
                return
            if len(data) < 17:  # the end
                return
            threading.Thread(target=self._answer_udp, args=(data, peer), daemon=True).start()

    def _answer_udp(self, data, peer):
        answer, how = self._answer(data, udp=True)
        if how.get("delay"):
            time.sleep(how["delay"])
        with contextlib.suppress(OSError):
            if answer and how.get("wrong_id"):
                for number in range(1, 4):
                    self.udp.sendto(bytes([answer[0] ^ number, answer[1]]) + answer[2:], peer)
            elif answer:
                self.udp.sendto(answer, peer)

    def _serve_tcp(self):
        while True:
            try:
                end, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._answer_tcp, args=(end,), daemon=True).start()

    def _answer_tcp(self, end):
        with end, contextlib.suppress(OSError):
            while True:
                head = end.recv(2, socket.MSG_WAITALL)
                if len(head) < 2:
                    return
                answer, _ = self._answer(end.recv(struct.unpack(">H", head)[0], socket.MSG_WAITALL), udp=False)
                if answer:
                    end.sendall(struct.pack(">H", len(answer)) + answer)

    def _answer(self, data, udp):
        at, labels = 12, []
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode())
            at += data[at] + 1
        name, type_ = ".".join(labels).lower(), struct.unpack(">H", data[at + 1:at + 3])[0]
        (self.questions if udp else self.tcp_questions).append((name, type_))
        said = self.says.get((name, type_), self.says.get(name, NXDOMAIN))
        how = said if isinstance(said, dict) else {"records": said} if isinstance(said, list) else {"code": said}
        if how.get("silent"):
            return None, how
        records, code = how.get("records", []), how.get("code", NOERROR)
        cut = udp and how.get("truncated", False)
        authority = []
        if not records and code in (NOERROR, NXDOMAIN) and how.get("soa", 300) is not None:
            soa = name_bytes("ns.example") + name_bytes("host.example") + struct.pack(">IIIII", 1, 2, 3, 4, how.get("soa", 300))
            authority = [record(6, soa, 86400, name_bytes("example"))]
        flags = 0x8180 | code | (0x0200 if cut else 0)
        if cut:
            records, authority = [], []
        return (data[:2] + struct.pack(">HHHHH", flags, 1, len(records), len(authority), 0) + data[12:at + 5]
                + b"".join(records) + b"".join(authority)), how
