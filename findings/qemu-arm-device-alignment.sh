#!/usr/bin/env bash
# What:     QEMU's aarch64 machine, one processor or two, and accesses to a PCI device's memory that are not aligned.
# Version:  QEMU 10.0.2 (1:10.0.2+ds-2+deb13u1~bpo12+1), Debian's cloud kernel 6.1 in the guest.
# Expected: Linux maps that memory as Device memory, in which ARM's processors fault on such an access: SIGBUS. An
#           emulator that models this does so however many processors the machine has.
# Seen:     with `-smp 2` a load of 8 bytes at offset 4 ends by SIGBUS; with `-smp 1`, which is the default, it passes.
#           A load of a 16-byte register at offset 8, which faults on processors too, passes in both.
# Matters:  a test of a driver or of shared memory in the default machine is green whatever the program does, and the
#           program dies on the board. Test with two processors at least; QEMU 11 checks the 16-byte accesses too.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
qemu_version='1:10.0.2+ds-2+deb13u1~bpo12+1'

for tool in aarch64-linux-gnu-gcc apt-get dpkg python3; do
    command -v "$tool" > /dev/null || { echo "$tool is missing: install gcc-aarch64-linux-gnu and libc6-dev-arm64-cross"; exit 2; }
done
# Lists of its own: what the system's apt has stays as it is.
mkdir -p lists/partial cache/archives/partial
touch status
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2> /dev/null | grep -oE 'https?://[^ ]+/debian/? ' | head -n 1 | tr -d ' ' || true)
mirror=${mirror:-http://deb.debian.org/debian}
for release in bookworm bookworm-backports; do
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $release main"
done > sources
options=(-o Dir::Etc::sourcelist="$dir/sources" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$dir/lists"
    -o Dir::State::status="$dir/status" -o Dir::Cache="$dir/cache" -o APT::Architecture=amd64 -o APT::Architectures::=amd64
    -o APT::Architectures::=arm64 -o Acquire::Languages=none -o APT::Sandbox::User=root -o Debug::NoLocking=1)
apt() {
    apt-get -qq "${options[@]}" "$@"
}
apt update
apt install -y --download-only --no-install-recommends -t bookworm-backports "qemu-system-arm=$qemu_version" > /dev/null \
    || { echo "the mirror has no qemu-system-arm $qemu_version any more"; exit 2; }
for package in cache/archives/*.deb; do dpkg -x "$package" qemu; done
rm cache/archives/*.deb
kernel=$(apt-cache "${options[@]}" depends linux-image-cloud-arm64:arm64 | sed -n 's/^.*Depends: //p' | head -n 1)
apt download "$kernel"
dpkg -x linux-image-*.deb kernel
qemu() {
    qemu/usr/lib64/ld-linux-x86-64.so.2 --library-path qemu/usr/lib/x86_64-linux-gnu:qemu/lib/x86_64-linux-gnu \
        qemu/usr/bin/qemu-system-aarch64 -L qemu/usr/share/qemu "$@"
}
[ -e qemu/usr/lib64/ld-linux-x86-64.so.2 ] || { mkdir -p qemu/usr/lib64; cp -L qemu/lib64/ld-linux-x86-64.so.2 qemu/usr/lib64/; }
echo "version: $(qemu --version | head -n 1); $kernel"

cat > init.c <<'END'
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <dirent.h>

static volatile char *memory;

static void eight_at_four(void) {
  uint64_t value;
  __asm__ volatile("ldr %0, [%1, #0]" : "=r"(value) : "r"(memory + 4) : "memory");
}

static void sixteen_at_eight(void) {
  __asm__ volatile("ldr q0, [%0]" : : "r"(memory + 8) : "v0", "memory");
}

static void eight_at_eight(void) {
  uint64_t value;
  __asm__ volatile("ldr %0, [%1]" : "=r"(value) : "r"(memory + 8) : "memory");
}

static void try(const char *what, void (*access)(void)) {
  int status = 0;
  pid_t child = fork();
  if (child == 0) {
    access();
    _exit(0);
  }
  waitpid(child, &status, 0);
  printf("RESULT %s %s\n", what, WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "passes");
}

/* The memory of the device 1af4:1110. */
static int resource(void) {
  struct dirent *entry;
  DIR *devices = opendir("/sys/bus/pci/devices");
  while (devices && (entry = readdir(devices))) {
    char path[300], id[16] = "";
    int file;
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/device", entry->d_name);
    file = open(path, O_RDONLY);
    if (file < 0 || read(file, id, 6) != 6 || strcmp(id, "0x1110") != 0) continue;
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/enable", entry->d_name);
    file = open(path, O_WRONLY);
    if (write(file, "1", 1) != 1) puts("not enabled");
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/resource2", entry->d_name);
    return open(path, O_RDWR);
  }
  return -1;
}

int main(void) {
  int console;
  mkdir("/dev", 0755);
  mkdir("/sys", 0755);
  mount("devtmpfs", "/dev", "devtmpfs", 0, 0);
  mount("sysfs", "/sys", "sysfs", 0, 0);
  console = open("/dev/console", O_RDWR);
  dup2(console, 0);
  dup2(console, 1);
  dup2(console, 2);
  setvbuf(stdout, NULL, _IONBF, 0);
  memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, resource(), 0);
  if (memory == MAP_FAILED) puts("RESULT no device");
  try("8-at-8", eight_at_eight);
  try("8-at-4", eight_at_four);
  try("16-at-8", sixteen_at_eight);
  reboot(RB_POWER_OFF);
  return 0;
}
END
aarch64-linux-gnu-gcc -O1 -static init.c -o init
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
boot() {
    qemu -M virt -cpu cortex-a72 -smp "$1" -accel tcg,thread=multi -m 256M -nodefaults -display none -serial stdio \
        -no-reboot -kernel kernel/boot/vmlinuz-* -initrd initramfs -append "console=ttyAMA0 quiet loglevel=3 panic=-1" \
        -object memory-backend-file,id=m,size=16M,mem-path="$dir/memory",share=on -device ivshmem-plain,memdev=m \
        < /dev/null | tr -d '\r' | sed -n 's/^.*RESULT //p'
}
one=$(boot 1)
two=$(boot 2)
printf 'one processor:\n%s\ntwo processors:\n%s\n' "$one" "$two" | sed 's/^\([0-9]\)/  \1/'
[ "$one" = $'8-at-8 passes\n8-at-4 passes\n16-at-8 passes' ] && [ "$two" = $'8-at-8 passes\n8-at-4 Bus error\n16-at-8 passes' ] \
    || { echo "changed: this is no longer what happens"; exit 1; }
