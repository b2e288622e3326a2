//! Switches the sources of kamon to loom, and to one planted bug if `KAMON_PLANT` names one.

fn main() {
    println!("cargo:rustc-check-cfg=cfg(kamon_loom)");
    println!("cargo:rustc-check-cfg=cfg(kamon_visible)");
    println!("cargo:rustc-check-cfg=cfg(kamon_tsan)");
    println!("cargo:rustc-check-cfg=cfg(kamon_without_context)");
    println!("cargo:rustc-check-cfg=cfg(kamon_plant, values(any()))");
    // kamon's features: known here, never on.
    println!("cargo:rustc-check-cfg=cfg(feature, values(any()))");

    println!("cargo:rustc-cfg=kamon_loom");
    if std::env::var("CARGO_PKG_NAME").is_ok_and(|name| name == "loom-tests-visible") {
        println!("cargo:rustc-cfg=kamon_visible");
    }
    println!("cargo:rerun-if-env-changed=KAMON_PLANT");
    println!("cargo:rerun-if-changed=build.rs");
    match std::env::var("KAMON_PLANT") {
        Ok(plant) if !plant.is_empty() => println!("cargo:rustc-cfg=kamon_plant={plant:?}"),
        _ => {}
    }
}
