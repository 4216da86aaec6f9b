//! What Linux says of itself in `/proc` and `/sys`. Elsewhere there are no such files, and nothing is said.

use std::fs;
use std::path::Path;

use super::Finding;

/// The least room for named regions that is no surprise.
const ROOM: u64 = 64 << 20;
/// From here on a memory lock of a usual region succeeds.
const LOCKABLE: u64 = 64 << 20;
/// What may be open at once: each region takes a few.
const DESCRIPTORS: u64 = 1024;
const CAP_IPC_LOCK: u32 = 14;
const CAP_SYS_NICE: u32 = 23;
/// Users below this number are the system's, and logging out ends nothing of theirs.
const FIRST_USER: u32 = 1000;

const CPU: &str = "sys/devices/system/cpu";

/// The files below a root, which is `/` but for tests.
struct Files<'a>(&'a Path);

impl Files<'_> {
    /// The text of a file, without the blanks around it; `None` where there is none, or it may not be read.
    fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.0.join(path)).ok().map(|text| text.trim().to_owned())
    }

    fn exists(&self, path: &str) -> bool {
        self.0.join(path).exists()
    }

    /// The value of a line `KEY:` of a file.
    fn value(&self, path: &str, key: &str) -> Option<String> {
        let text = self.text(path)?;
        text.lines().find_map(|line| Some(line.strip_prefix(key)?.strip_prefix(':')?.trim().to_owned()))
    }

    fn has_capability(&self, number: u32) -> bool {
        let set = self.value("proc/self/status", "CapEff");
        set.and_then(|set| u64::from_str_radix(&set, 16).ok()).is_some_and(|set| set >> number & 1 == 1)
    }

    /// The soft limit of this name; `u64::MAX` if there is none.
    fn limit(&self, name: &str) -> Option<u64> {
        let text = self.text("proc/self/limits")?;
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        match line.split_whitespace().next()? {
            "unlimited" => Some(u64::MAX),
            number => number.parse().ok(),
        }
    }
}

/// Everything that can be read.
pub fn findings(root: &Path) -> Vec<Finding> {
    let files = Files(root);
    let all = [
        shared_memory,
        removal,
        container,
        quota,
        locked,
        swap,
        priority,
        throttle,
        descriptors,
        cpus,
        isolated,
        siblings,
        governor,
        clock,
        preemption,
        huge,
    ];
    all.iter().filter_map(|each: &fn(&Files) -> Option<Finding>| each(&files)).collect()
}

/// Where named regions are.
fn shared_memory(files: &Files) -> Option<Finding> {
    let mounts = files.text("proc/self/mounts")?;
    let mount = mounts.lines().rev().find(|line| line.split(' ').nth(1) == Some("/dev/shm"));
    let Some(mount) = mount else {
        return Some(
            Finding::new("/dev/shm", "/proc/self/mounts", "not mounted")
                .broken(true, "mount a tmpfs there, or keep regions in files of another one (RegionFile)"),
        );
    };
    let mut words = mount.split(' ').skip(2);
    let (kind, options) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let size = options.split(',').find_map(|option| option.strip_prefix("size=")).and_then(size);
    let found = match size {
        Some(bytes) => format!("{kind} of {} MiB", bytes >> 20),
        None => format!("{kind} of half the memory"),
    };
    let found = Finding::new("/dev/shm", "/proc/self/mounts", found);
    let read_only = options.split(',').any(|option| option == "ro");
    Some(
        found
            .late(kind != "tmpfs", "it is not memory: a page may be written to storage; mount a tmpfs there")
            .late(
                size.is_some_and(|bytes| bytes <= ROOM),
                "large regions find no room: `mount -o remount,size=1g /dev/shm`, or `--shm-size` of the container",
            )
            .broken(read_only, "it is read-only: mount it writable, or share the host's (`--ipc`)"),
    )
}

/// A size of `mount`: bytes, or with a letter.
fn size(word: &str) -> Option<u64> {
    let (digits, shift) = match word.chars().last()? {
        'k' => (word.strip_suffix('k')?, 10),
        'm' => (word.strip_suffix('m')?, 20),
        'g' => (word.strip_suffix('g')?, 30),
        _ => (word, 0),
    };
    digits.parse::<u64>().ok()?.checked_shl(shift)
}

/// Whether the login manager removes a user's regions at logout.
fn removal(files: &Files) -> Option<Finding> {
    if !files.exists("run/systemd/system") {
        return None;
    }
    let uid: u32 = files.value("proc/self/status", "Uid")?.split_whitespace().next()?.parse().ok()?;
    let mut texts = vec![files.text("etc/systemd/logind.conf").unwrap_or_default()];
    if let Ok(folder) = fs::read_dir(files.0.join("etc/systemd/logind.conf.d")) {
        let mut paths: Vec<_> = folder.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        texts.extend(paths.iter().filter_map(|path| fs::read_to_string(path).ok()));
    }
    let mut set =
        texts.iter().flat_map(|text| text.lines()).filter_map(|line| line.trim().strip_prefix("RemoveIPC="));
    let kept = set.next_back().is_some_and(|value| ["no", "false", "0", "off"].contains(&value.trim()));
    let found = format!("RemoveIPC={}, and this is user {uid}", if kept { "no" } else { "yes" });
    Some(Finding::new("logout", "/etc/systemd/logind.conf", found).broken(
        !kept && uid >= FIRST_USER,
        "the regions of this user are removed when their last session ends: set RemoveIPC=no, `loginctl \
         enable-linger`, or run as a system user",
    ))
}

fn container(files: &Files) -> Option<Finding> {
    let marks = [".dockerenv", "run/.containerenv"];
    let mark = marks.into_iter().find(|mark| files.exists(mark))?;
    Some(Finding::new(
        "container",
        format!("/{mark}"),
        "yes: its peers need the same /dev/shm (`--ipc`, or a volume)",
    ))
}

/// A group that is stopped for the rest of each period once it has used its share.
fn quota(files: &Files) -> Option<Finding> {
    let group = files.text("proc/self/cgroup")?;
    let own = group.lines().find_map(|line| line.strip_prefix("0::/"))?.to_owned();
    // The limit of any group above stops this process too; the tightest one counts.
    let mut paths = vec![String::new()];
    paths.extend(own.match_indices('/').map(|(at, _)| own[..at].to_owned()));
    paths.push(own);
    let limited = paths.into_iter().filter(|path| !path.is_empty()).find_map(|path| {
        let file = format!("sys/fs/cgroup/{path}/cpu.max");
        let text = files.text(&file).filter(|text| !text.starts_with("max"))?;
        Some((file, text))
    });
    let source = limited.as_ref().map_or("sys/fs/cgroup", |(file, _)| file);
    let found =
        limited.as_ref().map_or("no limit".into(), |(_, text)| format!("limit {text} (us of each us)"));
    Some(Finding::new("processor share", format!("/{source}"), found).late(
        limited.is_some(),
        "the process is stopped for the rest of the period when it is used up: no `--cpus` for what is real-time",
    ))
}

fn locked(files: &Files) -> Option<Finding> {
    let limit = files.limit("Max locked memory")?;
    let free = files.has_capability(CAP_IPC_LOCK);
    let found = match limit {
        u64::MAX => "no limit".into(),
        _ if free => "no limit, by CAP_IPC_LOCK".into(),
        bytes => format!("{} KiB", bytes >> 10),
    };
    Some(Finding::new("memory lock", "/proc/self/limits", found).late(
        limit < LOCKABLE && !free,
        "regions cannot be locked: `ulimit -l`, `memlock` in /etc/security/limits.conf, or LimitMEMLOCK= of the unit",
    ))
}

fn swap(files: &Files) -> Option<Finding> {
    let count = files.text("proc/swaps")?.lines().skip(1).count();
    let found = if count == 0 { "none".into() } else { format!("{count} in use") };
    Some(Finding::new("swap", "/proc/swaps", found).late(
        count > 0,
        "memory that is not locked may be on storage when it is touched: lock it (`lock_memory`), or `swapoff -a`",
    ))
}

fn priority(files: &Files) -> Option<Finding> {
    let limit = files.limit("Max realtime priority")?;
    let free = files.has_capability(CAP_SYS_NICE);
    let found = match limit {
        _ if free => "any, by CAP_SYS_NICE".into(),
        limit => format!("{limit} at most"),
    };
    Some(Finding::new("priority", "/proc/self/limits", found).late(
        limit == 0 && !free,
        "no real-time priority: `rtprio` in /etc/security/limits.conf, LimitRTPRIO= of the unit, or `--cap-add=SYS_NICE`",
    ))
}

fn throttle(files: &Files) -> Option<Finding> {
    let path = "proc/sys/kernel/sched_rt_runtime_us";
    let runtime: i64 = files.text(path)?.parse().ok()?;
    let period = files.text("proc/sys/kernel/sched_rt_period_us").unwrap_or_default();
    let found = if runtime < 0 { "none".into() } else { format!("{runtime} of each {period} us") };
    Some(Finding::new("real-time throttle", format!("/{path}"), found).late(
        runtime >= 0,
        "real-time threads that never sleep are stopped for the rest: let them sleep, or write -1 there",
    ))
}

fn descriptors(files: &Files) -> Option<Finding> {
    let limit = files.limit("Max open files")?;
    Some(
        Finding::new("descriptors", "/proc/self/limits", format!("{limit} at most"))
            .late(limit < DESCRIPTORS, "a program with many regions runs out of them: `ulimit -n`"),
    )
}

/// How many numbers a list like `0-3,8` names.
fn count(list: &str) -> Option<usize> {
    if list.is_empty() {
        return Some(0);
    }
    list.split(',').try_fold(0, |sum, part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(sum + last.parse::<usize>().ok()?.checked_sub(first.parse().ok()?)? + 1)
    })
}

fn cpus(files: &Files) -> Option<Finding> {
    let list = files.value("proc/self/status", "Cpus_allowed_list")?;
    let allowed = count(&list)?;
    Some(Finding::new("processors", "/proc/self/status", format!("{allowed} ({list})")).late(
        allowed == 1,
        "two processes on one processor wait for each other's turns; polling costs a turn",
    ))
}

fn isolated(files: &Files) -> Option<Finding> {
    let path = format!("{CPU}/isolated");
    let list = files.text(&path)?;
    let found = if list.is_empty() { "none" } else { &list };
    Some(Finding::new("isolated", format!("/{path}"), found).late(
        list.is_empty(),
        "other programs and interrupts run on every processor: `isolcpus=` and `irqaffinity=`, or a cpuset partition",
    ))
}

fn siblings(files: &Files) -> Option<Finding> {
    let path = format!("{CPU}/smt/active");
    let active = files.text(&path)? == "1";
    Some(Finding::new("SMT", format!("/{path}"), if active { "on" } else { "off" }).late(
        active,
        "a busy sibling slows a core down: leave the siblings of real-time cores idle, or `nosmt`",
    ))
}

fn governor(files: &Files) -> Option<Finding> {
    let folder = fs::read_dir(files.0.join(CPU)).ok()?;
    let paths = folder.filter_map(|entry| Some(entry.ok()?.path().join("cpufreq/scaling_governor")));
    let mut names: Vec<String> =
        paths.filter_map(|path| Some(fs::read_to_string(path).ok()?.trim().to_owned())).collect();
    names.sort();
    names.dedup();
    if names.is_empty() {
        return None;
    }
    let slow = names.iter().any(|name| name != "performance");
    Some(
        Finding::new("governor", format!("/{CPU}/cpu*/cpufreq/scaling_governor"), names.join(", "))
            .late(slow, "a core that was idle starts slowly: `cpupower frequency-set -g performance`"),
    )
}

fn clock(files: &Files) -> Option<Finding> {
    let path = "sys/devices/system/clocksource/clocksource0/current_clocksource";
    let name = files.text(path)?;
    let slow = ["hpet", "acpi_pm", "jiffies", "refined-jiffies", "xen"].contains(&name.as_str());
    Some(Finding::new("clock", format!("/{path}"), name).late(
        slow,
        "each look at the clock is a system call, or slow: see whether the kernel found the `tsc` unstable",
    ))
}

fn preemption(files: &Files) -> Option<Finding> {
    let real_time = files.text("sys/kernel/realtime").is_some_and(|text| text == "1");
    let version = files.text("proc/sys/kernel/version")?;
    let found = if real_time || version.contains("PREEMPT_RT") {
        "PREEMPT_RT"
    } else if version.contains("PREEMPT_DYNAMIC") {
        "PREEMPT_DYNAMIC"
    } else if version.contains("PREEMPT") {
        "PREEMPT"
    } else {
        "none within the kernel"
    };
    Some(Finding::new("preemption", "/proc/sys/kernel/version", found).late(
        found != "PREEMPT_RT",
        "system calls of others delay real-time threads: a PREEMPT_RT kernel (linux-image-rt-amd64)",
    ))
}

fn huge(files: &Files) -> Option<Finding> {
    let path = "sys/kernel/mm/transparent_hugepage/enabled";
    let text = files.text(path)?;
    let chosen = text.split(['[', ']']).nth(1)?.to_owned();
    Some(Finding::new("huge pages", format!("/{path}"), format!("{chosen} for ordinary memory")).late(
        chosen == "always",
        "the kernel stops threads while it moves their pages: write `madvise` there",
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::super::Verdict;
    use super::{count, findings, size};

    /// A tree of files; gone at the end.
    struct Tree(PathBuf);

    impl Tree {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let root = std::env::temp_dir().join(format!("strait-doctor-{name}-{}", std::process::id()));
            for (path, text) in files {
                let path = root.join(path);
                fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                fs::write(path, text).expect("a file");
            }
            Self(root)
        }

        fn verdict(&self, what: &str) -> Option<Verdict> {
            findings(&self.0).iter().find(|finding| finding.what == what).map(|finding| finding.verdict)
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn where_there_is_nothing_nothing_is_said() {
        assert!(findings(Path::new("/no/such/folder")).is_empty());
    }

    #[test]
    fn all_that_can_be_in_the_way_is_found_and_has_a_remedy() {
        let tree = Tree::new(
            "bad",
            &[
                ("proc/self/mounts", "shm /dev/shm tmpfs ro,nosuid,size=65536k 0 0\n"),
                ("proc/self/status", "Uid:\t1000\t1000\nCapEff:\t0000000000000000\nCpus_allowed_list:\t0\n"),
                (
                    "proc/self/limits",
                    "Limit  Soft Limit\nMax locked memory  8388608  8388608 bytes\nMax realtime priority  0  0\n\
                 Max open files  256  256 files\n",
                ),
                ("proc/self/cgroup", "0::/box/inner\n"),
                ("sys/fs/cgroup/box/cpu.max", "50000 100000\n"),
                ("proc/swaps", "Filename Type\n/swap file\n"),
                ("proc/sys/kernel/sched_rt_runtime_us", "950000\n"),
                ("proc/sys/kernel/version", "#1 SMP Debian 6.1\n"),
                ("run/systemd/system/x", ""),
                ("etc/systemd/logind.conf", "[Login]\n#RemoveIPC=no\n"),
                ("sys/devices/system/cpu/isolated", "\n"),
                ("sys/devices/system/cpu/smt/active", "1\n"),
                ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n"),
                ("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n"),
                ("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n"),
            ],
        );
        let found = findings(&tree.0);
        assert_eq!(found.len(), 15, "{found:?}");
        for finding in &found {
            assert!(finding.verdict != Verdict::Fine && !finding.remedy.is_empty(), "{finding:?}");
        }
        assert_eq!(tree.verdict("/dev/shm"), Some(Verdict::Broken));
        assert_eq!(tree.verdict("logout"), Some(Verdict::Broken));
    }

    #[test]
    fn a_machine_that_is_set_up_has_nothing_in_the_way() {
        let tree = Tree::new(
            "good",
            &[
                ("proc/self/mounts", "tmpfs /dev/shm tmpfs rw,nosuid 0 0\n"),
                (
                    "proc/self/status",
                    "Uid:\t1000\t1000\nCapEff:\t0000000000804000\nCpus_allowed_list:\t2-3\n",
                ),
                (
                    "proc/self/limits",
                    "Max locked memory  8388608  8388608 bytes\nMax realtime priority  0  0\nMax open files  4096 4096\n",
                ),
                ("proc/self/cgroup", "0::/box\n"),
                ("sys/fs/cgroup/box/cpu.max", "max 100000\n"),
                ("proc/swaps", "Filename Type\n"),
                ("proc/sys/kernel/sched_rt_runtime_us", "-1\n"),
                ("proc/sys/kernel/version", "#1 SMP PREEMPT_RT Debian 6.1\n"),
                ("run/systemd/system/x", ""),
                ("etc/systemd/logind.conf", "RemoveIPC=yes\n"),
                ("etc/systemd/logind.conf.d/strait.conf", "[Login]\nRemoveIPC=no\n"),
                ("sys/devices/system/cpu/isolated", "2-3\n"),
                ("sys/devices/system/cpu/smt/active", "0\n"),
                ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n"),
                ("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"),
                ("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"),
            ],
        );
        let found = findings(&tree.0);
        assert_eq!(found.len(), 15, "{found:?}");
        assert!(found.iter().all(|finding| finding.verdict == Verdict::Fine), "{found:?}");
    }

    #[test]
    fn lists_and_sizes_are_read() {
        assert_eq!(["0-3,8", "", "5", "3-1", "x"].map(count), [Some(5), Some(0), Some(1), None, None]);
        assert_eq!(["65536k", "1g", "512", "m"].map(size), [Some(64 << 20), Some(1 << 30), Some(512), None]);
    }
}
