#!/usr/bin/env python3
"""tagger.py TRUNK VID=PORT...: a switch in raw frames. What comes by a port leaves by the trunk with the VLAN's tag, and the other way round.

The kernel here has no 802.1Q of its own (8021q, act_vlan and VLAN filtering of bridges are not built in)."""
import select
import socket
import struct
import sys

# linux/if_packet.h
SOL_PACKET, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING, ETH_P_ALL = 263, 8, 23, 3
CHECKSUM_NOT_READY, TAG_VALID = 1 << 3, 1 << 4


def opened(name):
    one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    one.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    one.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    one.bind((name, ETH_P_ALL))
    return one


def completed(frame):
    """The UDP checksum over what the stack left: the field has the pseudo-header's sum (IPv4 without a tag)."""
    at = 14 + 4 * (frame[14] & 15)
    end = 14 + struct.unpack("!H", frame[16:18])[0]
    data = frame[at:end] + b"\0" * ((end - at) & 1)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return frame[: at + 6] + struct.pack("!H", ~total & 0xFFFF or 0xFFFF) + frame[at + 8 :]


def heard(one):
    """The next frame, and the VLAN id that the kernel has taken off."""
    frame, control, _, _ = one.recvmsg(65536, 64)
    status, _, _, _, _, tag, _ = struct.unpack("=IIIHHHH", control[0][2][:20])
    udp = frame[12:14] == b"\x08\x00" and frame[23] == 17
    if status & CHECKSUM_NOT_READY and udp:
        frame = completed(frame)
    return frame, tag & 0xFFF if status & TAG_VALID else 0


trunk = opened(sys.argv[1])
ports = {int(vlan): opened(name) for vlan, name in (word.split("=") for word in sys.argv[2:])}
print("READY", flush=True)
while True:
    readable = select.select([trunk, *ports.values()], [], [])[0]
    for vlan, port in ports.items():
        if port in readable:
            frame, _ = heard(port)
            trunk.send(frame[:12] + struct.pack("!HH", 0x8100, vlan) + frame[12:])
    if trunk in readable:
        frame, vlan = heard(trunk)
        if vlan in ports:
            ports[vlan].send(frame)
