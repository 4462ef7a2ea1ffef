#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A bad wire between two interfaces: wire.py INSIDE OUTSIDE LOSE SWAP

Forwards every frame between the two, but of those with a TCP payload loses each
LOSE-th and lets each SWAP-th be overtaken by the next one, in each direction (0: none).
Deterministic in what it does to a given order of frames. Runs until it is killed.
"""
import select
import socket
import sys

HELD_S = 0.02  # a frame that nothing overtakes goes on after this
FRAME_MAX = 65535
SO_RCVBUFFORCE, QUEUE_BYTES = 33, 16 << 20  # room for a window of segments: nothing is lost but what should be


def tcp_payload(frame):
    """True for a TCP segment over IPv4 that carries data."""
    if frame[12:14] != b"\x08\x00" or frame[23] != 6:
        return False
    ip = (frame[14] & 15) * 4
    total = int.from_bytes(frame[16:18], "big")
    return total > ip + (frame[14 + ip + 12] >> 4) * 4


class Direction:
    def __init__(self, to, lose, swap):
        self.to, self.lose, self.swap = to, lose, swap
        self.seen, self.held = 0, None

    def frame(self, frame):
        if tcp_payload(frame):
            self.seen += 1
            if self.lose and self.seen % self.lose == 0:
                return
            if self.swap and self.seen % self.swap == 0 and self.held is None:
                self.held = frame
                return
        self.to.send(frame)
        self.release()

    def release(self):
        if self.held is not None:
            self.to.send(self.held)
            self.held = None


def opened(interface):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))  # ETH_P_ALL
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, QUEUE_BYTES)
    s.bind((interface, 0))
    return s


def main():
    inside, outside = opened(sys.argv[1]), opened(sys.argv[2])
    lose, swap = int(sys.argv[3]), int(sys.argv[4])
    ways = {inside: Direction(outside, lose, swap), outside: Direction(inside, lose, swap)}
    print("ready", flush=True)
    while True:
        ready, _, _ = select.select(ways, [], [], HELD_S)
        for s in ready:
            frame, address = s.recvfrom(FRAME_MAX)
            if address[2] != socket.PACKET_OUTGOING:
                ways[s].frame(frame)
        if not ready:
            for way in ways.values():
                way.release()


if __name__ == "__main__":
    main()
