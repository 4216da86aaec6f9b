#!/usr/bin/env bash
# What:     the file links of the crate shared_memory when a server is restarted before the old one has ended.
# Version:  shared_memory 0.12.4.
# Expected: `force_create_flink` is documented to overwrite a link that exists, so the newest server owns the name.
# Seen:     the old server removes the link by its path when it ends, without a look at whose link is there by then.
#           It removes the new server's. The new region lives on, and no client can open it by its link any more.
# Matters:  "start the new one, then stop the old one" is how services are replaced without a gap. Here the service
#           vanishes for new clients at the moment the old process exits, long after the new one started well.
set -euo pipefail
unset RUSTFLAGS CARGO_TARGET_DIR

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

mkdir src
cat > Cargo.toml <<'END'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
shared_memory = "=0.12.4"
END
cat > src/main.rs <<'END'
use shared_memory::ShmemConf;

fn main() {
    let link = std::env::args().nth(1).expect("the path of the link");
    let opens = || ShmemConf::new().flink(&link).open().is_ok();

    let old = ShmemConf::new().size(4096).flink(&link).create().unwrap();
    let new = ShmemConf::new().size(4096).flink(&link).force_create_flink().create().unwrap();
    let before = opens();
    drop(old);
    let after = opens();
    let by_id = ShmemConf::new().os_id(new.get_os_id()).open().is_ok();
    println!("a client opens the link while both servers live: {before}");
    println!("a client opens the link after the old one ended: {after} (the new region still exists: {by_id})");
    drop(new); // removes the region: exit() would not
    std::process::exit(if before && !after && by_id { 0 } else { 1 });
}
END
cargo build --quiet

echo "version: shared_memory 0.12.4"
target/debug/finding "$dir/link" || { echo "changed: this is no longer what happens"; exit 1; }
