//! Compiles the Context out of kamon's sources, for this package alone.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(kamon_loom)");
    println!("cargo::rustc-check-cfg=cfg(kamon_tsan)");
    println!("cargo::rustc-check-cfg=cfg(kamon_plant, values(any()))");
    println!("cargo::rustc-check-cfg=cfg(kamon_without_context)");
    // kamon's other features: known here, never on.
    println!("cargo::rustc-check-cfg=cfg(feature, values(any()))");
    println!("cargo::rustc-cfg=kamon_without_context");
    println!("cargo::rerun-if-changed=build.rs");
}
