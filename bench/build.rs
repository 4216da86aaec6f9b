//! Compiles the C++ half of a peer, where there is a C++ compiler and Boost.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(boost)");
    println!("cargo::rerun-if-changed=native/boost.cpp");
    let compiled = cc::Build::new()
        .cpp(true)
        .std("c++17")
        .opt_level(3)
        .warnings(false)
        .cargo_warnings(false)
        .file("native/boost.cpp")
        .try_compile("bench_boost");
    if compiled.is_ok() {
        println!("cargo::rustc-cfg=boost");
    }
}
