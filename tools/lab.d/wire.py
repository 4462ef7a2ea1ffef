#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A wire between two interfaces that reorders: wire.py INSIDE OUTSIDE SWAP

Forwards every frame between the two, but of those with a TCP payload lets each SWAP-th be
overtaken by the next one, in each direction. Deterministic in what it does to a given order
of frames. Runs until it is killed.

Losing is tests/net/wire.bpf.c's. Reordering takes somebody who holds a frame back: an XDP program
can't, nor can a rule of nftables, and netem is not in every kernel.
"""
import select
import socket
import sys

HELD_S = 0.02  # a frame that nothing overtakes goes on after this
FRAME_MAX = 65535
SO_RCVBUFFORCE, QUEUE_BYTES = 33, 16 << 20  # room for a window of segments: nothing is lost here


def tcp_payload(frame):
    """True for a TCP segment over IPv4 or IPv6 that carries data."""
    if frame[12:14] == b"\x08\x00" and frame[23] == 6:
        tcp = 14 + (frame[14] & 15) * 4
        end = 14 + int.from_bytes(frame[16:18], "big")
    elif frame[12:14] == b"\x86\xdd" and frame[20] == 6:
        tcp = 14 + 40
        end = tcp + int.from_bytes(frame[18:20], "big")
    else:
        return False
    return end > tcp + (frame[tcp + 12] >> 4) * 4


class Direction:
    def __init__(self, to, swap):
        self.to, self.swap = to, swap
        self.seen, self.held = 0, None

    def frame(self, frame):
        if tcp_payload(frame):
            self.seen += 1
            if self.seen % self.swap == 0 and self.held is None:
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
    swap = int(sys.argv[3])
    ways = {inside: Direction(outside, swap), outside: Direction(inside, swap)}
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
