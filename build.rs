//! Linker settings of a Node-API addon; nothing to do when only the store is built.

fn main() {
    if std::env::var_os("CARGO_FEATURE_BINDING").is_some() {
        napi_build::setup();
    }
}
