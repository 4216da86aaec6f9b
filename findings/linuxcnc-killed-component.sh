#!/usr/bin/env bash
# What:     a LinuxCNC HAL component in user space that is killed, and the HAL it was part of.
# Version:  LinuxCNC 2.9.0~pre1 of Debian 12 (packages linuxcnc-uspace and procps).
# Expected: its death shows, or `halcmd unload` takes the component out of the HAL, so that it can be started again.
# Seen:     the component is listed as `ready` by the number of a process that is gone, and its pins keep their last
#           values. `halcmd unload` exits with 0 and takes nothing out. Its name is refused as a duplicate until the
#           whole HAL, with the real-time threads, is stopped.
# Matters:  a drive goes on with the last command of a program that is dead, and nothing in the HAL can tell. Restarting
#           that program needs a stop of the machine, or another name for it and for every net that leads to it.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"

for tool in halcmd pkill setpriv; do
    command -v "$tool" > /dev/null || { echo "$tool is missing: install linuxcnc-uspace, procps and util-linux"; exit 2; }
done
version=$(dpkg-query -W -f '${Version}' linuxcnc-uspace)
case $version in
2.9.0~pre1+*) ;;
*) echo "this is stated for LinuxCNC 2.9.0~pre1, and here is $version"; exit 2 ;;
esac
if pgrep -x rtapi_app > /dev/null; then
    echo "a LinuxCNC runs here, and would be stopped"
    exit 2
fi
echo "version: LinuxCNC $version"

cat > axis.py <<'END'
import hal
import sys
import time

component = hal.component("axis")
component.newpin("speed", hal.HAL_FLOAT, hal.HAL_OUT)
component["speed"] = float(sys.argv[1])
component.ready()
time.sleep(float(sys.argv[2]))
END
cat > hal.sh <<'END'
set -u
export HOME=$PWD RTAPI_FIFO_PATH=$PWD/fifo
halcmd loadrt threads name1=servo period1=1000000
halcmd start
halcmd loadusr -Wn axis python3 axis.py 12.5 60
pkill -9 -u "$(id -u)" -f 'axis.py 12.5'
sleep 0.5
shown=$(halcmd -s show comp axis)
echo "after the kill: $(echo $shown)"
echo "after the kill: speed is $(halcmd getp axis.speed)"
halcmd unload axis
unloaded=$?
python3 axis.py 7 0 > again 2>&1
again=$?
echo "unload ends with $unloaded; the next component ends with $again: $(head -n 1 again)"
last=$(halcmd getp axis.speed)
echo "at the end: speed is $last"
halrun -U
case $shown in *ready*) ;; *) exit 1 ;; esac
[ "$last" = 12.5 ] && [ $unloaded = 0 ] && [ $again = 1 ] && grep -q 'duplicate component name' again
END
# LinuxCNC runs nothing as root.
if [ "$(id -u)" = 0 ]; then
    chown 65534:65534 "$dir"
    as="setpriv --reuid=65534 --regid=65534 --clear-groups"
fi
${as:-} bash hal.sh || { echo "changed: this is no longer what happens"; exit 1; }
