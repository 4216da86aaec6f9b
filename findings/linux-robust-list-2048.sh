#!/usr/bin/env bash
# What:     robust POSIX mutexes (PTHREAD_MUTEX_ROBUST, process-shared) of a process that dies holding many of them.
# Version:  Linux 6.18 (ROBUST_LIST_LIMIT in the kernel, unchanged for many releases) with glibc 2.36; seen on Debian 12.
# Expected: the manual pages of pthread_mutexattr_setrobust promise EOWNERDEAD to the next locker, with no number given.
# Seen:     the kernel follows the dead thread's list for 2048 entries and stops. The mutexes that were locked first are
#           at the end of that list: they stay locked by a thread that no longer exists, and nothing ever reports it.
# Matters:  one robust mutex for each slot, buffer or subscriber looks like a safe design. Above 2048 held at one time,
#           recovery silently covers only the newest of them.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat > many.c <<'END'
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COUNT = 3000, LIMIT = 2048 };

int main(void) {
    pthread_mutex_t *lock = mmap(NULL, COUNT * sizeof *lock, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    for (int i = 0; i < COUNT; i++) pthread_mutex_init(&lock[i], &attributes);

    pid_t owner = fork();
    if (owner == 0) {
        for (int i = 0; i < COUNT; i++) pthread_mutex_lock(&lock[i]);
        _exit(0); /* dies with all of them */
    }
    waitpid(owner, NULL, 0);

    int told = 0, lost = 0, last_lost = -1;
    for (int i = 0; i < COUNT; i++) {
        int result = pthread_mutex_trylock(&lock[i]);
        if (result == EOWNERDEAD) told++;
        if (result == EBUSY) lost++, last_lost = i;
    }
    printf("%d robust mutexes held at death: %d report EOWNERDEAD, %d stay EBUSY (the first %d that were locked)\n",
           COUNT, told, lost, last_lost + 1);
    return told == LIMIT && lost == COUNT - LIMIT && last_lost + 1 == lost ? 0 : 1;
}
END
gcc -O1 -Wall -pthread many.c -o many

echo "version: Linux $(uname -r), $(getconf GNU_LIBC_VERSION)"
./many || { echo "changed: this is no longer what happens"; exit 1; }
