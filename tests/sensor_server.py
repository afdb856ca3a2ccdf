"""The outside of the sensor's tests: TCP and UDP over both families; writes down every peer as it saw it.
A client says "ID SENT WANTED\n" and SENT bytes; the answer is WANTED bytes. Over UDP each datagram is answered by one of the wanted size."""
import asyncio
import json
import struct
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


def answer(question):
    """203.0.113.50 for every name."""
    end = question.index(b"\0", 12) + 5
    return question[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0) + question[12:end] + b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes([203, 0, 113, 50])


class Resolver(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        self.transport.sendto(answer(data), peer)


async def resolve(reader, writer):
    (size,) = struct.unpack(">H", await reader.readexactly(2))
    reply = answer(await reader.readexactly(size))
    writer.write(struct.pack(">H", len(reply)) + reply)
    await writer.drain()
    writer.close()


async def listen(reader, writer):
    """Answers anything with a little, until the other side ends; a TLS hello gets an alert."""
    while data := await reader.read(65536):
        if data[0] == 0x16:
            break
        if data[0] != ord("z"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
    writer.close()


async def main():
    loop = asyncio.get_running_loop()
    global out
    for host in ("0.0.0.0", "::"):
        await asyncio.start_server(serve, host, 8080, backlog=1024)
    await asyncio.start_server(listen, "0.0.0.0", 8088)
    await asyncio.start_server(listen, "0.0.0.0", 8443)
    await asyncio.start_server(listen, "0.0.0.0", 443)
    await asyncio.start_server(resolve, "0.0.0.0", 53)
    await loop.create_datagram_endpoint(Resolver, local_addr=("0.0.0.0", 53))
    await loop.create_datagram_endpoint(Datagrams, local_addr=("::", 9090))
    out = open(sys.argv[1], "w", buffering=1)
    await asyncio.Event().wait()


asyncio.run(main())
