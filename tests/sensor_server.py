"""The outside of the sensor's tests: TCP and UDP over both families; writes down every peer as it saw it.
A client says "ID SENT WANTED\n" and SENT bytes; the answer is WANTED bytes. Over UDP each datagram is answered by one of the wanted size."""
import asyncio
import json
import sys

out = None  # opened when everything listens: that is how a test knows


async def serve(reader, writer):
    peer = writer.get_extra_info("peername")
    try:
        ident, sent, wanted = (await reader.readline()).split()
        await reader.readexactly(int(sent))
        out.write(json.dumps({"id": ident.decode(), "address": peer[0], "port": peer[1]}) + "\n")
        writer.write(b"r" * int(wanted))
        await writer.drain()
    except (ValueError, ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


class Datagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        ident, wanted = data.split(b" ", 2)[:2]
        out.write(json.dumps({"id": ident.decode(), "address": peer[0], "port": peer[1]}) + "\n")
        self.transport.sendto(b"r" * int(wanted), peer)


async def main():
    loop = asyncio.get_running_loop()
    global out
    for host in ("0.0.0.0", "::"):
        await asyncio.start_server(serve, host, 8080, backlog=1024)
    await loop.create_datagram_endpoint(Datagrams, local_addr=("::", 9090))
    out = open(sys.argv[1], "w", buffering=1)
    await asyncio.Event().wait()


asyncio.run(main())
