#!/usr/bin/env bash
# What:     one process-shared sem_t in a shared file, used by an x86-64 and by an i386 process.
# Version:  glibc 2.36 (Debian 12: packages gcc-12 and gcc-12-multilib).
# Expected: sem_init with pshared set makes a semaphore for any process that can reach the memory; its manual page asks
#           for nothing else. Both sides pass an aligned address with room for the larger sem_t.
# Seen:     the two layouts store the count differently. Each side reads a count that the other did not write: half of
#           it, or twice. A post by the 64-bit side may add nothing for the 32-bit one, and one by the 32-bit side adds
#           two for the other. Every call returns 0.
# Matters:  a 32-bit control program beside a 64-bit user interface is common on industrial machines. Their semaphore
#           lets too many through or too few, without one error.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

version=$(getconf GNU_LIBC_VERSION)
[ "$version" = "glibc 2.36" ] || { echo "this is stated for glibc 2.36, and this system has $version"; exit 2; }
command -v gcc-12 > /dev/null || { echo "gcc-12 is missing: install the package gcc-12"; exit 2; }
[ "$(uname -m)" = x86_64 ] || { echo "this needs an x86-64 machine"; exit 2; }

cat > count.c <<'END'
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* count FILE init N | post | value: prints the count after the step. */
int main(int argc, char **argv) {
    if (argc < 3) return 2;
    int file = open(argv[1], O_RDWR | O_CREAT, 0600);
    if (file < 0 || ftruncate(file, 4096)) return 2;
    sem_t *semaphore = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (semaphore == MAP_FAILED) return 2;
    int result = 0, count = -1;
    if (!strcmp(argv[2], "init")) result = sem_init(semaphore, 1, (unsigned)atoi(argv[3]));
    if (!strcmp(argv[2], "post")) result = sem_post(semaphore);
    if (result || sem_getvalue(semaphore, &count)) return 3;
    printf("%d\n", count);
    return 0;
}
END
gcc-12 -O1 -Wall -pthread count.c -o count64
gcc-12 -m32 -O1 -Wall -pthread count.c -o count32 2> errors ||
    { echo "gcc-12 -m32 does not link: install the package gcc-12-multilib"; exit 2; }

echo "version: $version, gcc $(gcc-12 -dumpfullversion)"
made=$(./count64 semaphore init 6)
seen=$(./count32 semaphore value)
own=$(./count64 semaphore post)
posted=$(./count32 semaphore value)
echo "x86-64 makes a count of $made: i386 reads $seen; x86-64 posts once and reads $own: i386 reads $posted"
made32=$(./count32 other init 6)
seen64=$(./count64 other value)
own32=$(./count32 other post)
posted64=$(./count64 other value)
echo "i386 makes a count of $made32: x86-64 reads $seen64; i386 posts once and reads $own32: x86-64 reads $posted64"

[ "$made,$seen,$own,$posted" = 6,3,7,3 ] && [ "$made32,$seen64,$own32,$posted64" = 6,12,7,14 ] ||
    { echo "changed: this is no longer what happens"; exit 1; }
