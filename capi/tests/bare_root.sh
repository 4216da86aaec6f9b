#!/bin/sh
# bare_root.sh ROOT PREFIX: what is installed in PREFIX, used as in two containers. To be run in namespaces of its own:
# unshare --user --map-root-user --mount sh capi/tests/bare_root.sh ROOT PREFIX
#
# The first has the distribution's /usr, PREFIX as /usr/local, and the examples; no /etc, no home, no checkout. CMake finds
# the package there without being told where, builds the examples, and runs them. The second has the built programs and
# the libraries that they name, and not even a shell.
set -eu
root=$1 prefix=$2 examples=$(dirname "$0")/../examples

mkdir -p "$root/usr" "$root/dev/shm" "$root/tmp" "$root/bare/dev/shm"
cp -r "$examples" "$root/src"
for name in bin sbin lib lib32 lib64; do
  if [ -L "/$name" ]; then
    ln -s "$(readlink "/$name")" "$root/$name"
  elif [ -d "/$name" ]; then
    mkdir "$root/$name" && mount --bind "/$name" "$root/$name" && mount -o remount,bind,ro "$root/$name"
  fi
done
mount --rbind /usr "$root/usr" && mount -o remount,bind,ro "$root/usr"
mount --bind "$prefix" "$root/usr/local" && mount -o remount,bind,ro "$root/usr/local"
: > "$root/dev/null" && mount --bind /dev/null "$root/dev/null"
mount -t tmpfs none "$root/dev/shm"

env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" sh -euc '
  cmake -S src -B build -DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++
  cmake --build build
  ctest --output-on-failure --test-dir build
  for program in hello hello-static hello-cpp; do
    for file in /build/$program $(ldd build/$program | grep -o "/[^ ]*"); do
      mkdir -p "bare${file%/*}"
      cp -L "$file" "bare$file"
    done
  done'

mount -t tmpfs none "$root/bare/dev/shm"
for program in hello hello-static hello-cpp; do
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root/bare" "/build/$program"
done
