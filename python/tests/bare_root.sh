#!/bin/sh
# bare_root.sh ROOT PYTHON WHEEL: the wheel installed and used as in a container. To be run in namespaces of its own:
# unshare --user --map-root-user --mount sh python/tests/bare_root.sh ROOT PYTHON WHEEL
#
# The root has Python's own files, the libraries that these and the wheel name, and pip; no shell, no /etc, no home, no
# checkout, no other package. PYTHON is that of an environment with pip.
set -eu
root=$1 python=$2 wheel=$3

mkdir -p "$root/dev/shm" "$root/tmp" "$root/pip" "$root/wheel"
cp "$wheel" "$root/wheel"
cp "$(dirname "$0")/bare_root.py" "$root/program.py"
base=$("$python" -c 'import os, sys; print(os.path.realpath(sys._base_executable))')
library=$("$python" -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
pip=$("$python" -c 'import os, pip; print(os.path.dirname(os.path.dirname(pip.__file__)))')

# What the native module of the wheel names is the system's: libc and libgcc_s.
"$python" -m zipfile -e "$wheel" "$root/tmp/unpacked"
for file in "$base" $(ldd "$base" "$library"/lib-dynload/*.so "$root"/tmp/unpacked/strait/*.so | sed -n 's|.*[[:space:]]\(/[^ ]*\) (0x.*|\1|p'); do
  mkdir -p "$root${file%/*}"
  cp -L "$file" "$root$file"
done
rm -r "$root/tmp/unpacked"
mkdir -p "$root$library" && mount --bind "$library" "$root$library"
# Packages that somebody has installed are not Python's own files.
for packages in site-packages dist-packages; do
  if [ -d "$root$library/$packages" ]; then mount -t tmpfs none "$root$library/$packages"; fi
done
mount -o remount,bind,ro "$root$library"
mkdir "$root/pip/pip" && mount --bind "$pip/pip" "$root/pip/pip" && mount -o remount,bind,ro "$root/pip/pip"
: > "$root/dev/null" && mount --bind /dev/null "$root/dev/null"
: > "$root/dev/urandom" && mount --bind /dev/urandom "$root/dev/urandom"
mount -t tmpfs none "$root/dev/shm"

inside() {
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$path" chroot "$root" "$@"
}
path= inside "$base" -m venv --without-pip /environment
path=/pip inside /environment/bin/python3 -m pip --disable-pip-version-check -q install --no-index "/wheel/$(basename "$wheel")"
path= inside /environment/bin/python3 /program.py
