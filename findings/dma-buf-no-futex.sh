#!/usr/bin/env bash
# What:     what a process can do with a dma-buf (a udmabuf, and a buffer of the dma-heap `system`) that it can do with the
#           memfd of which the udmabuf is made.
# Version:  Linux 6.12 (Debian's cloud kernel of trixie), in QEMU 10.0.2 (1:10.0.2+ds-2+deb13u1~bpo12+1).
# Expected: it is memory behind a descriptor, of ordinary pages, and mapped shared. So a process-shared futex works in it, as
#           in any other, and the descriptor can be opened again through /proc/self/fd for an open file description of
#           its own, which has locks of its own.
# Seen:     a futex wait fails with EFAULT. Opening again fails with ENXIO, so that there is one description in all processes, and
#           a lock on it (F_OFD_SETLK) conflicts with nobody's. A private mapping fails with EINVAL.
# Matters:  process-shared mutexes, condition variables and semaphores of the C library do not sleep there, and no file lock
#           tells whether a peer lives. Put them into a memfd, and the bulk data alone into the buffer.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
qemu_version='1:10.0.2+ds-2+deb13u1~bpo12+1'

for tool in gcc apt-get dpkg python3; do
    command -v "$tool" > /dev/null || { echo "$tool is missing"; exit 2; }
done
# Lists of its own: what the system's apt has stays as it is.
mkdir -p lists/partial cache/archives/partial
touch status
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2> /dev/null | grep -oE 'https?://[^ ]+/debian/? ' | head -n 1 | tr -d ' ' || true)
mirror=${mirror:-http://deb.debian.org/debian}
for release in bookworm bookworm-backports trixie; do
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $release main"
done > sources
options=(-o Dir::Etc::sourcelist="$dir/sources" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$dir/lists"
    -o Dir::State::status="$dir/status" -o Dir::Cache="$dir/cache" -o APT::Architecture=amd64 -o APT::Architectures::=amd64
    -o Acquire::Languages=none -o APT::Sandbox::User=root -o Debug::NoLocking=1 -o APT::Default-Release=bookworm)
apt() {
    apt-get -qq "${options[@]}" "$@"
}
apt update
apt install -y --download-only --no-install-recommends -t bookworm-backports "qemu-system-x86=$qemu_version" > /dev/null \
    || { echo "the mirror has no qemu-system-x86 $qemu_version any more"; exit 2; }
for package in cache/archives/*.deb; do dpkg -x "$package" qemu; done
rm cache/archives/*.deb
kernel=$(apt-cache "${options[@]}" show linux-image-cloud-amd64 | sed -n 's/^Depends: \(linux-image-6\.12[^ ,]*\).*/\1/p' | head -n 1)
[ -n "$kernel" ] || { echo "the mirror has no linux-image-cloud-amd64 of 6.12 any more"; exit 2; }
apt download "$kernel"
dpkg -x linux-image-*.deb kernel
[ -e qemu/usr/lib64/ld-linux-x86-64.so.2 ] || { mkdir -p qemu/usr/lib64; cp -L qemu/lib64/ld-linux-x86-64.so.2 qemu/usr/lib64/; }
qemu() {
    qemu/usr/lib64/ld-linux-x86-64.so.2 --library-path qemu/usr/lib/x86_64-linux-gnu:qemu/lib/x86_64-linux-gnu \
        qemu/usr/bin/qemu-system-x86_64 -L qemu/usr/share/qemu -L qemu/usr/share/seabios "$@"
}
echo "version: $(qemu --version | head -n 1); $kernel"

cat > init.c <<'END'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/futex.h>
#include <linux/udmabuf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 65536 };

static const char *outcome(int failed) {
  return failed ? strerrorname_np(errno) : "works";
}

static void try(const char *what, int fd) {
  char path[64];
  struct timespec soon = {0, 1000000};
  uint32_t *word = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  int again;
  if (word == MAP_FAILED) {
    printf("RESULT %s: no mapping (%s)\n", what, outcome(1));
    return;
  }
  *word = 7;
  /* A futex that works waits until its time is over. */
  syscall(SYS_futex, word, FUTEX_WAIT, 7, &soon, NULL, 0);
  printf("RESULT %s: futex %s", what, errno == ETIMEDOUT ? "works" : outcome(1));
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  again = open(path, O_RDWR);
  printf(", opening again %s", outcome(again < 0));
  printf(", private mapping %s\n",
         outcome(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) == MAP_FAILED));
}

int main(void) {
  struct udmabuf_create of_pages = {.flags = UDMABUF_FLAGS_CLOEXEC, .size = SIZE};
  struct dma_heap_allocation_data of_heap = {.len = SIZE, .fd_flags = O_RDWR | O_CLOEXEC};
  int console, pages;
  mkdir("/dev", 0755);
  mkdir("/proc", 0755);
  mount("devtmpfs", "/dev", "devtmpfs", 0, 0);
  mount("proc", "/proc", "proc", 0, 0);
  console = open("/dev/console", O_RDWR);
  dup2(console, 0);
  dup2(console, 1);
  dup2(console, 2);
  setvbuf(stdout, NULL, _IOLBF, 0);
  pages = memfd_create("pages", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  ftruncate(pages, SIZE);
  fcntl(pages, F_ADD_SEALS, F_SEAL_SHRINK);
  of_pages.memfd = pages;
  try("memfd", pages);
  try("udmabuf", ioctl(open("/dev/udmabuf", O_RDWR), UDMABUF_CREATE, &of_pages));
  if (ioctl(open("/dev/dma_heap/system", O_RDONLY), DMA_HEAP_IOCTL_ALLOC, &of_heap) != 0) of_heap.fd = -1;
  try("heap", of_heap.fd);
  reboot(RB_POWER_OFF);
  return 0;
}
END
gcc -O1 -static -Wno-unused-result init.c -o init
# The archive of one program that the kernel unpacks as its first file system.
python3 - <<'END'
def entry(name, mode, data):
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
    pad = lambda part: part + b"\0" * (-len(part) % 4)
    return pad(head) + pad(data)

with open("init", "rb") as program, open("initramfs", "wb") as archive:
    archive.write(entry("init", 0o100755, program.read()) + entry("TRAILER!!!", 0, b""))
END
seen=$(qemu -M q35 -accel tcg -m 256M -nodefaults -display none -serial stdio -no-reboot -kernel kernel/boot/vmlinuz-* \
    -initrd initramfs -append "console=ttyS0 quiet loglevel=3 panic=-1" < /dev/null | tr -d '\r' | sed -n 's/^.*RESULT //p')
echo "$seen"
[ "$seen" = 'memfd: futex works, opening again works, private mapping works
udmabuf: futex EFAULT, opening again ENXIO, private mapping EINVAL
heap: futex EFAULT, opening again ENXIO, private mapping EINVAL' ] || { echo "changed: this is no longer what happens"; exit 1; }
