using System;
using System.Threading;
using System.Threading.Tasks;
using Strait;

/// <summary>The program of README.md, with both ends in one process: it checks its own result.</summary>
internal static class Example
{
    private struct Torque // In Rust: message! { struct Torque { axis: u32, newton_metres: f32 } }
    {
        public uint Axis;
        public float NewtonMetres;
    }

    private static int Main()
    {
        string place = "cs-example-" + System.Diagnostics.Process.GetCurrentProcess().Id;
        var plan = new Plan(Channel.Slots<Torque>("torque", 64), Channel.Mutex<double>("gain"));
        using (Region region = Region.OpenOrCreate(place, plan))
        using (Producer<Torque> producer = region.OpenProducer<Torque>("torque"))
        using (Consumer<Torque> consumer = region.OpenConsumer<Torque>("torque"))
        using (RecoveringMutex<double> gain = region.OpenMutex<double>("gain"))
        {
            using (LockedValue<double> held = gain.TryLock(TimeSpan.FromSeconds(1)))
            {
                held.Value = 2.5;
            }
            Task<Torque> next = consumer.ReceiveAsync(new CancellationTokenSource(10000).Token);
            producer.Send(new Torque { Axis = 2, NewtonMetres = 0.5f });
            Console.WriteLine("axis " + next.Result.Axis + ": " + next.Result.NewtonMetres + " Nm");
            using (LockedValue<double> held = gain.Lock())
            {
                Region.Remove(place);
                return next.Result.Axis == 2 && held.Value == 2.5 ? 0 : 1;
            }
        }
    }
}
