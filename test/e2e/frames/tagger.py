#!/usr/bin/env python3
"""tagger.py TRUNK PORT=TUNNEL...: the edge of a network in raw frames. What comes by a port leaves by the trunk in the port's tunnel, and the
other way round. A tunnel is vlan:ID, vlan:OUTER.INNER (QinQ) or mpls:TOP.BOTTOM; @N behind it is the priority that is put on.

The kernel here has no 802.1Q and no MPLS of its own (8021q, act_vlan, mpls_router and VLAN filtering of bridges are not built in)."""
import select
import socket
import struct
import sys

# linux/if_packet.h
SOL_PACKET, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING, ETH_P_ALL = 263, 8, 23, 3
CHECKSUM_NOT_READY, TAG_VALID, TYPE_VALID = 1 << 3, 1 << 4, 1 << 6
IP4, IP6, VLAN, SERVICE_VLAN, MPLS = b"\x08\x00", b"\x86\xdd", 0x8100, 0x88A8, 0x8847
BOTTOM = 1 << 8


def opened(name):
    one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    one.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    one.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    one.bind((name, ETH_P_ALL))
    return one


def completed(frame):
    """The UDP checksum over what the stack left: the field has the pseudo-header's sum (without a tag)."""
    six = frame[12:14] == IP6
    at = 54 if six else 14 + 4 * (frame[14] & 15)
    if frame[20 if six else 23] != 17:
        return frame
    end = at + struct.unpack("!H", frame[at + 4 : at + 6])[0]
    data = frame[at:end] + b"\0" * ((end - at) & 1)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return frame[: at + 6] + struct.pack("!H", ~total & 0xFFFF or 0xFFFF) + frame[at + 8 :]


def heard(one):
    """The next frame; a tag that the kernel has taken off stands in it again."""
    frame, control, _, _ = one.recvmsg(65536, 64)
    status, _, _, _, _, tag, kind = struct.unpack("=IIIHHHH", control[0][2][:20])
    if status & CHECKSUM_NOT_READY and frame[12:14] in (IP4, IP6):
        frame = completed(frame)
    if status & TAG_VALID:
        frame = frame[:12] + struct.pack("!HH", kind if status & TYPE_VALID else VLAN, tag) + frame[12:]
    return frame


def tunnel(word):
    """What stands between the addresses and the packet: kind, numbers from the outside in, priority."""
    kind, _, rest = word.partition(":")
    numbers, _, priority = rest.partition("@")
    return kind, tuple(int(one) for one in numbers.split(".")), int(priority or 0)


def pushed(frame, kind, numbers, priority):
    if kind == "vlan":
        types = (SERVICE_VLAN, VLAN)[-len(numbers) :]
        tags = [struct.pack("!HH", one, priority << 13 | number) for one, number in zip(types, numbers)]
        return frame[:12] + b"".join(tags) + frame[12:]
    ttl = frame[22 if frame[12:14] == IP4 else 21]
    labels = [number << 12 | priority << 9 | ttl for number in numbers]
    labels[-1] |= BOTTOM
    return frame[:12] + struct.pack("!H%dI" % len(labels), MPLS, *labels) + frame[14:]


def popped(frame):
    """The frame without its tunnel, and which that was."""
    numbers, at = [], 12
    while struct.unpack("!H", frame[at : at + 2])[0] in (VLAN, SERVICE_VLAN):
        numbers.append(struct.unpack("!H", frame[at + 2 : at + 4])[0] & 0xFFF)
        at += 4
    if struct.unpack("!H", frame[at : at + 2])[0] != MPLS or numbers:
        return frame[:12] + frame[at:], ("vlan", tuple(numbers))
    at, label = at + 2, 0
    while not label & BOTTOM:
        label = struct.unpack("!I", frame[at : at + 4])[0]
        numbers.append(label >> 12)
        at += 4
    return frame[:12] + (IP6 if frame[at] >> 4 == 6 else IP4) + frame[at:], ("mpls", tuple(numbers))


trunk = opened(sys.argv[1])
ports = {opened(name): tunnel(word) for name, _, word in (one.partition("=") for one in sys.argv[2:])}
ways = {(kind, numbers): port for port, (kind, numbers, _) in ports.items()}
print("READY", flush=True)
while True:
    readable = select.select([trunk, *ports], [], [])[0]
    for port, (kind, numbers, priority) in ports.items():
        if port not in readable:
            continue
        frame = heard(port)
        if kind == "vlan" or frame[12:14] in (IP4, IP6):
            trunk.send(pushed(frame, kind, numbers, priority))
    if trunk in readable:
        frame, way = popped(heard(trunk))
        if way in ways:
            ways[way].send(frame)
