//! What the benchmarks share. The benchmarks themselves stand beside this folder, one file each.
