#!/usr/bin/env bash
# What:     named Mutex, EventWaitHandle and Semaphore of .NET under Mono, in two processes of one user.
# Version:  Mono 6.8.0.105 (Debian 12: packages mono-runtime and mono-mcs).
# Expected: the documentation of .NET says that a name makes the object visible throughout the operating system.
# Seen:     each process gets an object of its own with that name, and is told that it created it. Inside one process
#           the name works. No exception is thrown, where .NET on Unix refuses names that it cannot share.
# Matters:  a lock between processes that excludes nobody. A program that was tested on Windows, or with both ends in
#           one process, runs under Mono with its shared memory unprotected.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

for tool in mono mcs; do
    command -v "$tool" > /dev/null || { echo "$tool is missing: install mono-runtime and mono-mcs"; exit 2; }
done
version=$(mono --version | sed -n '1s/.*version \([0-9.]*\).*/\1/p')
[ "$version" = 6.8.0.105 ] || { echo "this is stated for Mono 6.8.0.105, and mono is $version"; exit 2; }

cat > named.cs <<'END'
using System;
using System.Diagnostics;
using System.Reflection;
using System.Threading;

static class Named {
    static string Create(string name) {
        bool mutex, signal, semaphore;
        GC.KeepAlive(new Mutex(true, name + "-mutex", out mutex));
        GC.KeepAlive(new EventWaitHandle(false, EventResetMode.ManualReset, name + "-event", out signal));
        GC.KeepAlive(new Semaphore(1, 1, name + "-semaphore", out semaphore));
        return "mutex " + mutex + ", event " + signal + ", semaphore " + semaphore;
    }

    static int Main(string[] arguments) {
        if (arguments.Length == 2) {
            Console.WriteLine(Create(arguments[1]));
            return 0;
        }
        string name = "finding-" + Process.GetCurrentProcess().Id;
        bool mutex, signal, semaphore, again;
        // Held until the end, so that the second process finds them if it can.
        var first = new Mutex(true, name + "-mutex", out mutex);
        var second = new EventWaitHandle(false, EventResetMode.ManualReset, name + "-event", out signal);
        var third = new Semaphore(1, 1, name + "-semaphore", out semaphore);
        new Mutex(false, name + "-mutex", out again);
        Console.WriteLine("created by the first process:  mutex " + mutex + ", event " + signal
            + ", semaphore " + semaphore);
        Console.WriteLine("created again in it:           mutex " + again);
        var start = new ProcessStartInfo("mono", Assembly.GetExecutingAssembly().Location + " child " + name);
        start.UseShellExecute = false;
        start.RedirectStandardOutput = true;
        string other;
        using (var child = Process.Start(start)) {
            other = child.StandardOutput.ReadToEnd().Trim();
            child.WaitForExit();
        }
        Console.WriteLine("created by the second process: " + other);
        GC.KeepAlive(first);
        GC.KeepAlive(second);
        GC.KeepAlive(third);
        return !again && other == "mutex True, event True, semaphore True" ? 0 : 1;
    }
}
END
mcs -nologo named.cs

echo "version: Mono $version"
mono named.exe || { echo "changed: this is no longer what happens"; exit 1; }
