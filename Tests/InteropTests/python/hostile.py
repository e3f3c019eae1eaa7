#!/usr/bin/env python3
"""Sends a coordinator what no honest agent sends, and says how it answers.

usage: hostile.py KIND PORT [--certificate FILE --key FILE]

KIND is one of
  http       a web request without TLS
  noise      bytes without meaning, without TLS
  tls12      a handshake that offers nothing newer than TLS 1.2
  oversized  a frame whose length is above every limit, over TLS
  random     a frame of bytes without meaning, over TLS
  empty      a frame without a message, over TLS
Prints one JSON object: `answer`, everything received as text with what is not ASCII left out, and `closed`, whether
the coordinator closed the connection. With --certificate and --key, an agent's, it does so over TLS as that agent.
"""
import argparse
import json
import random
import socket
import ssl
import struct
import sys

SECONDS = 20
OVERSIZED = 512 << 20


noise = random.Random(1)  # the same bytes each time


def frame(length, payload):
    return struct.pack(">I", length) + payload


PLAIN = {
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "noise": noise.randbytes(200),
}
FRAMES = {
    "oversized": frame(OVERSIZED, bytes(1000)),
    "random": frame(300, noise.randbytes(300)),
    "empty": frame(0, b""),
}


def over_tls(raw, options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # an attacker does not care who answers
    context.set_alpn_protocols(["tributary/1"])
    if options.kind == "tls12":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if options.certificate:
        context.load_cert_chain(options.certificate, options.key)
    return context.wrap_socket(raw)


def received(connection):
    """All bytes until the peer closes, and whether it did."""
    content = b""
    try:
        while piece := connection.recv(4096):
            content += piece
    except TimeoutError:
        return content, False
    except OSError:
        pass  # reset, or closed without TLS's farewell
    return content, True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=[*PLAIN, *FRAMES, "tls12"])
    parser.add_argument("port", type=int)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    options = parser.parse_args()
    connection = socket.create_connection(("127.0.0.1", options.port), SECONDS)
    try:
        if options.kind not in PLAIN:
            connection = over_tls(connection, options)
        connection.sendall(PLAIN.get(options.kind) or FRAMES[options.kind])
        content, closed = received(connection)
    except ssl.SSLError as error:
        content, closed = error.reason.encode(), True
    answer = "".join(chr(byte) for byte in content if 32 <= byte < 127)
    print(json.dumps({"answer": answer, "closed": closed}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
