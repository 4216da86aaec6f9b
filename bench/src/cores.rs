//! The two cores on which the sides run.

use std::fs;

use nix::sched::sched_getaffinity;
use nix::unistd::Pid;

use crate::error::Result;

/// Two CPUs that this process may use: of different cores, if there are such.
pub fn pair() -> Result<(usize, usize)> {
    let set = sched_getaffinity(Pid::from_raw(0)).map_err(|error| format!("sched_getaffinity: {error}"))?;
    let open: Vec<usize> =
        (0..nix::sched::CpuSet::count()).filter(|&cpu| set.is_set(cpu) == Ok(true)).collect();
    choose(&open, |cpu| {
        let path = format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
        fs::read_to_string(path).map_or(format!("{cpu}"), |list| list.trim().to_owned())
    })
}

/// The first CPU, and the first that is not of the same core; `core` tells cores apart.
fn choose(open: &[usize], core: impl Fn(usize) -> String) -> Result<(usize, usize)> {
    let (&first, others) = open.split_first().ok_or("this process may run on no CPU")?;
    let own = core(first);
    let second = others.iter().find(|&&cpu| core(cpu) != own).or(others.first());
    second.map(|&second| (first, second)).ok_or_else(|| {
        format!("only CPU {first} is open to this process, and the two sides need one each; allow another")
    })
}

#[cfg(test)]
mod tests {
    use super::choose;

    #[test]
    fn siblings_are_the_second_choice() {
        let cores = |cpu: usize| (cpu / 2).to_string();
        assert_eq!(choose(&[0, 1, 2, 3], cores), Ok((0, 2)));
        assert_eq!(choose(&[0, 1], cores), Ok((0, 1)));
        assert!(choose(&[4], cores).is_err_and(|line| line.contains("only CPU 4")));
    }
}
