#!/usr/bin/env bash
# What:     two processes that were built with neighbouring releases of iceoryx2 and open one service.
# Version:  iceoryx2 0.9.3 and 0.10.0, in both directions.
# Expected: a release stores its version with the service, and 0.10.0 documents VersionMismatch as an error of open().
# Seen:     both report ServiceInCorruptedState instead, which the documentation explains as resources that are missing,
#           corrupted or inaccessible. The stored description is decoded as the reader's own release lays it out, which
#           fails before the version in it is looked at. Nothing is corrupt: processes of the server's release join.
# Matters:  a rolling update looks like damaged shared memory. What one does about damage is to delete the files, and
#           that would take the service from under a server that works.
set -euo pipefail
unset RUSTFLAGS CARGO_TARGET_DIR

dir=$(mktemp -d)
prefix=finding$$_
server=
clean() {
    [ -z "$server" ] || kill "$server" 2> /dev/null || true
    rm -rf "$dir" /dev/shm/"$prefix"*
}
trap clean EXIT
cd "$dir"

mkdir src
cat > Cargo.toml <<'END'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
old = { package = "iceoryx2", version = "=0.9.3" }
new = { package = "iceoryx2", version = "=0.10.0" }

[profile.dev]
debug = false
incremental = false
END
cat > src/main.rs <<'END'
macro_rules! release {
    ($release:ident) => {
        mod $release {
            use ::$release::prelude::*;

            fn node(root: &str, prefix: &str) -> Node<ipc::Service> {
                set_log_level(LogLevel::Fatal);
                let mut config = Config::default();
                config.global.set_root_path(&Path::new(root.as_bytes()).unwrap());
                config.global.prefix = FileName::new(prefix.as_bytes()).unwrap();
                NodeBuilder::new().config(&config).create().unwrap()
            }

            /// Has the service until a line arrives, or the end of the input.
            pub fn serve(root: &str, prefix: &str) {
                let node = node(root, prefix);
                let name = "temperature".try_into().unwrap();
                let service = node.service_builder(&name).publish_subscribe::<u64>().create().unwrap();
                println!("ready");
                std::io::stdin().read_line(&mut String::new()).unwrap();
                drop(service);
            }

            pub fn open(root: &str, prefix: &str) {
                let node = node(root, prefix);
                let name = "temperature".try_into().unwrap();
                match node.service_builder(&name).publish_subscribe::<u64>().open() {
                    Ok(_) => println!("opened"),
                    Err(error) => println!("{error:?}"),
                }
            }
        }
    };
}
release!(old);
release!(new);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let call = match (arguments[1].as_str(), arguments[2].as_str()) {
        ("old", "serve") => old::serve,
        ("old", "open") => old::open,
        ("new", "serve") => new::serve,
        ("new", "open") => new::open,
        _ => panic!("old or new, then serve or open"),
    };
    call(&arguments[3], &arguments[4]);
}
END
cargo build --quiet

# Starts a server of the first release, and opens its service with both.
try() {
    local root="$dir/by-$1" client
    mkdir "$root"
    coproc SERVER { exec target/debug/finding "$1" serve "$root" "$prefix"; }
    server=$SERVER_PID
    read -r -t 20 -u "${SERVER[0]}"
    for client in old new; do
        result[$client]=$(target/debug/finding "$client" open "$root" "$prefix")
    done
    echo >&"${SERVER[1]}"
    wait "$server"
    server=
}

declare -A result
echo "version: iceoryx2 0.9.3 (old) and 0.10.0 (new)"
same=yes
try old
echo "a service of the old release: the old one ${result[old]}, the new one reports ${result[new]}"
[ "${result[old]} ${result[new]}" = "opened ServiceInCorruptedState" ] || same=no
try new
echo "a service of the new release: the new one ${result[new]}, the old one reports ${result[old]}"
[ "${result[new]} ${result[old]}" = "opened ServiceInCorruptedState" ] || same=no
[ "$same" = yes ] || { echo "changed: this is no longer what happens"; exit 1; }
