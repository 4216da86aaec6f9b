using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Threading;
using Strait;

namespace Tests
{
    /// <summary>Marks a test: a static method without arguments, which fails by throwing.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    internal sealed class TestAttribute : Attribute
    {
    }

    /// <summary>
    /// Runs every test, or those with one of the words given in their names. mono has no test framework of its own.
    /// </summary>
    internal static class Runner
    {
        private static int Main(string[] words)
        {
            int failed = 0;
            int ran = 0;
            var tests = typeof(Runner).Assembly.GetTypes()
                .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
                .Where(method => method.GetCustomAttribute<TestAttribute>() != null)
                .Where(method => words.Length == 0 || words.Any(word => Named(method).Contains(word)))
                .OrderBy(Named);
            foreach (MethodInfo test in tests)
            {
                ran++;
                try
                {
                    test.Invoke(null, null);
                    Console.WriteLine("ok      " + Named(test));
                }
                catch (TargetInvocationException error)
                {
                    failed++;
                    Console.WriteLine("FAILED  " + Named(test) + "\n" + error.InnerException);
                }
            }
            Console.WriteLine(ran + " tests, " + failed + " failed");
            return failed == 0 && ran > 0 ? 0 : 1;
        }

        private static string Named(MethodInfo test) => test.DeclaringType.Name + "." + test.Name;
    }

    /// <summary>What tests assert.</summary>
    internal static class Assert
    {
        internal static void That(bool holds, string what)
        {
            if (!holds)
            {
                throw new Exception("not so: " + what);
            }
        }

        internal static void Equal<T>(T expected, T found, string what)
        {
            That(Equals(expected, found), what + " is " + found + ", expected " + expected);
        }

        internal static TError Throws<TError>(Action action) where TError : Exception
        {
            try
            {
                action();
            }
            catch (TError error)
            {
                return error;
            }
            throw new Exception("no " + typeof(TError).Name + " was thrown");
        }

        /// <summary>The action fails with this status, and its text is more than a number.</summary>
        internal static StraitException Fails(StraitStatus status, Action action)
        {
            StraitException error = Throws<StraitException>(action);
            Equal(status, error.Status, "the status of `" + error.Message + "`");
            That(error.Message.Length > 20, "the text says what to do: " + error.Message);
            return error;
        }
    }

    /// <summary>A region of the test's own, removed at the end.</summary>
    internal sealed class Place : IDisposable
    {
        private static int last;

        internal Place()
        {
            Name = "cs-" + Process.GetCurrentProcess().Id + "-" + Interlocked.Increment(ref last);
        }

        internal string Name { get; }

        public void Dispose()
        {
            try
            {
                Region.Remove(Name);
            }
            catch (StraitException error)
            {
                Assert.Equal(StraitStatus.NotFound, error.Status, error.Message);
            }
        }
    }

    /// <summary>The Rust process examples/partner.rs in one of its roles, killed at the end.</summary>
    internal sealed class Partner : IDisposable
    {
        private readonly Process process;

        internal Partner(string role, string name)
        {
            string program = Environment.GetEnvironmentVariable("STRAIT_PARTNER");
            Assert.That(program != null && File.Exists(program), "STRAIT_PARTNER names the built examples/partner.rs");
            process = Process.Start(new ProcessStartInfo(program, role + " " + name)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                UseShellExecute = false,
            });
            Assert.Equal("ready", process.StandardOutput.ReadLine(), "the partner's first line");
        }

        /// <summary>Kills it, by SIGKILL, and waits until it is gone.</summary>
        internal void Kill()
        {
            process.Kill();
            process.WaitForExit();
        }

        public void Dispose()
        {
            if (!process.HasExited)
            {
                Kill();
            }
            process.Dispose();
        }
    }

    /// <summary>What the tests wait at most: long, because the machine may be busy.</summary>
    internal static class Limits
    {
        internal static readonly TimeSpan Long = TimeSpan.FromSeconds(30);
        internal static readonly TimeSpan Short = TimeSpan.FromMilliseconds(50);
    }
}
