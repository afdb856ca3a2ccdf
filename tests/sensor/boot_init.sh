#!/bin/sh
# The first process of a booted kernel (tests/sensor/boot): loads what the kernel has as modules, starts the node's programs, makes connections, and
# says what came of it. The last line is BOOT-TEST PASSED or BOOT-TEST FAILED: reason.
export PATH=/bin
fail() { echo "BOOT-TEST FAILED: $*"; poweroff -f; sleep 60; }
mount -t proc none /proc; mount -t sysfs none /sys; mount -t devtmpfs none /dev
mount -t tracefs none /sys/kernel/tracing
mount -t bpf none /sys/fs/bpf || fail "no BPF file system"
mount -t cgroup2 none /sys/fs/cgroup || fail "no cgroup2"
while read -r m; do insmod "/modules/$m" 2>/dev/null; done </modules/order
mkdir -p /tmp /run /var/lib /rows /sys/fs/cgroup/kubepods/pod11111111-1111-1111-1111-111111111111
ip link set lo up
ip link add eth0 type dummy || fail "no dummy device"
ip addr add 192.0.2.1/24 dev eth0; ip addr add 192.0.2.2/32 dev eth0; ip link set eth0 up
echo "kernel $(uname -r) $(uname -m)"
egret-sensor --out /rows --node boot --cluster boot --loopback --window 1s --segment-time 500ms 2>/tmp/sensor.err &
sensor=$!
# await PID FILE WORDS: until the file has the words or the process is gone.
await() { touch "$2"; while ! grep -q "$3" "$2" && kill -0 "$1" 2>/dev/null; do sleep 1; done; }
await $sensor /tmp/sensor.err "ready on"
cat /tmp/sensor.err
grep -q "ready on" /tmp/sensor.err || fail "the sensor is not ready"
in_pod() { sh -c 'echo 0 > /sys/fs/cgroup/kubepods/pod11111111-1111-1111-1111-111111111111/cgroup.procs; exec "$@"' x "$@"; }
nc -ll -p 8443 -e cat &
sleep 1
echo hello | in_pod timeout 20 nc 192.0.2.2 8443 >/tmp/answer
[ "$(cat /tmp/answer)" = hello ] || fail "no connection could be made"
egret-block serve >/tmp/block.out 2>&1 &
block=$!
await $block /tmp/block.out ready
cat /tmp/block.out
grep -q ready /tmp/block.out || fail "the blocking part is not ready"
egret-block status
in_pod sh -c 'sleep 1000 | nc 192.0.2.2 8443' &
until grep -q ':20FB 01 ' /proc/net/tcp; do sleep 1; done # 8443, established
egret-block add 192.0.2.2 --pod 11111111-1111-1111-1111-111111111111 --for 1h >/tmp/add.out || fail "no block"
cat /tmp/add.out
grep -q "1 open connection ended" /tmp/add.out || fail "the open connection was not ended"
echo no | in_pod timeout 20 nc 192.0.2.2 8443 2>/tmp/refused && fail "blocked and still connected"
cat /tmp/refused
echo yes | timeout 20 nc 192.0.2.2 8443 >/tmp/answer; [ "$(cat /tmp/answer)" = yes ] || fail "another than the pod was blocked"
egret-block list
kill -9 $block; sleep 1
echo no | in_pod timeout 20 nc 192.0.2.2 8443 2>/dev/null && fail "the block ended with its controller"
egret-block serve --socket /run/again.sock >/tmp/again.out 2>&1 &
await $! /tmp/again.out ready
cat /tmp/again.out
egret-block remove --all --socket /run/again.sock || fail "the next controller does not answer"
echo hello | in_pod timeout 20 nc 192.0.2.2 8443 >/tmp/answer; [ "$(cat /tmp/answer)" = hello ] || fail "the block is not taken back"
sleep 3
kill $sensor; wait $sensor
grep -h ASimNetworkSessionLogs /rows/*.ndjson | grep '"DstPortNumber":8443' | grep -m1 '"DstIpAddr":"192.0.2.2"' || { cat /rows/*.ndjson | head -c 3000; fail "no row of the connection"; }
grep -h ASimNetworkSessionLogs /rows/*.ndjson | grep '"DstPortNumber":8443' | grep -q 11111111-1111-1111-1111-111111111111 || fail "no row with the pod"
echo "BOOT-TEST PASSED"
poweroff -f
sleep 60
