//! eSpeak NG in this process: one thread has it, from its first use to the end. A test of its own
//! program, for a process can open it once.

mod kit;

use std::path::Path;

use aloud::assets::{AssetOverrides, Assets};
use aloud::speech::{Espeak, SpeechError};

use kit::{Home, wait_for};

#[test]
fn one_thread_has_it_however_often_it_is_opened() {
    let home = Home::ready();
    let assets = Assets::new(&home.path("data"), AssetOverrides::default());
    let files = assets.espeak().unwrap();
    let nowhere = Path::new("/nowhere");
    for (library, data) in [(nowhere, &*files.data), (&*files.library, nowhere)] {
        let refused = Espeak::open(library, data).err().unwrap();
        assert_eq!(refused.code(), "LIBRARY", "{refused}");
        assert_threads(0);
    }
    let mut first = None;
    for _ in 0..3 {
        // Each of these drops what may be the last handle while others open it.
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let espeak = Espeak::open(&files.library, &files.data).unwrap();
                    assert_eq!(espeak.clauses("en-us", "Good evening.").unwrap().len(), 1);
                });
            }
        });
        assert_threads(1);
        let espeak = Espeak::open(&files.library, &files.data).unwrap();
        let clauses = espeak.clauses("en-us", "Good evening.").unwrap();
        assert_eq!(*first.get_or_insert_with(|| clauses.clone()), clauses);
    }
    let another = Espeak::open(nowhere, &files.data).err();
    assert!(
        matches!(&another, Some(SpeechError::Phonemes(reason)) if reason.contains("a process can use one")),
        "{another:?}"
    );
}

/// So many threads have the library. One that was joined is seen a moment longer.
#[track_caller]
fn assert_threads(count: usize) {
    if cfg!(target_os = "linux") {
        let what = format!("{count} threads have it");
        wait_for(&what, || (threads() == count).then_some(()));
    }
}

fn threads() -> usize {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let names =
        threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("comm")).ok());
    names.filter(|name| name == "aloud-espeak\n").count()
}
