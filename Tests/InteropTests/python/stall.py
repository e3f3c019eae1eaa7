#!/usr/bin/env python3
"""Carries TCP connections on until enough bytes have gone one way; from then on nothing moves that way.

usage: stall.py PORT HOST:PORT UP DOWN FILE     listens on 127.0.0.1:PORT

UP and DOWN are the most bytes to carry there and back, over all connections. FILE gets one line: the bytes carried
there, those carried back, and 1 once something stands still.
"""
import asyncio
import contextlib
import os
import sys

PIECE = 16 << 10


class Relay:
    def __init__(self, address, most, file):
        self.host, self.port = address.rsplit(":", 1)
        self.most = most
        self.carried = [0, 0]
        self.stands = 0
        self.file = file
        self.tell()

    def tell(self):
        with open(self.file + ".new", "w") as out:
            print(*self.carried, self.stands, file=out)
        os.rename(self.file + ".new", self.file)

    async def carry(self, reader, writer, way):
        while piece := await reader.read(PIECE):
            if self.carried[way] + len(piece) > self.most[way]:
                self.stands = 1
                self.tell()
                await asyncio.Event().wait()
            self.carried[way] += len(piece)
            self.tell()
            writer.write(piece)
            await writer.drain()
        writer.write_eof()

    async def connected(self, reader, writer):
        with contextlib.suppress(OSError):
            far_reader, far = await asyncio.open_connection(self.host, int(self.port))
            await asyncio.gather(self.carry(reader, far, 0), self.carry(far_reader, writer, 1))


async def main(port, address, up, down, file):
    relay = Relay(address, (int(up), int(down)), file)
    server = await asyncio.start_server(relay.connected, "127.0.0.1", int(port))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
