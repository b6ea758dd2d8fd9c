//! Systems that refuse `membarrier`: its announcement, the command itself although it was announced, or the command
//! later on. Each runs in a process of its own, because a filter of system calls stays for good.

use std::ffi::OsString;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, thread};

use super::*;
use crate::store::map::store::Store;

/// Names what a child process is to have refused.
const REFUSED: &str = "TEST_REFUSED_FENCES";

/// Has the system refuse a command of `membarrier` to this thread and to those that it starts. False if it will not.
fn refuse(command: libc::c_int) -> bool {
    const SYSTEM_CALL: u32 = 0; // offsets in what a filter is shown of a call
    const FIRST_ARGUMENT: u32 = 16;
    let step = |code: u32, jf: u8, k: u32| libc::sock_filter { code: code as u16, jt: 0, jf, k };
    let mut filter = [
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, SYSTEM_CALL),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 3, libc::SYS_membarrier as u32),
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, FIRST_ARGUMENT),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, command as u32),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: `program` and its filter live until both calls are over, and the kernel copies them.
    unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
    }
}

/// Replaces and clears a large value while another thread reads it; returns the bytes that are in use after the last
/// `clear`.
fn left_after_churn() -> u64 {
    let store = Store::new(&Config { shards: Some(1), ..Config::default() }).unwrap();
    let (map, reader, key) = (store.join(), store.join(), Key::string("k"));
    let is_over = &AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut out = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                if reader.get(key, &mut out).unwrap().is_some() {
                    assert!(out.len() == 100_000 && out.iter().all(|&byte| byte == out[0]), "a torn value");
                }
            }
        });
        for n in 0..300_u32 {
            map.set(key, bytes_value(&vec![n as u8; 100_000]), Ttl::Never).unwrap();
            if n % 10 == 9 {
                map.clear().unwrap();
            }
        }
        let left = settled_bytes(&store);
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(store.validate().unwrap(), []);
        left
    })
}

/// Does nothing unless it is the child of the test below.
#[test]
fn of_a_child_process() {
    let Ok(refused) = env::var(REFUSED) else { return };
    let is_filtered = match refused.as_str() {
        "announcement" => refuse(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED),
        "command" => refuse(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED),
        _ => {
            assert_eq!(left_after_churn(), 0);
            refuse(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
        }
    };
    if !is_filtered {
        println!("without filters");
        return;
    }
    let left = left_after_churn();
    println!("{left} bytes are left");
}

/// The program of the tests, with the emulator before it that it runs in.
fn this_program() -> Command {
    let emulator = env::var("TEST_EMULATOR").unwrap_or_default();
    let words = emulator.split_whitespace().map(OsString::from);
    let mut words = words.chain([env::current_exe().unwrap().into_os_string()]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words);
    command
}

#[test]
fn readers_run_fences_of_their_own_and_nothing_is_freed_without_one() {
    for (refused, is_freed) in [("announcement", true), ("command", true), ("command, later on", false)] {
        let child = this_program()
            .args(["--exact", "store::tests::refused_fences::of_a_child_process", "--nocapture"])
            .env(REFUSED, refused)
            // What is lost for want of a fence is what the last one asks for. Only AddressSanitizer reads this.
            .env("ASAN_OPTIONS", if is_freed { "detect_leaks=1" } else { "detect_leaks=0" })
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success(), "{refused}: {said} {}", String::from_utf8_lossy(&child.stderr));
        let is_filtered = !said.contains("without filters");
        assert!(!is_filtered || said.contains("\n0 bytes are left") == is_freed, "{refused}: {said}");
    }
}
