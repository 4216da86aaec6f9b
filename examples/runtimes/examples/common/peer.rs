//! The process at the other end, which blocks and was given the doorbell, and the conversation with it.

use std::os::fd::AsFd;
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::time::Duration;

use strait::linux::{EventPort, doorbell};
use strait::{Attachment, Channel, Plan, RegionName, RegionOptions};

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const PLAN: Plan = Plan::new(&[
    Channel::slots::<u64>("questions", 4).producer_may_block().consumer_may_block(),
    Channel::slots::<u64>("answers", 4).producer_may_block().consumer_may_block(),
]);
const COUNT: u64 = 2000;
const LONG: Duration = Duration::from_secs(20);

/// Answers all questions, and blocks. Its standard input is the doorbell of the process that asks.
fn answer(name: &str) -> Result<()> {
    let bell = std::io::stdin().as_fd().try_clone_to_owned()?;
    let region = RegionName::new(name)?.open(&RegionOptions::new())?;
    let at = Attachment::attach(EventPort::new(region.port().clone(), doorbell()?, vec![bell]))?;
    let mut questions = at.typed_consumer::<u64>("questions")?;
    let mut answers = at.typed_producer::<u64>("answers")?;
    for _ in 0..COUNT {
        let question = questions.recv_timeout(LONG)?;
        answers.send_timeout(&(question * 2), LONG)?;
    }
    Ok(())
}

async fn ask(at: &Attachment<EventPort>) -> Result<()> {
    let mut questions = at.typed_producer::<u64>("questions")?;
    let mut answers = at.typed_consumer::<u64>("answers")?;
    for number in 0..COUNT {
        questions.send(&number).await?;
        assert_eq!(answers.recv().await?, number * 2, "in order, none lost");
    }
    Ok(())
}

/// What is to be run beside the port's driver.
type Conversation<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// Runs the conversation by `run`, which is given the port to drive; in the second process the answers.
pub fn play(run: impl FnOnce(EventPort, Conversation<'_>) -> Result<()>) -> Result<()> {
    if let Some(name) = std::env::args().nth(1) {
        return answer(&name);
    }
    let name = format!("runtimes-{}", std::process::id());
    let region = RegionName::new(&name)?.create(&PLAN, &RegionOptions::new())?;
    let bell = doorbell()?;
    let theirs = Stdio::from(bell.try_clone()?);
    let at = Attachment::attach(EventPort::new(region.port().clone(), bell, vec![]))?;
    let mut other = Command::new(std::env::current_exe()?).arg(&name).stdin(theirs).spawn()?;
    let ended = run(at.port().clone(), Box::pin(ask(&at)));
    let status = other.wait()?;
    RegionName::new(&name)?.remove()?;
    ended?;
    assert!(status.success());
    println!("{COUNT} answers awaited");
    Ok(())
}
