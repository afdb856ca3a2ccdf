"""The far side for the tests of blocking: echoes TCP and UDP on one port, both families."""
import selectors
import socket
import sys

port = int(sys.argv[1])
select = selectors.DefaultSelector()
for family, any_address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        s = socket.socket(family, kind)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind((any_address, port))
        if kind == socket.SOCK_STREAM:
            s.listen(64)
        select.register(s, selectors.EVENT_READ, "listener" if kind == socket.SOCK_STREAM else "datagrams")
print("ready", flush=True)
while True:
    for key, _ in select.select():
        s = key.fileobj
        try:
            if key.data == "listener":
                select.register(s.accept()[0], selectors.EVENT_READ, "connection")
            elif key.data == "datagrams":
                data, peer = s.recvfrom(2048)
                s.sendto(data, peer)
            elif data := s.recv(4096):
                s.sendall(data)
            else:
                select.unregister(s)
                s.close()
        except OSError:
            if key.data == "connection":
                select.unregister(s)
                s.close()
