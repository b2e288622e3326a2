//! Switches the sources of kamon to loom.

fn main() {
    println!("cargo:rustc-check-cfg=cfg(kamon_loom)");
    println!("cargo:rustc-check-cfg=cfg(kamon_visible)");
    println!("cargo:rustc-check-cfg=cfg(kamon_tsan)");
    println!("cargo:rustc-check-cfg=cfg(kamon_without_context)");
    // kamon's features: known here, never on.
    println!("cargo:rustc-check-cfg=cfg(feature, values(any()))");

    println!("cargo:rustc-cfg=kamon_loom");
    if std::env::var("CARGO_PKG_NAME").is_ok_and(|name| name == "loom-tests-visible") {
        println!("cargo:rustc-cfg=kamon_visible");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
