"""A pod's program in the sensor's tests: does what the plan says and writes down the truth of each connection.
Plan: {"id": prefix, "do": [[what, count], …]}, what being tcp, tcp6, udp, udp6, refused, refused6 or unroutable."""
import json
import os
import socket
import sys

OUTSIDE = {4: "198.51.100.2", 6: "2001:db8:51::2"}
plan = json.loads(sys.argv[2])
out = open(sys.argv[1], "w")


def fill(n, head):
    return head + b"x" * n


used = set()
for what, count in plan["do"]:
    family = 6 if what.endswith("6") else 4
    af = socket.AF_INET6 if family == 6 else socket.AF_INET
    kind = what.rstrip("6")
    for i in range(count):
        ident = f"{plan['id']}-{what}-{i}"
        udp = kind == "udp"
        while True:  # no port twice: the test tells connections apart by it
            s = socket.socket(af, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
            s.bind(("::" if family == 6 else "0.0.0.0", 0))
            if s.getsockname()[1] not in used:
                break
            s.close()
        used.add(s.getsockname()[1])
        s.settimeout(10)
        port = 9090 if udp else 8081 if kind == "refused" else 8080
        target = "192.0.2.77" if kind == "unroutable" else OUTSIDE[family]
        sent = received = 0
        result = "done"
        try:
            s.connect((target, port))
            if udp:
                for n in range(1 + i % 3):
                    wanted = 10 + i
                    data = fill(20 + i + n, f"{ident} {wanted} ".encode())
                    sent += s.send(data)
                    received += len(s.recv(65536))
            else:
                size, wanted = (i * 977) % 60000, (i * 1409) % 90000
                data = fill(size, f"{ident} {size} {wanted}\n".encode())
                s.sendall(data)
                sent = len(data)
                while piece := s.recv(65536):
                    received += len(piece)
        except OSError as e:
            result = e.strerror
        local = s.getsockname()
        s.close()
        out.write(json.dumps({"id": ident, "what": what, "protocol": "UDP" if udp else "TCP", "port": local[1], "target": target,
                              "target_port": port, "sent": sent, "received": received, "result": result, "pid": os.getpid()}) + "\n")
out.close()
