#!/usr/bin/env python3
"""transparent.py answer ADDRESS | ask ADDRESS: transparent sockets on port 5060 of an address that need not be ours.

They answer with the length of what came and with the address that it was for; `ask` prints the answers by UDP and TCP."""
import socket
import sys
import threading

PORT = 5060
# linux/in.h, linux/in6.h
IP_TRANSPARENT, IPV6_TRANSPARENT = 19, 75


def opened(address, kind):
    six = ":" in address
    one = socket.socket(socket.AF_INET6 if six else socket.AF_INET, kind)
    one.settimeout(2)
    return one


def bound(address, kind):
    one = opened(address, kind)
    one.settimeout(None)
    six = ":" in address
    one.setsockopt(socket.IPPROTO_IPV6 if six else socket.SOL_IP, IPV6_TRANSPARENT if six else IP_TRANSPARENT, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind((address, PORT))
    return one


def whole(connection):
    data = b""
    while not data.endswith(b"\n"):
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data


def answer_streams(listener):
    while True:
        connection, _ = listener.accept()
        data = whole(connection)
        connection.sendall(f"tcp {len(data)} bytes to {connection.getsockname()[0]}\n".encode())
        connection.close()


def answer(address):
    listener = bound(address, socket.SOCK_STREAM)
    listener.listen()
    threading.Thread(target=answer_streams, args=(listener,), daemon=True).start()
    datagrams = bound(address, socket.SOCK_DGRAM)
    print("ready", flush=True)
    while True:
        data, sender = datagrams.recvfrom(65536)
        datagrams.sendto(f"udp {len(data)} bytes to {datagrams.getsockname()[0]}\n".encode(), sender)


def ask(address):
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        one = opened(address, kind)
        try:
            one.connect((address, PORT))
            one.sendall(b"x" * 2999 + b"\n")
            print(whole(one).decode(), end="")
        except OSError as error:
            print(error)


{"answer": answer, "ask": ask}[sys.argv[1]](sys.argv[2])
