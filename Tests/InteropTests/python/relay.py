#!/usr/bin/env python3
"""Carries TCP connections on, every byte a while later than it came.

usage: relay.py PORT HOST SECONDS     listens on 127.0.0.1:PORT, connects to HOST:PORT

Stands in for a long line where the kernel lacks `tc netem`. What ends one side of a connection ends the other.
"""
import asyncio
import contextlib
import sys

PIECE = 64 << 10
PIECES_UNDERWAY = 64


async def carry(reader, writer, delay):
    """Writes what is read, `delay` seconds later, until the end of it."""
    clock = asyncio.get_running_loop().time
    underway = asyncio.Queue(PIECES_UNDERWAY)

    async def take():
        piece = None
        while piece != b"":
            piece = await reader.read(PIECE)
            await underway.put((clock() + delay, piece))

    taking = asyncio.create_task(take())
    try:
        while True:
            next_piece = asyncio.create_task(underway.get())
            await asyncio.wait({next_piece, taking}, return_when=asyncio.FIRST_COMPLETED)
            if not next_piece.done() and taking.exception():
                raise taking.exception()
            due, piece = await next_piece
            await asyncio.sleep(due - clock())
            if not piece:
                return writer.write_eof()
            writer.write(piece)
            await writer.drain()
    finally:
        taking.cancel()


async def serve(port, host, delay):
    async def connected(reader, writer):
        far = None
        with contextlib.suppress(OSError):
            far_reader, far = await asyncio.open_connection(host, port)
            await asyncio.gather(carry(reader, far, delay), carry(far_reader, writer, delay))
        for end in (writer, far):
            if end:
                end.transport.abort()

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    _, port, host, seconds = sys.argv
    asyncio.run(serve(int(port), host, float(seconds)))
