#!/usr/bin/env bash
# The part of test.sh that runs as a user: test-as-user.sh FOLDER, with all programs in FOLDER/bin.
set -euo pipefail
work=$1
region=linuxcnc-test-$$
export HOME=$work PATH=$work/bin:$PATH RTAPI_FIFO_PATH=$work/fifo LD_LIBRARY_PATH=$work/bin
cd "$work"

fail() {
    echo "FAILED: $*"
    halcmd show pin strait || true
    exit 1
}

cleanup() {
    [ -z "${pid:-}" ] || kill -9 "$pid" 2> /dev/null || true
    halrun -U > /dev/null 2>&1 || true
    rm -f "/dev/shm/strait.$region"
}
trap cleanup EXIT

pin() { halcmd getp "$1"; }

# within WHAT COMMAND..: the command succeeds within ten seconds.
within() {
    local what=$1 end=$((SECONDS + 10))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "$what"
        sleep 0.02
    done
    echo "ok: $what"
}

is() { [ "$(pin "$1")" = "$2" ]; }
above() { awk -v value="$(pin "$1")" -v bound="$2" 'BEGIN { exit !(value > bound) }'; }
below() { awk -v value="$(pin "$1")" -v bound="$2" 'BEGIN { exit !(value < bound) }'; }
start() {
    linuxcnc_controller "$region" > controller.log 2>&1 &
    pid=$!
}

refuses() {
    local status=0
    strait-hal "$@" 2> refusal || status=$?
    [ $status = 2 ] || fail "strait-hal $* ends with $status"
    echo "ok: $(head -n 1 refusal)"
}
refuses --region x
refuses --publish a b:float
refuses --region x --read a
refuses --region x --read a b:s32 c:float
refuses --region x --read a b:real
refuses --region x --period-us 0 --read a b:bit
refuses --region x --read a b:bit --read a b:bit
strait-hal --print --publish feedback position:float enabled:bit | grep -q 'pub pad: u32' || fail "--print"

sed "s/linuxcnc-example/$region/" bin/example.hal > test.hal
halcmd -f test.hal

within "the component makes the region" is strait.connected TRUE
within "nobody commands yet" is strait.command.silent TRUE
start
within "a command comes" is strait.command.run TRUE
within "the axis is steered to its target" above strait.feedback.position 9.9
within "a pin comes back within a period of the servo thread" below minmax.0.min 1.5
echo "    periods that what came back was old, by now: at least $(pin minmax.0.min), at most $(pin minmax.0.max)"

kill -9 "$pid"
within "the killed controller is silent" is strait.command.silent TRUE
is strait.connected TRUE || fail "the region lives on"
halcmd setp integ.0.reset 1
halcmd setp integ.0.reset 0
start
within "the next controller commands" is strait.command.silent FALSE
within "and the axis is steered again" above strait.feedback.position 9.9

# A busy machine may have stopped the component for longer than the watchdog allows.
watched() {
    halcmd setp watchdog.enable-in 0
    sleep 0.1
    halcmd setp watchdog.enable-in 1
    sleep 0.1
    is watchdog.ok-out TRUE
}
within "the watchdog sees the component's heartbeat" watched
kill -9 "$(pgrep -u "$(id -u)" -x strait-hal)"
kill -0 "$pid" || fail "the controller lives on"
echo "ok: the controller outlives the component"
within "the watchdog sees that the component is dead" is watchdog.ok-out FALSE
# The HAL keeps the pins of a killed component, so the next has a name of its own.
before=$(pin strait.command.updates)
halcmd loadusr -Wn next strait-hal --name next --region "$region" --period-us 200 \
    --publish feedback position:float ticks:float enabled:bit --read command velocity:float ticks:float run:bit
halcmd setp next.feedback.enabled 1
within "the next component takes the writer's role over" is next.connected TRUE
within "and is commanded" is next.command.run TRUE
[ "$(pin strait.command.updates)" = "$before" ] || fail "the killed component still reads"

rm "/dev/shm/strait.$region"
within "a region that is gone is made anew" is next.command.silent TRUE
is next.connected TRUE || within "and opened" is next.connected TRUE
ended() { ! kill -0 "$pid" 2> /dev/null; }
within "the controller sees it too" ended
start
within "and the next controller commands there" is next.command.run TRUE
echo "all ok"
