//! Regions in files of huge pages: whatever their length, they are unmapped, forked and refused as others are. And regions of
//! memory that the system chooses: of one node of a machine, and of huge pages where it has some.
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::path::Path;

use common::{Helper, Scratch, own_mounts, role_for_a_while, say, skip};
use nix::mount::{MsFlags, mount};
use nix::unistd::{ForkResult, fork};
use strait_core::port::Port as _;
use strait_core::{Channel, Plan};
use strait_os::{CreateError, OpenError, RegionFile, RegionName, RegionOptions};

/// Longer than half a huge page, and no whole number of them.
const PLAN: Plan<'static> = Plan::new(&[Channel::frames("commands", 1 << 20, 256)]);

#[test]
fn what_is_mapped_from_huge_pages_is_unmapped_and_forked_whole() {
    let scratch = Scratch::new();
    let mut helper = Helper::start("huge", &scratch.0);
    match helper.hear().as_str() {
        "ready" => {}
        why => return skip("what_is_mapped_from_huge_pages_is_unmapped_and_forked_whole", why),
    }
    assert_eq!(helper.hear(), "created: mapped 1, after it: 0");
    assert_eq!(helper.hear(), "opened: mapped 1, after it: 0");
    assert_eq!(helper.hear(), "prefaulted: mapped 1, after it: 0");
    assert_eq!(helper.hear(), "the child: its own copy");
    assert_eq!(helper.hear(), "the parent: 7");
    assert_eq!(helper.hear(), "too many: HugePages, named: true, left: 1");
}

#[test]
fn a_tmpfs_of_one_node_and_of_huge_pages_makes_regions_of_both() {
    let scratch = Scratch::new();
    let mut helper = Helper::start("node", &scratch.0);
    match helper.hear().as_str() {
        "ready" => {}
        why => return skip("a_tmpfs_of_one_node_and_of_huge_pages_makes_regions_of_both", why),
    }
    assert_eq!(helper.hear(), "memory of node 0: true, huge pages: true");
    assert_eq!(helper.hear(), "by its name, memory of node 0: true, huge pages: true");
}

fn node_role(dir: &str) {
    let mounted = own_mounts().and_then(|()| {
        let mounted =
            mount(Some("none"), dir, Some("tmpfs"), MsFlags::empty(), Some("huge=always,mpol=bind:0"));
        mounted.map_err(|error| format!("no tmpfs of a node and of huge pages: {error}"))
    });
    if let Err(why) = mounted {
        return say(&why);
    }
    if !Path::new("/proc/self/numa_maps").exists() {
        return say("this kernel tells of no memory of which node it is");
    }
    say("ready");
    let plan = [Channel::frames("large", 4 << 20, 256)];
    let (plan, options) = (Plan::new(&plan), RegionOptions::new().prefault(true));
    let told = || {
        // What the kernel says of the first mapping of a file there.
        let of = |file: &str, wanted: &str| {
            let text = fs::read_to_string(file).expect(file);
            let from_there = text.lines().skip_while(|line| !line.contains(&format!("{dir}/")));
            from_there.take(25).any(|line| line.contains(wanted))
        };
        let node = of("/proc/self/numa_maps", "bind:0 ");
        format!(
            "memory of node 0: {node}, huge pages: {}",
            of("/proc/self/smaps", "THPeligible:           1")
        )
    };
    let region = RegionFile::new(Path::new(dir).join("region")).create(&plan, &options).expect("create");
    say(&told());
    drop(region);
    // SAFETY: the only other thread of this process waits for this one.
    unsafe { std::env::set_var("STRAIT_DIR", dir) };
    let _region = RegionName::new("node").expect("a name").create(&plan, &options).expect("create");
    say(&format!("by its name, {}", told()));
}

/// How many mappings of a file in this directory there are.
fn mapped(dir: &Path) -> usize {
    let maps = fs::read_to_string("/proc/self/maps").expect("the mappings");
    maps.lines().filter(|line| line.contains(&format!("{}/", dir.display()))).count()
}

/// The huge pages that nobody has, and those that there are.
fn pool() -> (usize, usize) {
    let info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let of = |what: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(what));
        line.and_then(|rest| rest.trim().parse().ok()).unwrap_or(0)
    };
    (of("HugePages_Free:"), of("HugePages_Total:"))
}

fn huge_role(dir: &str) {
    if pool().0 < 4 {
        return say("this machine has no four free huge pages (vm.nr_hugepages)");
    }
    let flags = MsFlags::empty();
    let mounted = own_mounts().and_then(|()| {
        let mounted = mount(Some("none"), dir, Some("hugetlbfs"), flags, Some("pagesize=2M"));
        mounted.map_err(|error| format!("no huge pages of our own: {error}"))
    });
    if let Err(why) = mounted {
        return say(&why);
    }
    say("ready");
    let (dir, options) = (Path::new(dir), RegionOptions::new());
    let file = RegionFile::new(dir.join("region"));
    let told = |what: &str, open: &dyn Fn() -> strait_os::Region| {
        let region = open();
        let before = mapped(dir);
        drop(region);
        say(&format!("{what}: mapped {before}, after it: {}", mapped(dir)));
    };
    told("created", &|| file.create(&PLAN, &options).expect("create"));
    told("opened", &|| file.open(&options).expect("open"));
    let prefault = options.prefault(true);
    told("prefaulted", &|| file.open(&prefault).expect("open"));
    forks(&file);
    let many = [Channel::frames("large", 1 << 30, 256)];
    let error = RegionFile::new(dir.join("many")).create(&Plan::new(&many), &options).err();
    let error = error.expect("there are not so many");
    let kind = if matches!(error, CreateError::HugePages { .. }) { "HugePages" } else { "another" };
    let named = error.to_string().contains("nr_hugepages");
    let left = fs::read_dir(dir).expect("the directory").count();
    say(&format!("too many: {kind}, named: {named}, left: {left}"));
    assert_eq!(RegionFile::new(dir.join("many")).open(&options).err(), Some(OpenError::NotFound));
}

/// What a child stores does not reach its parent.
fn forks(file: &RegionFile) {
    let region = file.open(&RegionOptions::new()).expect("open");
    let mem = region.port().mem();
    let at = mem.len() - 4096;
    mem.setup_write(at, 7);
    // SAFETY: the only other thread of this process waits for this one; the C library keeps its
    // allocator usable in the child.
    match unsafe { fork() }.expect("a child") {
        ForkResult::Child => {
            mem.setup_write(at, 8);
            say("the child: its own copy");
            std::process::exit(0);
        }
        ForkResult::Parent { child } => {
            nix::sys::wait::waitpid(child, None).expect("its end");
            say(&format!("the parent: {}", mem.setup_read(at)));
        }
    }
}

#[test]
fn helper() {
    match role_for_a_while() {
        Some((role, dir)) if role == "node" => node_role(&dir),
        Some((_, dir)) => huge_role(&dir),
        None => {}
    }
}
