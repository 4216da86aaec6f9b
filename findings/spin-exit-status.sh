#!/usr/bin/env bash
# What:     the exit status of a verifier made by the model checker SPIN.
# Version:  SPIN 6.5.2 (Debian 12: package spin).
# Expected: like every test tool, a status other than 0 when an assertion is violated or the search was not completed.
# Seen:     the verifier exits with 0 when it found a violated assertion. It also exits with 0, and reports "errors: 0",
#           when the search was cut off by its limit of depth before it came to that assertion.
# Matters:  queue and lock protocols are often kept correct by a SPIN model that runs in CI. With `set -e` or a make
#           rule alone that run is green whatever the model says; the text of the report has to be searched, for both.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

command -v spin > /dev/null || { echo "spin is missing: install the package spin"; exit 2; }
version=$(spin -V | sed -n 's/^Spin Version \([0-9.]*\).*/\1/p')
[ "$version" = 6.5.2 ] || { echo "this is stated for SPIN 6.5.2, and spin is $version"; exit 2; }

cat > queue.pml <<'END'
/* A sender of 40 messages, and a false claim about the last one. */
chan queue = [1] of { byte };

active proctype sender() {
    byte next = 0;
    do
    :: next < 40 -> queue ! next; next++
    :: else -> break
    od
}

active proctype receiver() {
    byte got;
    do
    :: queue ? got -> assert(got < 39)
    od
}
END
spin -a queue.pml
gcc -O1 -w -o pan pan.c

check() {
    local status=0
    ./pan "$@" > report 2>&1 || status=$?
    errors=$(sed -n 's/.*\(errors: [0-9]*\).*/\1/p' report)
    reason=$(grep -m1 -o 'assertion violated.*\|max search depth too small' report)
    echo "pan ${*:-with no option}: $errors, exit status $status; $reason"
    [ "$status" = 0 ]
}

echo "version: SPIN $version"
same=yes
check || same=no
[ "$errors" = "errors: 1" ] || same=no
check -m50 || same=no
[ "$errors" = "errors: 0" ] || same=no
[ "$same" = yes ] || { echo "changed: this is no longer what happens"; exit 1; }
