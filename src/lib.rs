//! `typed-superdashmap`: one map for all threads of a Node.js process.
//!
//! | room | what it holds | what it never does |
//! |---|---|---|
//! | [`store`] | the map itself: shards, index, slab, entries, limits, events | calls JavaScript, or knows that it exists |
//! | `binding` | the wall to Node-API: convert, one call to the store, convert | decides anything about data |

#[cfg(feature = "binding")]
pub mod binding;
pub mod store;
