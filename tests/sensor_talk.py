"""A pod's program in the sensor's tests that speaks protocols: sensor_talk.py WHAT …
dns NAME: asks the outside's resolver over UDP, and over TCP; http HOST PATH; tls NAME; hold SECONDS: one connection that sends now and then."""
import socket
import ssl
import struct
import sys
import time

OUTSIDE = "198.51.100.2"
what, *words = sys.argv[1:]


def question(name):
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
    return struct.pack(">HHHHHH", 0x1234, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)


if what == "dns":
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.settimeout(10)
    udp.connect((OUTSIDE, 53))
    udp.send(question(words[0]))
    udp.recv(1500)
    tcp = socket.create_connection((OUTSIDE, 53), timeout=10)
    message = question("tcp." + words[0])
    tcp.sendall(struct.pack(">H", len(message)) + message)
    tcp.recv(1500)
    tcp.close()
elif what == "http":
    s = socket.create_connection((OUTSIDE, 8088), timeout=10)
    for path in words[1:]:
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: {words[0]}\r\nUser-Agent: talk/1\r\n\r\n".encode())
        s.recv(4096)
    s.close()
elif what == "tls":
    context = ssl._create_unverified_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    raw = socket.create_connection((OUTSIDE, 8443), timeout=10)
    try:
        context.wrap_socket(raw, server_hostname=words[0])
    except OSError:
        pass  # the other side only listens
elif what == "hold":
    s = socket.create_connection((OUTSIDE, 8088), timeout=10)
    end = time.monotonic() + float(words[0])
    n = 0
    while time.monotonic() < end:
        s.sendall(b"z" * 1000)
        n += 1000
        time.sleep(0.05)
    s.close()
    print(n, flush=True)
