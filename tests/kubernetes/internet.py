"""Everything that is not the cluster: answers on every address, and writes down what reached it, as a firewall at the edge would.

Runs as a program in the internet's namespace: internet.py CONTACTS NAMES PORT… A line of CONTACTS is one TCP connection or UDP datagram:
{"time": seconds, "protocol", "source", "source_port", "destination", "port", "received": bytes, "sent": bytes}, written when it ends.
NAMES is a file {"name": "address"} that its resolver answers from; it is read for each question, so that an answer can change.
"""
import asyncio
import ipaddress
import json
import pathlib
import socket
import struct
import sys
import time


class Internet:
    def __init__(self, contacts):
        self.contacts = open(contacts, "a", buffering=1)  # noqa: SIM115

    def wrote(self, **contact):
        self.contacts.write(json.dumps(contact) + "\n")

    async def answer(self, reader, writer):
        began = time.time()
        source, source_port = writer.get_extra_info("peername")[:2]
        destination, port = writer.get_extra_info("sockname")[:2]
        received = sent = 0
        try:
            while data := await asyncio.wait_for(reader.read(65536), 60):
                received += len(data)
                if data.split(b" ")[0] in (b"GET", b"POST", b"HEAD"):
                    body = f"{source}\n".encode()  # what ifconfig.co and its like say
                    reply = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
                    writer.write(reply)
                    sent += len(reply)
                    break
                writer.write(data)  # an echo for everything else
                sent += len(data)
            await writer.drain()
        except (OSError, asyncio.TimeoutError):
            pass
        finally:
            writer.close()
            self.wrote(time=began, protocol="TCP", source=source, source_port=source_port, destination=destination, port=port, received=received, sent=sent)


class Datagrams(asyncio.DatagramProtocol):
    """One UDP service. Its socket is bound to one address, since a reply must come from the address that was asked."""

    def __init__(self, internet, address, port, reply):
        self.internet, self.address, self.port, self.reply = internet, address, port, reply

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, source):
        reply = self.reply(data)
        if reply:
            self.transport.sendto(reply, source)
        self.internet.wrote(time=time.time(), protocol="UDP", source=source[0], source_port=source[1], destination=self.address, port=self.port,
                            received=len(data), sent=len(reply))


def answer_name(query, names):
    """RFC 1035: the answer to a query with one question; nothing for what is not one."""
    labels, at = [], 12
    try:
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode("ascii"))
            at += 1 + query[at]
        kind = struct.unpack_from(">H", query, at + 1)[0]
    except (IndexError, UnicodeDecodeError, struct.error):
        return b""
    question = query[12:at + 5]
    address = names.get(".".join(labels).lower())
    found = address is not None and kind == 1
    header = query[:2] + struct.pack(">HHHHH", 0x8180 if address else 0x8183, 1, found, 0, 0)
    return header + question + (b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 30, 4) + ipaddress.IPv4Address(address).packed if found else b"")


RESOLVER, ECHO = ("203.0.113.53", 53), ("203.0.113.54", 5300)


async def main(contacts, names, ports):
    internet = Internet(contacts)
    for port in ports:
        await asyncio.start_server(internet.answer, "0.0.0.0", port, backlog=1024, family=socket.AF_INET)
    for (address, port), reply in {RESOLVER: lambda q: answer_name(q, json.loads(pathlib.Path(names).read_text())), ECHO: bytes}.items():
        await asyncio.get_running_loop().create_datagram_endpoint(lambda a=address, p=port, r=reply: Datagrams(internet, a, p, r), (address, port))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], [int(p) for p in sys.argv[3:]]))
