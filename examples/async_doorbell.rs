//! A task that awaits another process: its eventfd rings when the other one sends.
//!
//! The other process knows nothing of tasks. It blocks where it waits, and was given the doorbell to ring. The
//! executor is a dozen lines: it polls a task while that is ready, and the doorbell otherwise.
//!
//! `cargo run --example async_doorbell` starts the second process itself. Its result is checked.

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::AsFd;
    use std::pin::pin;
    use std::process::{Command, ExitStatus, Stdio};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Context, Poll, Wake, Waker};
    use std::time::Duration;

    use strait::linux::{EventPort, doorbell};
    use strait::{Attachment, Channel, Plan, RegionName, RegionOptions};

    /// Each direction is smaller than what goes through it, so both sides wait.
    const PLAN: Plan = Plan::new(&[
        Channel::frames("questions", 256, 32).producer_may_block().consumer_may_block(),
        Channel::slots::<u64>("answers", 4).producer_may_block().consumer_may_block(),
        Channel::latest::<u64>("progress").consumer_may_block(),
    ]);
    const COUNT: u64 = 10_000;
    const LONG: Duration = Duration::from_secs(20);

    type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

    /// The other process, which blocks. Its standard input is the doorbell.
    fn answer(name: &str) -> Result<()> {
        let bell = std::io::stdin().as_fd().try_clone_to_owned()?;
        let region = RegionName::new(name)?.open_or_create(&PLAN, &RegionOptions::new())?;
        let port = EventPort::new(region.port().clone(), doorbell()?, vec![bell]);
        let at = Attachment::attach(port)?;
        let mut questions = at.consumer("questions")?;
        let mut answers = at.typed_producer::<u64>("answers")?;
        let mut progress = at.latest_writer::<u64>("progress")?;
        let mut frame = [0; 32];
        for done in 1..=COUNT {
            let question = questions.recv_timeout(&mut frame, LONG)?;
            let text = std::str::from_utf8(&frame[..question.len])?;
            answers.send_timeout(&(text.parse::<u64>()? * 2), LONG)?;
            progress.publish(&done);
        }
        Ok(())
    }

    /// The doorbell rang for this task.
    struct Rung(AtomicBool);

    impl Wake for Rung {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Release);
        }
    }

    /// The executor: one task, on one thread, which sleeps at the doorbell.
    fn block_on<T>(port: &EventPort, task: impl Future<Output = T>) -> T {
        let rung = Arc::new(Rung(AtomicBool::new(false)));
        let (waker, mut task) = (Waker::from(rung.clone()), pin!(task));
        loop {
            if let Poll::Ready(done) = task.as_mut().poll(&mut Context::from_waker(&waker)) {
                return done;
            }
            while !rung.0.swap(false, Ordering::Acquire) {
                port.turn(LONG);
            }
        }
    }

    async fn ask(at: &Attachment<EventPort>) -> Result<u64> {
        let mut questions = at.producer("questions")?;
        let mut answers = at.typed_consumer::<u64>("answers")?;
        let mut progress = at.latest_reader::<u64>("progress")?;
        let mut sum = 0;
        let mut asked = 0;
        for number in 0..COUNT {
            // As many questions at a time as do not fill both queues: then both sides would wait for space.
            while asked < COUNT && asked < number + 8 {
                questions.send(0, asked.to_string().as_bytes()).await?;
                asked += 1;
            }
            let answer = answers.recv().await?;
            assert_eq!(answer, number * 2, "in order, none lost");
            sum += answer;
        }
        while progress.changed().await? < COUNT {}
        Ok(sum)
    }

    /// Starts the other process, with the doorbell for its standard input, and asks it.
    fn run() -> Result<(u64, ExitStatus)> {
        let name = format!("async-doorbell-{}", std::process::id());
        let region = RegionName::new(&name)?.create(&PLAN, &RegionOptions::new())?;
        let bell = doorbell()?;
        let theirs = Stdio::from(bell.try_clone()?);
        let at = Attachment::attach(EventPort::new(region.port().clone(), bell, vec![]))?;
        let mut other = Command::new(std::env::current_exe()?).arg(&name).stdin(theirs).spawn()?;
        let sum = block_on(at.port(), ask(&at));
        let ended = other.wait()?;
        RegionName::new(&name)?.remove()?;
        Ok((sum?, ended))
    }

    pub fn main() -> Result<()> {
        if let Some(name) = std::env::args().nth(1) {
            return answer(&name);
        }
        let (sum, ended) = run()?;
        assert!(ended.success());
        assert_eq!(sum, COUNT * (COUNT - 1));
        println!("{COUNT} answers awaited, sum {sum}");
        Ok(())
    }
}

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("SKIPPED: eventfds are Linux's");
}
