"""One large capture file made of many small ones: their Ethernet packets, in the order of their times, again and again, each time later
and between other addresses, with right checksums, so that flows are new ones."""
import pathlib
import struct
import sys


def packets_of(path):
    data = path.read_bytes()
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">"}.get(data[:4])
    if not order or len(data) < 24 or struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF != 1:
        return
    at, first = 24, None
    while at + 16 <= len(data):
        seconds, micros, captured, wire = struct.unpack_from(order + "IIII", data, at)
        if captured > 65535 or at + 16 + captured > len(data):
            return
        time = seconds + micros / 1e6
        first = time if first is None else first
        if 0 <= time - first < 600:
            yield time - first, data[at + 16:at + 16 + captured], wire
        at += 16 + captured


def add16(frame, at, change):
    """Takes a change of the words that it covers into a checksum (RFC 1624)."""
    total = (~struct.unpack_from(">H", frame, at)[0] & 0xFFFF) + change
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    struct.pack_into(">H", frame, at, ~total & 0xFFFF)


def write(folder, out, size):
    """Writes about `size` bytes; returns packets and bytes."""
    packets = sorted((p for f in sorted(pathlib.Path(folder).rglob("*.pcap")) for p in packets_of(f)), key=lambda p: p[0])
    template, stamps, addresses = bytearray(), [], []
    for time, frame, wire in packets:
        at = len(template) + 16
        template += struct.pack("<IIII", int(time), int(time % 1 * 1e6), len(frame), wire) + frame
        stamps.append((at - 16, int(time)))
        if len(frame) >= 34 and frame[12:14] == b"\x08\x00" and frame[14] == 0x45:
            rest = {6: 50, 17: 40}.get(frame[23]) if not struct.unpack_from(">H", frame, 20)[0] & 0x3FFF else None
            check = at + rest if rest and len(frame) >= rest + 2 and frame[rest:rest + 2] != b"\0\0" else None
            addresses.append((at, frame[27], frame[31], check))
    total = count = 0
    with open(out, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        copy = 0
        while total < size:
            piece = bytearray(template)
            for at, seconds in stamps:
                struct.pack_into("<I", piece, at, 1_700_000_000 + copy * 700 + seconds)
            for at, source, destination, check in addresses:
                piece[at + 27], piece[at + 31] = (source + copy) & 255, (destination + copy) & 255
                change = piece[at + 27] - source + piece[at + 31] - destination
                change = change if change >= 0 else change + 0xFFFF
                add16(piece, at + 24, change)
                if check:
                    add16(piece, check, change)
            f.write(piece)
            total, count, copy = total + len(piece), count + len(stamps), copy + 1
    return count, total


if __name__ == "__main__":  # FOLDER OUT BYTES: in a process of its own, so that its memory is not counted to whoever measures afterwards
    print(*write(sys.argv[1], sys.argv[2], float(sys.argv[3])))
