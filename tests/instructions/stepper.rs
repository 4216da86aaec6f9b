//! The parent's side: a child is single-stepped through one call at a time.

use std::collections::{BTreeMap, HashMap};

use nix::libc::user_regs_struct;
use nix::sys::ptrace::{self, AddressType};

use super::common::Name;
use super::common::tracee::Tracee;
use super::x86::{Costly, LONGEST, judge};

/// The child's last line, when it has shown everything.
pub const END: &str = "end";

/// Steps that lead from a child's stop to the call that it shows, at the most.
const APPROACH: u32 = 100_000;

/// One call, as it was executed.
pub struct Call {
    /// The child's name of it.
    pub name: String,
    /// The place of every instruction in its order, the called function's `ret` included; counted
    /// from the program's start, as a disassembly of it counts.
    pub trace: Vec<u64>,
    /// The costly instructions among them, and their counts.
    pub found: BTreeMap<Costly, usize>,
}

/// A stopped thread of a child, and where its program is mapped.
struct Stepper {
    tracee: Tracee,
    base: u64,
    judged: HashMap<u64, Option<Costly>>,
}

/// Starts a child in `role` and steps through every call that it shows.
pub fn watch(role: &str, name: &Name) -> Vec<Call> {
    let (kid, tracee) = Tracee::spawn(role, name).expect("a child may be traced");
    let mut stepper = Stepper { tracee, base: base(kid.pid()), judged: HashMap::new() };
    let mut calls = Vec::new();
    loop {
        stepper.tracee.run_to_stop();
        let line = kid.hear();
        if line == END {
            return calls;
        }
        let (name, entry) = line.split_once(' ').expect("a name and an address");
        let entry = entry.parse().expect("an address");
        calls.push(stepper.through(name, entry));
    }
}

/// Where a process's program is mapped.
fn base(pid: i32) -> u64 {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).expect("it lives");
    let program = std::env::current_exe().expect("this program has a path");
    let program = program.to_str().expect("a path of letters");
    let first = maps.lines().find(|line| line.ends_with(program)).expect("its program is mapped");
    let start = first.split('-').next().expect("a range");
    u64::from_str_radix(start, 16).expect("an address")
}

impl Stepper {
    /// Steps up to `entry`, and then until the function there has returned.
    fn through(&mut self, name: &str, entry: u64) -> Call {
        let mut at = self.registers();
        for _ in 0..APPROACH {
            if at.rip == entry {
                break;
            }
            at = self.step();
        }
        assert_eq!(at.rip, entry, "{name}: the child never came there");
        let (home, frame) = (self.peek(at.rsp).expect("a return address"), at.rsp);
        let mut call = Call { name: name.to_owned(), trace: Vec::new(), found: BTreeMap::new() };
        while at.rip != home || at.rsp <= frame {
            let costly = self.judge(at.rip);
            let place = at.rip.wrapping_sub(self.base);
            // Each round of a repeated instruction is a step of its own.
            if costly != Some(Costly::Repeated) || call.trace.last() != Some(&place) {
                call.trace.push(place);
                costly.into_iter().for_each(|costly| *call.found.entry(costly).or_default() += 1);
            }
            at = self.step();
        }
        call
    }

    fn step(&self) -> user_regs_struct {
        assert!(self.tracee.step(), "the child stopped itself before the call was over");
        self.registers()
    }

    fn registers(&self) -> user_regs_struct {
        ptrace::getregs(self.tracee.thread()).expect("it is stopped")
    }

    fn judge(&mut self, address: u64) -> Option<Costly> {
        if let Some(&known) = self.judged.get(&address) {
            return known;
        }
        let mut bytes = [0; 16];
        for (word, at) in bytes.chunks_exact_mut(8).zip([address, address + 8]) {
            // Past an instruction that ends its mapping there is nothing to read.
            word.copy_from_slice(&self.peek(at).unwrap_or(0).to_le_bytes());
        }
        let costly = judge(bytes.first_chunk::<LONGEST>().expect("16 are enough"));
        self.judged.insert(address, costly);
        costly
    }

    fn peek(&self, address: u64) -> nix::Result<u64> {
        ptrace::read(self.tracee.thread(), address as AddressType).map(|word| word as u64)
    }
}
