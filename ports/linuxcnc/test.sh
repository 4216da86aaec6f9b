#!/usr/bin/env bash
# Runs the component and the controller against each other, and kills each.
#
#   test.sh COMPONENT CONTROLLER LIBRARIES    the built strait-hal and linuxcnc_controller, the folder of libstrait.so
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

work=$(mktemp -d)
mkdir "$work/bin"
cp -r "$1" "$2" "$3"/libstrait.so* "$here/example.hal" "$here/test-as-user.sh" "$work/bin"
chmod -R a+rX "$work"
trap 'rm -rf "$work"' EXIT
# Two HALs on one machine would be one.
if pgrep -x rtapi_app > /dev/null; then
    echo "a LinuxCNC runs on this machine, and would be stopped; stop it first"
    exit 1
fi
# LinuxCNC runs nothing as root.
if [ "$(id -u)" = 0 ]; then
    chown 65534:65534 "$work"
    setpriv --reuid=65534 --regid=65534 --clear-groups "$work/bin/test-as-user.sh" "$work"
else
    "$work/bin/test-as-user.sh" "$work"
fi
